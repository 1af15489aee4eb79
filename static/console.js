/* First in the head, so that the theme is set before anything is painted. Small services for the other
   files: preferences, announcements, notices, copying. Everything listens on `document`. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const read = (name, fallback) => {
    try { return localStorage.getItem("switchroom." + name) ?? fallback; } catch { return fallback; }
  };
  const write = (name, value) => {
    try { localStorage.setItem("switchroom." + name, value); } catch { /* a private window: for this page only */ }
  };

  const THEMES = ["system", "light", "dark"];
  const applyTheme = (theme) => {
    if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme;
    const label = document.querySelector("[data-theme-name]");
    if (label) label.textContent = theme[0].toUpperCase() + theme.slice(1);
  };
  applyTheme(read("theme", "system"));

  let announcedAt = -Infinity;
  let waiting = 0;
  const announce = (text) => {
    clearTimeout(waiting);
    const wait = announcedAt + 10_000 - performance.now();
    if (wait > 0) { waiting = setTimeout(() => announce(text), wait); return; }
    announcedAt = performance.now();
    const region = document.getElementById("announce");
    if (region) region.textContent = text;
  };

  const toast = (text, tone = "") => {
    const box = document.createElement("div");
    const words = document.createElement("p");
    box.className = "toast " + tone;
    words.textContent = text;
    box.append(words);
    document.getElementById("toasts")?.append(box);
  };

  window.switchroom = { read, write, announce, toast, at: (path) => root.dataset.prefix + path };

  const settle = (box) => {
    if (box.dataset.settled) return;
    box.dataset.settled = "yes";
    announce(box.textContent.trim());
    const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : box.remove());
    setTimeout(leave, 9000);
  };

  const textOf = async (button) => {
    const { copyUrl, copyOf, copy: given } = button.dataset;
    if (copyUrl) return (await fetch(copyUrl)).text();   /* what is shown is cut: all of it is fetched */
    const source = document.getElementById(copyOf);
    if (!source) return given || location.href;
    return [...source.querySelectorAll(".l")].map((line) => line.textContent).join("\n");
  };
  const copy = async (button) => {
    try { await navigator.clipboard.writeText(await textOf(button)); toast("Copied."); } catch { toast("The browser refused to copy.", "bad"); }
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-copy], [data-copy-of], [data-theme-switch], [data-dismiss]");
    if (!target) return;
    if (target.matches("[data-dismiss]")) target.closest(".toast")?.remove();
    else if (target.matches("[data-copy], [data-copy-of]")) copy(target);
    else {
      const next = THEMES[(THEMES.indexOf(read("theme", "system")) + 1) % THEMES.length];
      write("theme", next);
      applyTheme(next);
    }
  });

  /* Where a row of tabs is wider than the page, the current one is not left out of sight. */
  const showCurrent = (strip) => {
    const current = strip.querySelector("[aria-current]");
    if (current && strip.scrollWidth > strip.clientWidth) strip.scrollLeft = current.offsetLeft - strip.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
  };

  document.addEventListener("DOMContentLoaded", () => {
    applyTheme(read("theme", "system"));
    for (const strip of document.querySelectorAll(".tabs, .facets > ul")) showCurrent(strip);
    const toasts = document.getElementById("toasts");
    if (!toasts) return;
    new MutationObserver(() => toasts.querySelectorAll(".toast").forEach(settle)).observe(toasts, { childList: true });
  });
})();
