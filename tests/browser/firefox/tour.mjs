// A tour of the console in Firefox, over WebDriver BiDi. Prints one JSON object per line: what was done (`did`), what a
// test has to do meanwhile (`ask`, which it answers with a line on standard input), and at the end what went `wrong`.
// Arguments: Firefox's path, the sign-in link, and the client to watch.

import { createInterface } from 'node:readline'
import puppeteer from 'puppeteer-core'

const [firefox, link, client] = process.argv.slice(2)
const { origin } = new URL(link)
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const ask = async (what) => {
  say({ ask: what })
  await answers.next()
}

// What is noted outlives the page it is about. Firefox breaks off what is in flight while the
// page that is being left can still complain about it; that is no complaint of the console's.
const watch = () => {
  const { error } = console
  addEventListener('beforeunload', () => (console.error = () => {}))
  addEventListener('pageshow', () => (console.error = error))
  const note = (what) => (sessionStorage.noted = `${sessionStorage.noted ?? ''}${what} at ${location.pathname}\n`)
  addEventListener('securitypolicyviolation', (event) => note(`against the policy: ${event.violatedDirective}`))
  const connection = () => document.documentElement.dataset.connection
  new MutationObserver(() => ['stale', 'offline'].includes(connection()) && note('said to be reconnecting')).observe(
    document,
    { subtree: true, attributeFilter: ['data-connection'] },
  )
}

const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true })
const page = await browser.newPage()
const wrong = []
page.setDefaultTimeout(20_000)
page.on('pageerror', (error) => wrong.push(String(error)))
page.on('console', (message) => ['error', 'assert'].includes(message.type()) && wrong.push(`${message.text()} at ${page.url()}`))
page.on('request', (request) => /^data:/.test(request.url()) || request.url().startsWith(origin) || wrong.push(request.url()))
await page.setViewport({ width: 1440, height: 900 })
await page.evaluateOnNewDocument(watch)

const at = (path) => page.waitForFunction((path) => location.pathname.endsWith(path), {}, path)
const shows = (selector, text) =>
  page.waitForFunction(
    (selector, text) => [...document.querySelectorAll(selector)].some((found) => found.textContent.includes(text)),
    {},
    selector,
    text,
  )
const isLive = () => page.waitForSelector('#live-state[data-state=live]')
const click = (selector) => page.locator(selector).click()
const go = async (name, path) => {
  await click(`.rail ::-p-text(${name})`)
  await at(path)
}
const row = `tbody tr ::-p-text(${client})`

const steps = {
  async 'signed in with the printed link'() {
    await page.goto(link)
    await click('button[type=submit]')
    await at('/admin/')
  },
  async 'saw the overview live'() {
    await isLive()
    await shows('h1', 'Overview')
    await page.waitForSelector('main svg[role=img]')
  },
  async 'saw a row change while it was looked at'() {
    await go('Sessions', '/sessions')
    await isLive()
    await page.waitForSelector(row)
    const before = await page.$eval('tbody', (body) => body.innerText)
    await ask('call')
    await page.waitForFunction((before) => document.querySelector('tbody').innerText !== before, {}, before)
  },
  async 'completed a filter by keyboard'() {
    await page.keyboard.press('f')
    await page.keyboard.type('cli')
    await shows('[role=option]:first-child', 'client:')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    await page.keyboard.type(client.slice(0, -2))
    await shows('[role=option]:first-child', client)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await shows('.chip', `client:${client}`)
    await page.waitForFunction(() => document.querySelectorAll('.sessions tbody tr').length === 1)
  },
  async 'followed the session on each of its tabs'() {
    await click('.sessions tbody a.ref')
    await page.waitForSelector('#tabs a')
    for (let number = await page.$$eval('#tabs a', (tabs) => tabs.length); number >= 1; number -= 1) {
      await page.keyboard.press(String(number))
      await page.waitForSelector(`#tabs a:nth-of-type(${number})[aria-current=page]`)
    }
    await page.keyboard.press('2')
    await at('/events')
    await isLive()
    const before = await page.$eval('#log-rows tr', (newest) => newest.id)
    await ask('call')
    await page.waitForFunction((before) => document.querySelector('#log-rows tr').id !== before, {}, before)
    await click('#log-rows .at a')
    await shows('#inspector h2', 'Event')
  },
  async 'sent a broadcast'() {
    await go('Broadcasts', '/broadcasts')
    await click('main a[href*="/broadcasts/new"]')
    await at('/broadcasts/new')
    await page.locator('#text').fill('doors close at six')
    await shows('#review', 'doors close at six')
    await click('#send:not(:disabled)')
    await ask('heard')
    await shows('main', 'Delivered')
  },
  async 'ended the session after typing what was asked for'() {
    await page.goto(new URL(`/admin/sessions?q=client:${client}`, link).href)
    await isLive()
    await click('::-p-text(Expire by filter…)')
    await page.waitForSelector('dialog[open] #confirm')
    const button = 'dialog[open] .sheet-foot button'
    await page.locator('dialog[open] [name=reason]').fill('seen from Firefox')
    if (!(await page.$eval(button, (found) => found.disabled))) wrong.push('could be sent before anything was typed')
    await page.locator('dialog[open] #confirm').fill('expire 1')
    await click(`${button}:not(:disabled)`)
    await shows('.toast', 'Expired 1 session')
    await page.waitForFunction(() => !document.querySelector('dialog[open]'))
  },
  async 'found both in the audit log'() {
    await go('Audit', '/audit')
    await shows('main', 'seen from Firefox')
    await shows('main', 'Broadcast')
  },
}

try {
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step()
    } catch (error) {
      throw new Error(`not "${name}": ${error.message}, at ${page.url()}`)
    }
    say({ did: name })
  }
  wrong.push(...(await page.evaluate(() => sessionStorage.noted ?? '')).split('\n').filter(Boolean))
  say({ wrong })
} finally {
  await browser.close()
}
process.exit()
