/* The server's event log while it is followed: new rows wait while the operator pauses or reads further down. */
(() => {
  "use strict";
  const AWAY_PX = 160;   /* so far down that rows coming in above would push what is being read */
  let held = 0;

  const log = () => document.getElementById("server-log");
  const isPaused = () => document.documentElement.dataset.connection === "paused";
  const isAway = () => log() && log().getBoundingClientRect().top < -AWAY_PX;

  const paint = () => {
    const button = document.getElementById("held");
    if (!button) return;
    button.hidden = !held;
    button.firstElementChild.textContent = `${held.toLocaleString("en-US")} new ${held === 1 ? "event" : "events"}. Resume`;
  };

  document.addEventListener("htmx:sse:before:message", (event) => {
    if (!log() || !(isPaused() || isAway())) return;
    const html = event.detail.message?.data ?? "";
    held += html.split('<tr id="g-').length - 1;
    event.detail.cancelled = true;
    paint();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#held")) return;
    held = 0;
    paint();
    scrollTo({ top: 0 });
    if (isPaused()) window.switchroom.pause();
    else window.switchroom.refetch();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.target?.id === "list" || !event.detail.ctx.target?.isConnected) { held = 0; paint(); }
  });
  /* Back at the top by hand: the same as pressing the button. */
  document.addEventListener("scrollend", () => { if (held && !isPaused() && !isAway()) document.getElementById("held")?.click(); });
})();
