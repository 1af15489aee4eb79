/* One-key commands. Silent while typing, and switched off in the Shortcuts dialog (WCAG 2.1.4). */
(() => {
  "use strict";
  const { at, read, write } = window.switchroom;
  const GO = { o: "/", s: "/sessions", c: "/clients", i: "/calls", e: "/events", b: "/broadcasts", a: "/audit", h: "/health", u: "/operators" };
  let pendingGo = 0;

  const rows = () => [...document.querySelectorAll("main tbody tr")].map((row) => row.querySelector("a.ref, .at a") ?? row.querySelector("a[href]"))
    .filter((link) => link?.checkVisibility());
  const here = () => document.activeElement?.closest?.("main tbody tr");
  const move = (step) => {
    const links = rows();
    if (!links.length) return;
    const index = links.findIndex((link) => link.closest("tr") === here());
    const next = links[Math.min(links.length - 1, Math.max(0, index < 0 ? 0 : index + step))];
    next.focus({ focusVisible: true });
    next.closest("tr").scrollIntoView({ block: "nearest" });
  };
  const pick = (shiftKey) => {
    const box = here()?.querySelector(".pick");
    box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
  };
  const press = (name) => {
    const control = document.querySelector(`[data-key="${name}"]`);
    control?.click();
    return Boolean(control);
  };
  const act = (name, button) => {
    if (window.switchroom.hasSelection?.()) { document.getElementById(button)?.click(); return; }
    const id = here()?.querySelector(".pick")?.value;
    if (id) window.switchroom.openDialog(at(`/sessions/${encodeURIComponent(id)}/${name === "e" ? "expiration" : "messages"}`));
    else press(name);
  };
  const neighbour = (step) => {
    const id = location.pathname.slice(at("/sessions/").length).split("/")[0];
    let order = [];
    try { order = JSON.parse(sessionStorage.getItem("switchroom.order")) || []; } catch { /* opened directly */ }
    const next = order[order.indexOf(id) + step];
    if (order.includes(id) && next) location.href = location.pathname.replace(id, next);
  };

  const COMMANDS = {
    "/": () => document.getElementById("goto")?.focus(),
    f: () => document.getElementById("add")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    x: () => pick(false),
    X: () => pick(true),
    "*": () => document.getElementById("pick-page")?.click(),
    e: () => act("e", "bulk-expire"),
    b: () => act("b", "bulk-broadcast"),
    r: () => {
      const pill = document.querySelector("[data-refresh]");
      if (pill) pill.click(); else window.switchroom.refetch();
    },
    " ": () => (window.switchroom.playback.isHere() ? window.switchroom.playback.toggle() : window.switchroom.pause()),
    "[": () => neighbour(-1),
    "]": () => neighbour(1),
    y: () => press("y"),
    "?": () => window.switchroom.openDialog(at("/shortcuts")),
    g: () => { pendingGo = Date.now(); },
  };
  for (let tab = 1; tab <= 8; tab += 1) COMMANDS[tab] = () => document.querySelectorAll(".tabs a")[tab - 1]?.click();

  const isTyping = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (isTyping(event.target)) event.target.blur();
      else if (!document.querySelector("dialog[open]") && location.hash === "#rail") location.hash = "main";
      else if (!document.querySelector("dialog[open]")) window.switchroom.clearSelection?.();
      return;
    }
    if (isTyping(event.target) || read("keys", "on") === "off" || document.querySelector("dialog[open]")) return;
    if (event.key === " " && event.target.closest("button, a, summary, input")) return;
    if (pendingGo && Date.now() - pendingGo < 1500 && GO[event.key]) { location.href = at(GO[event.key]); return; }
    pendingGo = 0;
    const command = COMMANDS[event.key];
    if (!command) return;
    event.preventDefault();
    command();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "keys-on") write("keys", event.target.checked ? "on" : "off");
  });
  document.addEventListener("htmx:after:swap", () => {
    const box = document.getElementById("keys-on");
    if (box) box.checked = read("keys", "on") === "on";
  });
  /* Not `autofocus`: a telephone would scroll to the field and open its keyboard over what stands above it. */
  document.addEventListener("DOMContentLoaded", () => {
    if (matchMedia("(min-width: 860px)").matches) document.querySelector("[data-focus]")?.focus({ preventScroll: true });
  });
})();
