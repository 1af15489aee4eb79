/* Completion below a filter field, and drop-down boxes. The field is a combobox (WAI-ARIA) over a list that the server renders. */
(() => {
  "use strict";
  let asked = 0;
  let timer = 0;

  const field = () => document.querySelector("input[data-suggest]");
  const list = () => document.getElementById("suggestions");
  const options = () => [...(list()?.children ?? [])];
  const active = () => options().find((option) => option.getAttribute("aria-selected") === "true");

  const close = () => {
    const box = list();
    clearTimeout(timer);
    asked += 1;
    if (!box || box.hidden) return;
    box.hidden = true;
    box.replaceChildren();
    field()?.setAttribute("aria-expanded", "false");
    field()?.removeAttribute("aria-activedescendant");
  };
  const point = (option) => {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (option) { field().setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
    else field().removeAttribute("aria-activedescendant");
  };
  const ask = async () => {
    const input = field();
    const mine = asked += 1;
    const url = input.dataset.suggest + (input.dataset.suggest.includes("?") ? "&" : "?") + "add=" + encodeURIComponent(input.value);
    const answer = await fetch(url, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || mine !== asked || document.activeElement !== input) return;
    const markup = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    list().replaceChildren(...markup.querySelectorAll("[role=option]"));
    const isEmpty = !list().children.length;
    list().hidden = isEmpty;
    input.setAttribute("aria-expanded", String(!isEmpty));
    point(null);
  };
  const soon = (wait) => { clearTimeout(timer); timer = setTimeout(ask, wait); };

  const take = (option) => {
    const input = field();
    const isWhole = option.hasAttribute("data-whole");
    input.value = option.dataset.text;
    input.focus();
    close();
    if (isWhole) input.form.requestSubmit(input.form.querySelector("[name=apply]"));
    else { input.dispatchEvent(new Event("input", { bubbles: true })); soon(0); }
  };

  document.addEventListener("focusin", (event) => {
    if (!event.target.matches?.("input[data-suggest]")) return;
    const attributes = { role: "combobox", "aria-controls": "suggestions", "aria-autocomplete": "list", "aria-expanded": "false" };
    for (const [name, value] of Object.entries(attributes)) if (!event.target.hasAttribute(name)) event.target.setAttribute(name, value);
    soon(0);
  });
  document.addEventListener("focusout", (event) => { if (event.target.matches?.("input[data-suggest]")) close(); });
  document.addEventListener("input", (event) => { if (event.target.matches?.("input[data-suggest]")) soon(60); });
  document.addEventListener("submit", (event) => { if (event.target.contains?.(field())) close(); });
  /* Not `click`: the field would lose its focus, and the list with it, before that. */
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("#suggestions [role=option]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("input[data-suggest]")) return;
    const shown = options();
    if (event.key === "Escape" && shown.length) { event.preventDefault(); event.stopPropagation(); close(); return; }
    if (event.key === "ArrowDown" && !shown.length) { soon(0); return; }
    if (!shown.length) return;
    const index = shown.indexOf(active());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      point(shown[(index < 0 ? (step > 0 ? 0 : shown.length - 1) : index + step + shown.length) % shown.length]);
    } else if (event.key === "Enter" && active()) { event.preventDefault(); take(active()); }
    else if (event.key === "Tab" && !event.shiftKey && active()) { event.preventDefault(); take(active()); }
  }, true);

  /* Drop-down boxes close like menus do; without this file they are plain <details>. */
  document.addEventListener("click", (event) => {
    for (const box of document.querySelectorAll("details.drop[open]")) if (!box.contains(event.target)) box.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const box = event.key === "Escape" && event.target.closest?.("details.drop[open]");
    if (!box) return;
    event.stopPropagation();
    box.open = false;
    box.querySelector("summary").focus();
  }, true);
})();
