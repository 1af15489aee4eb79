// Drives a TypeScript client for a test, one JSON object per line: commands come in, answers and events go out.
// Arguments: the SDK's major version, the server's address, the era, and the client's name.

import { createInterface } from 'node:readline'

const [major, url, era, name] = process.argv.slice(2)

const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')
const tell = (event, value) => say({ event, value })

const sdk =
  major === '1'
    ? {
        ...(await import('@modelcontextprotocol/sdk/client/index.js')),
        ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
      }
    : await import('@modelcontextprotocol/client')

const options = era === 'modern' ? { versionNegotiation: { mode: 'auto' } } : {}
const client = new sdk.Client({ name, version: '1.0' }, options)
const transport = new sdk.StreamableHTTPClientTransport(new URL(url))

client.onerror = (error) => tell('trouble', error.message)
client.fallbackNotificationHandler = async (notification) => {
  if (notification.method === 'notifications/message') tell('log', notification.params.data)
  if (notification.method === 'notifications/resources/updated') tell('updated', notification.params.uri)
}

async function call({ tool, arguments: given }) {
  const onprogress = (progress) => tell('progress', progress.progress)
  const parameters = { name: tool, arguments: given }
  const result =
    major === '1'
      ? await client.callTool(parameters, undefined, { onprogress })
      : await client.callTool(parameters, { onprogress })
  return result.content[0].text
}

const commands = {
  list: async () => (await client.listTools()).tools.map((tool) => tool.name),
  call,
  listen: async ({ uri }) => {
    await client.listen({ resourceSubscriptions: [uri] })
    return uri
  },
  end: async () => {
    // Fails where the server has ended the session already.
    if (era !== 'modern') await transport.terminateSession().catch(() => {})
    await client.close()
  },
}

async function obey({ number, command, ...details }) {
  try {
    say({ number, value: (await commands[command](details)) ?? null })
  } catch (error) {
    say({ number, error: error.message })
  }
}

await client.connect(transport)
const protocol = transport.protocolVersion ?? client.getNegotiatedProtocolVersion()
tell('ready', { server: client.getServerVersion().name, protocol })
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => obey(JSON.parse(line)))
lines.on('close', () => process.exit(0))
