/* The page's one stream: what state it is in, what to do when it goes quiet, pausing and catching up. */
(() => {
  "use strict";
  const root = document.documentElement;
  const { announce, at, wall } = window.switchroom;
  const QUIET_MS = 12_000;   /* the server sends a heartbeat every 5 s */
  const BANNER_MS = 3_000;   /* a short reconnect is not worth a banner */
  const GOING_MS = 3_000;    /* how long the next page may take; after a download this one stays, and connects again */
  const WORDS = { connecting: "Connecting", live: "Live", stale: "Reconnecting", offline: "Reconnecting", paused: "Paused" };

  let state = "connecting";
  let connection = null;
  let heardAt = Date.now();
  let lostAt = 0;
  let pausedAt = 0;
  let attempt = 0;
  let isLeaving = false;
  let goingAt = -Infinity;
  let refetchedAt = -Infinity;

  const isGoing = () => performance.now() - goingAt < GOING_MS;
  const isLink = (element) => element?.classList?.contains("live-link");
  const set = (next) => {
    if (next !== "live" && isGoing()) return;   /* Firefox breaks streams off while the page is still there */
    if (next !== "live" && next !== "paused" && !lostAt) lostAt = Date.now();
    if (next === "live") { if (root.dataset.connection === "offline") announce("Live updates are back."); lostAt = 0; attempt = 0; }
    state = next;
    paint();
  };

  const paint = () => {
    const isFollowing = Boolean(document.querySelector(".live-link"));
    const shown = pausedAt ? "paused" : isFollowing ? state : "none";
    root.dataset.connection = shown;
    const control = document.getElementById("live-state");
    if (!control) return;
    control.hidden = !isFollowing;
    control.dataset.state = shown;
    const behind = Math.round((Date.now() - pausedAt) / 1000);
    const word = pausedAt ? `Paused, ${behind} s behind` : WORDS[state];
    const label = document.getElementById("live-word");
    if (label.textContent !== word) label.textContent = word;
    const button = document.getElementById("live-pause");
    button.setAttribute("aria-pressed", String(Boolean(pausedAt)));
    button.setAttribute("aria-label", pausedAt ? "Resume live updates" : "Pause live updates");
    banner();
  };

  const banner = () => {
    const box = document.getElementById("banner");
    const lost = lostAt && !pausedAt && root.dataset.connection !== "none" ? Date.now() - lostAt : 0;
    const isShown = lost > BANNER_MS && !document.hidden;
    if (isShown && box.hidden) announce("Live updates stopped. Reconnecting.");
    box.hidden = !isShown;
    if (!isShown) return;
    document.getElementById("banner-lead").textContent = `Live updates stopped ${Math.round((Date.now() - heardAt) / 1000)} s ago.`;
    const tries = attempt > 1 ? `, attempt ${attempt}` : "";
    document.getElementById("banner-rest").textContent = `Showing data from ${wall(new Date(heardAt), "seconds")}. Reconnecting${tries}.`;
  };

  const signIn = () => {
    if (isLeaving) return;
    isLeaving = true;
    location.href = at("/login") + "?next=" + encodeURIComponent(location.pathname + location.search);
  };

  const retry = () => {
    if (connection?.delayCanceller) connection.delayCanceller();
    else document.dispatchEvent(new Event("visibilitychange"));
  };

  const refetch = () => {
    const region = document.querySelector("[data-region]");
    if (!region || performance.now() - refetchedAt < 2000) return;
    refetchedAt = performance.now();
    const selector = "#" + region.id;
    window.htmx.ajax("GET", location.pathname + location.search, {
      source: region, target: selector, select: selector, swap: "outerHTML", selectOOB: region.dataset.region || undefined,
    });
  };

  const pause = () => {
    pausedAt = pausedAt ? 0 : Date.now();
    if (!pausedAt) { refetch(); retry(); }
    paint();
  };

  document.addEventListener("htmx:config:request", (event) => {
    const source = event.detail.ctx.sourceElement;
    if (isLink(source) && (document.hidden || pausedAt)) event.preventDefault();
  });
  document.addEventListener("htmx:sse:before:connection", (event) => {
    connection = event.detail.connection;
    attempt = connection.attempt;
    if (attempt > 0) set("stale");
  });
  document.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
    heardAt = Date.now();
    set("live");
    /* The extension hears of a tab that is hidden only while it reads: one hidden while it connected would stay open. */
    const { visibilityHandler } = connection;
    if (document.hidden && visibilityHandler) setTimeout(visibilityHandler);
  });
  document.addEventListener("htmx:sse:before:message", (event) => {
    heardAt = Date.now();
    if (state !== "live") set("live");
    if (pausedAt) event.detail.cancelled = true;
  });
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) signIn();
    else if (!document.hidden) set("offline");
  });
  document.addEventListener("htmx:sse:close", (event) => { if (event.detail.connection === connection) connection = null; });
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status === 401) signIn();
    else if (isLink(ctx.sourceElement)) set("offline");
  });
  document.addEventListener("htmx:error", (event) => { if (isLink(event.detail.ctx?.sourceElement)) set("offline"); });
  document.addEventListener("resync", refetch);

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("#live-pause, #banner-retry, [data-refresh]");
    if (!target) return;
    if (target.id === "live-pause") pause();
    else if (target.id === "banner-retry") retry();
    else { event.preventDefault(); refetchedAt = -Infinity; history.replaceState(history.state, "", target.href); refetch(); }
  });
  window.addEventListener("online", retry);
  window.addEventListener("beforeunload", () => { goingAt = performance.now(); });
  setInterval(() => {
    if (state === "live" && !document.hidden && !pausedAt && Date.now() - heardAt > QUIET_MS) {
      set("stale");
      connection?.reader?.cancel();
    }
    if (pausedAt || lostAt) paint();
  }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) heardAt = Date.now(); });
  document.addEventListener("DOMContentLoaded", paint);
  document.addEventListener("htmx:after:swap", () => {
    if (root.dataset.connection !== "none" && !document.querySelector(".live-link")) paint();
  });
  Object.assign(window.switchroom, { pause, refetch });
})();
