/* Chosen rows of the sessions list: kept by id over paging and live updates, for one filter. */
(() => {
  "use strict";
  const KEY = "switchroom.selection";
  const MOST = 500;   /* ids in one address; more are chosen with "Select all" */
  const MOST_EXCEPT = 40;   /* exceptions become a term of the filter, which takes 50 */
  const NEAR = 100;   /* from here on the bar says how many more can be chosen, */
  const NEAR_EXCEPT = 10;   /* or left out */
  const none = (filter) => ({ filter, ids: [], all: false, except: [], verbs: {} });
  const form = () => document.getElementById("bulk-form");
  const number = (n) => n.toLocaleString("en-US");
  let last = null;

  const load = () => {
    const filter = form()?.dataset.filter ?? "";
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(KEY)); } catch { /* nothing kept */ }
    if (kept && kept.filter === filter) return { ...none(filter), ...kept };
    if (kept && (kept.ids.length || kept.all)) window.switchroom.toast("The filter changed, so the selection was cleared.");
    const fresh = none(filter);
    save(fresh);
    return fresh;
  };
  const save = (chosen) => { try { sessionStorage.setItem(KEY, JSON.stringify(chosen)); } catch { /* this page only */ } };
  const isChosen = (chosen, id) => (chosen.all ? !chosen.except.includes(id) : chosen.ids.includes(id));
  const size = (chosen) => (chosen.all ? Number(form().dataset.total) - chosen.except.length : chosen.ids.length);

  const paint = () => {
    if (!document.getElementById("bulk")) return;
    const chosen = load();
    const picks = [...form().querySelectorAll(".pick")];
    for (const pick of picks) pick.checked = isChosen(chosen, pick.value);
    const here = picks.filter((pick) => pick.checked).length;
    const page = document.getElementById("pick-page");
    page.checked = here > 0 && here === picks.length;
    page.indeterminate = here > 0 && here < picks.length;
    const n = size(chosen);
    const total = Number(form().dataset.total);
    const bar = document.getElementById("bulk");
    if (n) bar.dataset.open = "yes"; else delete bar.dataset.open;
    document.getElementById("bulk-count").textContent = chosen.all && !chosen.except.length ? `All ${number(n)} matching selected` : `${number(n)} selected`;
    const all = document.getElementById("bulk-all");
    all.hidden = chosen.all || total <= n;
    all.textContent = `Select all ${number(total)} matching`;
    document.querySelector("#bulk-expire span").textContent = `Expire ${number(n)}…`;
    offer(chosen, picks);
  };

  /* Only what applies to every chosen row is offered; the rest says why not. With "Select all" the server counts. */
  const offer = (chosen, picks) => {
    for (const pick of picks) if (chosen.ids.includes(pick.value)) chosen.verbs[pick.value] = pick.dataset.verbs;
    save(chosen);
    const missing = (verb) => (chosen.all ? 0 : chosen.ids.filter((id) => !(chosen.verbs[id] ?? "").includes(verb)).length);
    const [ended, untold, quiet] = [missing("e"), missing("b"), missing("c")];
    document.getElementById("bulk-expire").hidden = ended > 0;
    document.getElementById("bulk-broadcast").hidden = untold > 0;
    document.getElementById("bulk-cancel").hidden = !chosen.all && quiet === chosen.ids.length;
    const why = document.getElementById("bulk-why");
    const room = chosen.all ? MOST_EXCEPT - chosen.except.length : MOST - chosen.ids.length;
    const isNear = room <= (chosen.all ? NEAR_EXCEPT : NEAR);
    why.hidden = !ended && !untold && !isNear;
    if (ended) why.textContent = `${number(ended)} ${ended === 1 ? "has" : "have"} ended`;
    else if (untold) why.textContent = `${number(untold)} cannot be told`;
    else if (isNear) why.textContent = chosen.all ? `${room} more can be left out` : `${room} more can be chosen one by one`;
  };

  const choose = (id, on) => {
    const chosen = load();
    const list = chosen.all ? chosen.except : chosen.ids;
    const isListed = chosen.all ? !on : on;
    const at = list.indexOf(id);
    if (isListed && at < 0) list.push(id);
    if (!isListed && at >= 0) list.splice(at, 1);
    if (chosen.ids.length > MOST) { chosen.ids.length = MOST; window.switchroom.toast(`At most ${MOST} sessions can be chosen one by one. Narrow the filter and use "Select all".`, "bad"); }
    if (chosen.except.length > MOST_EXCEPT) { chosen.except.length = MOST_EXCEPT; window.switchroom.toast(`At most ${MOST_EXCEPT} sessions can be left out one by one. Narrow the filter instead.`, "bad"); }
    save(chosen);
  };
  const clear = () => { save(none(form()?.dataset.filter ?? "")); paint(); };

  const chooseRange = (pick) => {
    const picks = [...form().querySelectorAll(".pick")];
    const from = picks.findIndex((other) => other.value === last);
    const to = picks.indexOf(pick);
    for (const other of picks.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1)) choose(other.value, pick.checked);
  };

  const address = (path) => {
    const chosen = load();
    const query = new URLSearchParams();
    if (chosen.all) {
      query.set("q", chosen.filter);
      query.set("all", "1");
      for (const id of chosen.except) query.append("except", id);
    } else for (const id of chosen.ids) query.append("id", id);
    return `${path}?${query}`;
  };

  let wasShift = false;
  document.addEventListener("click", (event) => {
    wasShift = event.shiftKey;
    const target = event.target.closest?.("#bulk-all, #bulk-clear");
    if (!target) return;
    if (target.id === "bulk-clear") clear();
    else { const chosen = load(); save({ ...none(chosen.filter), all: true }); paint(); }
  });
  document.addEventListener("change", (event) => {
    const pick = event.target;
    if (pick.id === "pick-page") for (const other of form().querySelectorAll(".pick")) choose(other.value, pick.checked);
    else if (!pick.classList?.contains("pick")) return;
    else if (wasShift && last) chooseRange(pick);
    else choose(pick.value, pick.checked);
    last = pick.value;
    paint();
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    const button = event.submitter;
    const path = new URL(button?.hasAttribute("formaction") ? button.formAction : form().action).pathname;
    if (!size(load())) return;
    if (button?.id === "bulk-broadcast" || button?.id === "bulk-export") location.href = address(path);
    else window.switchroom.openDialog(address(path));
  });
  document.addEventListener("selection:clear", clear);
  document.addEventListener("DOMContentLoaded", () => {
    if (!form()) return;
    paint();
    remember();
  });
  const remember = () => {
    const ids = [...document.querySelectorAll(".sessions tbody tr")].map((row) => row.id.slice(2));
    try { sessionStorage.setItem("switchroom.order", JSON.stringify(ids)); } catch { /* no previous and next, then */ }
  };
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx.target;
    if (form() && (target?.id === "list" || target === "#list" || !target?.isConnected)) { paint(); remember(); }
  });
  Object.assign(window.switchroom, { clearSelection: clear, hasSelection: () => Boolean(form() && size(load())) });
})();
