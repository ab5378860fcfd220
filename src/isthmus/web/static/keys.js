// Keys for those who keep their hands on the keyboard. Every page works without this file.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("a.row")];
  const typing = (target) =>
    target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select") !== null;

  const move = (step) => {
    const all = rows();
    if (all.length === 0) return;
    const here = document.activeElement.closest("tr");
    const at = here ? all.findIndex((row) => here.contains(row)) : -1;
    const next = all[Math.min(all.length - 1, Math.max(0, at === -1 ? 0 : at + step))];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  };

  // In a list the act is that of the row in focus, on a page that of the page.
  const act = (name) => {
    const row = document.activeElement.closest("tr");
    const place = (row || document).querySelector(`[data-act="${name}"]`);
    if (!place) return false;
    if (place instanceof HTMLDetailsElement) {
      place.open = true;
      const first = place.querySelector("input:not([type=hidden]), select, textarea, button");
      if (first) first.focus();
      place.scrollIntoView({ block: "nearest" });
    } else {
      place.click();
    }
    return true;
  };

  const help = () => {
    const box = document.getElementById("keys");
    box.open = !box.open;
    if (box.open) {
      box.scrollIntoView({ block: "nearest" });
      box.querySelector("summary").focus();
    }
  };

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    t: () => act("take"),
    c: () => act("clear"),
    h: () => act("hold") || act("unsure"),
    y: () => act("same"),
    n: () => act("not_same"),
    w: () => act("watch"),
    i: () => act("inspect"),
    s: () => act("share"),
    "/": () => document.getElementById("search")?.focus(),
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if (typing(event.target) || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  // A choice of language or look takes effect at once.
  for (const choice of document.querySelectorAll("select[data-at-once]")) {
    choice.addEventListener("change", () => choice.form.requestSubmit());
  }
})();
