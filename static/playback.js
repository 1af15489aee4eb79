/* Playing a session's log: time passes here, and what had happened by then is asked of the server.
   Without this file its links step from event to event. */
(() => {
  "use strict";
  const TURN_MS = 200;
  const LONG_MS = 4_000;   /* a wait that is worth a word */
  let isPlaying = false;
  let playhead = 0;   /* milliseconds of the log's own time */
  let turnedAt = 0;
  let isAsking = false;

  const box = () => document.getElementById("playback");
  const at = (name) => Number(box()?.dataset[name] || 0) * 1000;
  const speed = () => Number(box()?.dataset.speed) || 0;
  const next = () => document.querySelector("#playback [data-key=next]");

  const paint = () => {
    const button = document.getElementById("play-toggle");
    if (!button) return;
    const isOver = !at("nextAt");
    if (isOver) isPlaying = false;
    button.disabled = isOver;
    button.setAttribute("aria-pressed", String(isPlaying));
    button.querySelector("span").textContent = isPlaying ? "Pause" : speed() ? "Play" : "Step";
    const wait = isPlaying && speed() ? (at("nextAt") - playhead) / speed() : 0;
    const note = document.getElementById("play-wait");
    if (wait > LONG_MS) note.textContent = `Next event in ${Math.ceil(wait / 1000)} s.`;
  };

  const show = async (url) => {
    if (isAsking) return;
    isAsking = true;
    try {
      await window.htmx.ajax("GET", url, { target: "#playback", select: "#playback", swap: "outerMorph" });
      const here = box()?.dataset.here;
      if (here) history.replaceState(history.state, "", here);
    } finally { isAsking = false; paint(); }
  };

  const turn = () => {
    if (!isPlaying || !box() || isAsking || document.hidden) { turnedAt = Date.now(); return; }
    const now = Date.now();
    playhead += (now - turnedAt) * speed();
    turnedAt = now;
    if (at("nextAt") && playhead >= at("nextAt")) show(`${box().dataset.here}&t=${(playhead / 1000).toFixed(3)}`);
    paint();
  };

  const toggle = () => {
    if (!box()) return;
    if (!speed()) { next()?.click(); return; }   /* step by step: one press, one event */
    isPlaying = !isPlaying && Boolean(at("nextAt"));
    playhead = at("at");
    turnedAt = Date.now();
    window.switchroom.announce(isPlaying ? "Playing." : "Paused.");
    paint();
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("#play-toggle, #playback a[data-step]");
    if (!target) return;
    if (target.id === "play-toggle") { toggle(); return; }
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(target.href).then(() => { playhead = at("at"); turnedAt = Date.now(); paint(); });
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "play-slider") document.getElementById("play-at").value = event.target.value;
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "play-slider") return;
    const address = new URL(box().dataset.here, location.href);
    address.searchParams.set("at", event.target.value);
    show(address.pathname + address.search).then(() => { playhead = at("at"); });
  });
  document.addEventListener("keydown", (event) => {
    if (!box() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog") || window.switchroom.read("keys", "on") === "off") return;
    const key = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (!key) return;
    event.preventDefault();
    document.querySelector(`#playback [data-key=${key}]`)?.click();
  });
  setInterval(turn, TURN_MS);
  document.addEventListener("DOMContentLoaded", paint);
  window.switchroom.playback = { toggle, isHere: () => Boolean(box()) };
})();
