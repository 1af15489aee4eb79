/* An event log while it is followed, a session's or the whole server's: new rows wait while the operator pauses
   or reads further down, none is shown twice, and the way to older ones moves on as rows leave the page. */
(() => {
  "use strict";
  const AWAY_PX = 160;   /* so far down that rows coming in above would push what is being read */
  const PARTS = /<hx-partial hx-target="#(?:log-rows|older-events|e-\d+)"[^>]*>.*?<\/hx-partial>/gs;
  let held = 0;
  let isHeld = false;

  const log = () => document.getElementById("server-log") || document.getElementById("log");
  const rows = () => document.getElementById("log-rows");
  const isPaused = () => document.documentElement.dataset.connection === "paused";
  const isAway = () => rows()?.dataset.keep && log().getBoundingClientRect().top < -AWAY_PX;

  const paint = () => {
    const button = document.getElementById("held");
    if (!button) return;
    button.hidden = !held;
    button.firstElementChild.textContent = `${held.toLocaleString("en-US")} new ${held === 1 ? "event" : "events"}, Resume`;
    const hold = document.querySelector("[data-hold]");
    hold?.setAttribute("aria-pressed", String(isHeld));
    hold?.setAttribute("aria-label", isHeld ? "Resume the log" : "Pause the log");
    const word = document.querySelector("[data-following]");
    const text = isHeld ? "Held" : "Following";
    if (word && word.textContent !== text) word.textContent = text;
  };

  const settle = () => {
    const list = rows();
    if (!list?.dataset.keep) return;
    const seen = new Set();
    for (const row of [...list.rows]) { if (seen.has(row.id)) row.remove(); else seen.add(row.id); }
    let last = null;
    while (list.rows.length > Number(list.dataset.keep)) { last = list.rows[list.rows.length - 1]; last.remove(); }
    const older = document.querySelector("#older-events a");
    if (!last || !older || !list.dataset.older) return;
    const address = new URL(list.dataset.older, location.href);
    address.searchParams.set("before", list.rows[list.rows.length - 1].id.slice(2));
    older.href = address.pathname + address.search;
    older.parentElement.hidden = false;
  };

  const mark = () => {
    const chosen = "e-" + new URLSearchParams(location.search).get("sel");
    for (const row of document.querySelectorAll("#log-rows tr")) {
      if (row.id === chosen) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
    }
    document.getElementById("events")?.classList.toggle("alone", Boolean(document.getElementById("inspector")?.hidden));
  };

  document.addEventListener("htmx:sse:before:message", (event) => {
    const { message } = event.detail;
    if (message?.event || !rows()?.dataset.keep || !(isPaused() || isHeld || isAway())) return;
    const html = message.data ?? "";
    const added = html.match(/<hx-partial hx-target="#log-rows".*?<\/hx-partial>/s)?.[0] ?? "";
    held += added.split(/<tr id="[eg]-/).length - 1;
    message.data = html.replace(PARTS, "");
    if (!message.data) event.detail.cancelled = true;
    paint();
  });
  const resume = () => {
    isHeld = false;
    held = 0;
    paint();
    if (isAway()) log().scrollIntoView({ block: "start" });
    if (isPaused()) window.switchroom.pause();
    else window.switchroom.refetch();
  };
  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("#held, [data-hold]");
    if (!target) return;
    if (target.id === "held" || isHeld) resume();
    else { isHeld = true; paint(); }
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { target } = event.detail.ctx;
    if (target?.hasAttribute?.("data-region") || !target?.isConnected) { held = 0; isHeld = false; paint(); }
    settle();
    mark();
  });
  document.addEventListener("htmx:after:history:update", mark);
  document.addEventListener("DOMContentLoaded", mark);
  /* Back at the top by hand: the same as pressing the button. */
  document.addEventListener("scrollend", () => { if (held && !isHeld && !isPaused() && !isAway()) resume(); });
})();
