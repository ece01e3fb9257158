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

document.addEventListener("keydown", (e) => {
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
  if (e.key === "/") go("input[type=search]");
  else if (e.key === "n") go("[data-key=n]");
  else if (e.key === "j" || e.key === "k") step(e, e.key === "j" ? 1 : -1);
});

// j and k go from one row of a list to the next.
function step(e, by) {
  const links = [...document.querySelectorAll("tbody .person a, .group-card, .list a")];
  if (!links.length) return;
  e.preventDefault();
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + by))].focus();
}

for (const t of document.querySelectorAll(".toast:not(.error)")) setTimeout(() => t.remove(), 10000);
const end = document.getElementById("end");
if (end && (location.hash === "#end" || !location.hash) && !document.querySelector(".message.here") && end.hasAttribute("data-scroll")) end.scrollIntoView({ block: "nearest" });
