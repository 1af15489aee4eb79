/* Times: ages that grow by the second, wall times in the operator's zone. The server writes UTC. */
(() => {
  "use strict";
  const { read, write } = window.switchroom;
  const local = () => read("zone", "local") === "local";

  const age = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return s + "s";
    if (s < 3600) return Math.floor(s / 60) + "m";
    const [major, minor, a, b] = s < 86400 ? [3600, 60, "h", "m"] : [86400, 3600, "d", "h"];
    const rest = Math.floor((s % major) / minor);
    return Math.floor(s / major) + a + (rest ? " " + rest + b : "");
  };
  const two = (n) => String(n).padStart(2, "0");
  const wall = (at, form) => {
    const [h, m, s] = local() ? [at.getHours(), at.getMinutes(), at.getSeconds()] : [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
    const minutes = two(h) + ":" + two(m);
    if (form === "minutes") return minutes;
    const text = minutes + ":" + two(s);
    return form === "seconds" ? text : text + "." + String(at.getMilliseconds()).padStart(3, "0");
  };
  const day = (at) => local()
    ? at.getFullYear() + "-" + two(at.getMonth() + 1) + "-" + two(at.getDate())
    : at.toISOString().slice(0, 10);

  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const when = (element) => new Date(element.getAttribute("datetime") || Number(element.dataset.at) * 1000);

  const ages = () => {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[data-ago]")) put(element, age((now - when(element)) / 1000));
    for (const element of document.querySelectorAll("time[data-until]")) put(element, age((when(element) - now) / 1000));
  };
  const walls = () => {
    for (const element of document.querySelectorAll("[data-clock]")) put(element, wall(when(element), element.dataset.clock));
    for (const element of document.querySelectorAll("[data-day]")) put(element, day(when(element)));
    const zone = local() ? "local" : "UTC";
    for (const element of document.querySelectorAll("[data-zone]")) put(element, zone);
    for (const element of document.querySelectorAll("[data-zone-name]")) put(element, local() ? "Local" : "UTC");
  };

  const isFresh = () => !["stale", "offline", "paused"].includes(document.documentElement.dataset.connection);
  setInterval(() => { if (!document.hidden && isFresh()) ages(); }, 1000);
  document.addEventListener("DOMContentLoaded", () => { ages(); walls(); });
  document.addEventListener("htmx:after:swap", () => { if (isFresh()) ages(); walls(); });
  document.addEventListener("pointerover", (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (time && !time.title) time.title = time.getAttribute("datetime");
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-zone-switch]")) return;
    write("zone", local() ? "utc" : "local");
    walls();
  });
  window.switchroom.wall = wall;
})();
