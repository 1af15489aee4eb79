/* Dialogs, row menus, typed confirmation. Without this file their links are ordinary pages. */
(() => {
  "use strict";
  const { at } = window.switchroom;
  const box = () => document.getElementById("dlg");
  const menu = () => document.getElementById("menu");
  let opener = null;

  const focusFirst = (dialog) => {
    const wanted = dialog.querySelector("[aria-invalid=true]") || dialog.querySelector("[autofocus]");
    wanted?.focus();
  };

  const check = (form) => {
    const wanted = form.dataset.confirm;
    if (!wanted) return true;
    const isMatch = form.elements.confirm.value.trim() === wanted;
    for (const button of form.querySelectorAll("button[data-guarded]")) button.disabled = !isMatch;
    return isMatch;
  };

  const close = () => box()?.close();

  document.addEventListener("htmx:after:swap", (event) => {
    const dialog = box();
    if (!dialog || event.detail.ctx.target !== dialog || !dialog.firstElementChild) return;
    if (!dialog.open) { menu()?.hidePopover?.(); dialog.showModal(); }
    focusFirst(dialog);
  });
  const checkAll = () => document.querySelectorAll("form[data-confirm]").forEach(check);
  document.addEventListener("DOMContentLoaded", checkAll);
  document.addEventListener("htmx:after:swap", checkAll);
  document.addEventListener("dialog:close", close);
  document.addEventListener("close", (event) => {
    if (event.target !== box()) return;
    box().replaceChildren();
    const back = opener?.isConnected ? opener : document.getElementById(opener?.id || "none");
    /* The event comes a moment after the closing: somebody may be typing by now. */
    if (!document.activeElement?.matches("input, textarea")) back?.focus();
    opener = null;
  }, true);

  document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-confirm]"); if (form) check(form); });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches?.("form[data-confirm]") && !check(form)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);

  const openMenu = async (button) => {
    const list = menu();
    opener = button;
    await window.htmx.ajax("GET", at(`/sessions/${encodeURIComponent(button.dataset.menu)}/menu`), { target: "#menu", swap: "innerHTML" });
    list.showPopover();
    const from = button.getBoundingClientRect();
    const height = list.offsetHeight;
    const top = from.bottom + 4 + height > innerHeight ? Math.max(8, from.top - height - 4) : from.bottom + 4;
    list.style.top = `${top}px`;
    list.style.left = `${Math.max(8, from.right - list.offsetWidth)}px`;
    list.querySelector("a, button")?.focus();
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-menu], [data-close], [hx-target='#dlg']");
    if (!target) return;
    if (target.matches("[data-close]")) { event.preventDefault(); close(); return; }
    if (target.matches("[data-menu]")) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openMenu(target);
    } else if (!target.closest("#menu") && !target.closest("dialog")) opener = target;
  });
  document.addEventListener("keydown", (event) => {
    const item = event.target.closest?.("#menu a, #menu button");
    if (!item || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const items = [...menu().querySelectorAll("a, button")];
    const step = event.key === "ArrowDown" ? 1 : items.length - 1;
    items[(items.indexOf(item) + step) % items.length].focus();
  });
  document.addEventListener("toggle", (event) => {
    if (event.target === menu() && event.newState === "closed" && !box()?.open && menu().contains(document.activeElement)) opener?.focus();
  }, true);
  document.addEventListener("change", (event) => { if (event.target.matches?.("[data-autosubmit] select, [data-autosubmit] input[type=checkbox]")) event.target.form.requestSubmit(); });

  /* What a choice would come to is asked of the server while it is being made; the form itself stays as it is. */
  document.addEventListener("change", async (event) => {
    const form = event.target.form;
    if (!form?.dataset.plan) return;
    if (event.target.classList.contains("num")) event.target.closest(".choice").querySelector("input[type=radio]").checked = true;
    const address = `${form.dataset.plan}?${new URLSearchParams(new FormData(form))}`;
    await window.htmx.ajax("GET", address, { target: "#replay-plan", select: "#replay-plan", swap: "outerHTML" });
    const n = Number(document.getElementById("replay-plan")?.dataset.sendable || 0);
    const button = document.getElementById("replay-go");
    if (button) button.textContent = n ? `Replay ${n.toLocaleString("en-US")} ${n === 1 ? "event" : "events"}` : "Replay events";
  });

  window.switchroom.openDialog = (url) => {
    opener = document.activeElement;
    window.htmx.ajax("GET", url, { target: "#dlg", swap: "innerHTML" });
  };
})();
