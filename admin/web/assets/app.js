// What pages do beyond what a browser does by itself. Everything works without it, only with more steps.
"use strict";

const panel = () => document.getElementById("panel");

// A link to a panel opens it beside the page: htmx has fetched it by then.
document.addEventListener("htmx:afterSwap", (e) => {
  const d = panel();
  if (e.detail.target !== d) return;
  if (!d.open) {
    d.returnTo = document.activeElement;
    d.showModal();
  }
  const first = d.querySelector("[aria-invalid=true], [autofocus], input:not([type=hidden])");
  if (first) first.focus();
});

document.addEventListener("click", (e) => {
  const t = e.target.closest("[data-close], [data-copy], [data-dismiss], [data-all]");
  if (!t) {
    if (e.target === panel()) closePanel();
    return;
  }
  if (t.hasAttribute("data-close")) {
    if (!panel().open) return;
    e.preventDefault();
    closePanel();
  } else if (t.hasAttribute("data-copy")) {
    copy(t);
  } else if (t.hasAttribute("data-dismiss")) {
    t.closest(".toast").remove();
  } else if (t.hasAttribute("data-all")) {
    for (const box of t.closest("form").querySelectorAll("input[type=checkbox][name=" + t.dataset.all + "]")) box.checked = t.checked;
    counted(t.closest("form"));
  }
});

function closePanel() {
  const d = panel();
  d.close();
  if (d.dataset.changed) location.reload();
  else if (d.returnTo) d.returnTo.focus();
}
document.addEventListener("close", (e) => {
  if (e.target === panel() && panel().dataset.changed) location.reload();
}, true);

// Somebody was created in the panel, which stays open: the list behind it is old.
document.addEventListener("htmx:afterSettle", () => {
  const d = panel();
  if (d && d.querySelector("[data-made]")) d.dataset.changed = "1";
});

async function copy(button) {
  const input = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    input.select();
    document.execCommand("copy");
  }
  const label = button.querySelector("span");
  const was = label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => { label.textContent = was; }, 2000);
}

// The number of people that are ticked.
function counted(form) {
  const out = form.querySelector("[data-count]");
  if (!out) return;
  const n = form.querySelectorAll("tbody input[type=checkbox]:checked").length;
  out.textContent = n ? n : "";
}
document.addEventListener("change", (e) => {
  const form = e.target.closest("form");
  if (e.target.type === "checkbox" && form) counted(form);
  if (e.target.matches("[data-submit]")) form.requestSubmit();
});

// A new colleague's address follows the e-mail address until it is written by hand.
document.addEventListener("input", (e) => {
  const form = e.target.closest("form");
  if (!form) return;
  const name = form.querySelector("input[data-from]");
  if (!name) return;
  if (e.target === name) { name.dataset.own = "1"; return; }
  if (name.dataset.own) return;
  const email = form.elements.email ? form.elements.email.value : "";
  const full = form.elements.full_name ? form.elements.full_name.value : "";
  const base = email.includes("@") ? email.split("@")[0] : full.trim().split(/\s+/).join(".");
  name.value = base.normalize("NFD").toLowerCase().replace(/[^a-z0-9._-]/g, "").replace(/\.+/g, ".").replace(/^\.|\.$/g, "");
});

// A password that is chosen is typed twice: the browser says when the two differ, before the form is sent.
document.addEventListener("input", (e) => {
  const form = e.target.closest("form");
  const again = form && form.querySelector("input[data-same]");
  if (!again) return;
  const other = form.elements.password;
  again.setCustomValidity(again.value && again.value !== other.value ? again.dataset.same : "");
});

// What is ticked in a picker stays in sight while other words bring another list.
document.addEventListener("htmx:beforeSwap", (e) => {
  const found = e.detail.target;
  if (!found.matches("[data-found]") || !e.detail.shouldSwap) return;
  const chosen = found.parentElement.querySelector("[data-chosen]");
  for (const box of found.querySelectorAll("input:checked")) chosen.append(box.closest("label"));
});
document.addEventListener("htmx:afterSwap", (e) => {
  const found = e.detail.target;
  if (!found.matches("[data-found]")) return;
  const have = new Set([...found.parentElement.querySelectorAll("[data-chosen] input")].map((box) => box.value));
  for (const box of found.querySelectorAll("label input")) if (have.has(box.value)) box.closest("label").remove();
});
// Enter in its field looks, and does not send the form.
document.addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || !e.target.matches("[data-picker] input[type=search]")) return;
  e.preventDefault();
  e.target.dispatchEvent(new Event("search"));
});

// Dialogs that every page has: one goes anywhere, one tells the keys. Their buttons are no use without scripts.
for (const b of document.querySelectorAll("[data-open]")) b.hidden = false;
document.addEventListener("click", (e) => {
  const b = e.target.closest("[data-open], [data-shut]");
  if (b && b.dataset.open) openDialog(b.dataset.open);
  else if (b) b.closest("dialog").close();
  else if (e.target.matches("dialog.palette, dialog.keys")) e.target.close();
});
function openDialog(id) {
  const d = document.getElementById(id);
  if (!d || d.open) return;
  d.showModal(); // the browser gives the focus back when it is closed
  const q = document.getElementById("palette-q");
  if (id !== "palette") return;
  q.select();
  q.dispatchEvent(new Event("opened"));
}
// Enter opens the first that was found; without any it searches, as it does without scripts.
document.addEventListener("submit", (e) => {
  const first = e.target.matches("#palette form") && document.querySelector("#palette-list a");
  if (!first) return;
  e.preventDefault();
  first.click();
});
// In the palette arrows walk through what was found, and whoever writes on is back in the field.
function walkPalette(e) {
  const q = document.getElementById("palette-q");
  const links = [...document.querySelectorAll("#palette-list a")];
  const at = links.indexOf(document.activeElement);
  if (e.key === "ArrowDown" && links.length) links[Math.min(links.length - 1, at + 1)].focus();
  else if (e.key === "ArrowUp" && at > 0) links[at - 1].focus();
  else if (e.key === "ArrowUp") q.focus();
  else {
    if (at >= 0 && e.key.length === 1 && !e.ctrlKey && !e.metaKey) q.focus();
    return;
  }
  e.preventDefault();
}

document.addEventListener("keydown", (e) => {
  if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === "k" && !document.querySelector("dialog[open]")) {
    e.preventDefault();
    openDialog("palette");
    return;
  }
  if (e.target.closest("#palette[open]")) {
    walkPalette(e);
    return;
  }
  const writing = e.target.closest("input, textarea, select, [contenteditable]");
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target.matches("textarea[data-send]")) {
    e.target.form.requestSubmit();
    return;
  }
  if (writing || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  const go = (selector) => {
    const el = document.querySelector(selector);
    if (!el) return;
    e.preventDefault();
    if (el.matches("input")) el.focus(); else el.click();
  };
  if (e.key === "/") go("main input[type=search]");
  else if (e.key === "?") openDialog("keys");
  else if (e.key === "n") go("[data-key=n]");
  else if (e.key === "j" || e.key === "k") step(e, e.key === "j" ? 1 : -1);
});

// j and k go from one row of a list to the next.
function step(e, by) {
  const rows = ["tbody .person a", "tbody td.tick input", "main .group-card", "main .message time a", "main .list a"];
  const links = rows.map((s) => [...document.querySelectorAll(s)]).find((found) => found.length);
  if (!links) return;
  e.preventDefault();
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + by))].focus();
}

// On a narrow window the tab that one is on may be out of view.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const bar = tab.parentElement;
  if (bar.scrollWidth > bar.clientWidth) bar.scrollLeft = tab.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
}

// A toast stays for ten seconds, and for as long as somebody is at it.
for (const t of document.querySelectorAll(".toast:not(.error)")) {
  let timer;
  const hold = () => clearTimeout(timer);
  const go = () => { hold(); timer = setTimeout(() => t.remove(), 10000); };
  for (const on of ["mouseenter", "focusin"]) t.addEventListener(on, hold);
  for (const off of ["mouseleave", "focusout"]) t.addEventListener(off, go);
  go();
}
const end = document.getElementById("end");
if (end && (location.hash === "#end" || !location.hash) && !document.querySelector(".message.here") && end.hasAttribute("data-scroll")) end.scrollIntoView({ block: "nearest" });

// Time zones by name, and the browser's for who has chosen none.
for (const input of document.querySelectorAll("input[data-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (input.hasAttribute("data-propose") && own) input.value = own;
  for (const name of Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : []) input.list.append(new Option(name, name));
}
