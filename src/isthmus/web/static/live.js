// Keeps the live page up to date. Without this file the page is whole and is loaded again by hand.
"use strict";
(() => {
  const place = document.getElementById("live");
  const controls = document.getElementById("live-controls");
  if (!place || !controls) return;
  const toggle = document.getElementById("live-toggle");
  const said = document.getElementById("live-said");
  const EVERY = 2000;
  const LATEST = 15000; // between two tries while the node does not answer
  let paused = false;
  let wait = EVERY;
  let timer = 0;
  let newest = place.querySelector("[data-said]")?.dataset.said || "";

  // What had the focus, and what was laid open, is so again afterwards.
  const focused = () => {
    const here = document.activeElement;
    if (!here || !place.contains(here)) return null;
    return here.id ? `#${CSS.escape(here.id)}` : here.getAttribute("href") && `a[href="${here.getAttribute("href")}"]`;
  };

  const put = (text) => {
    if (text === place.dataset.shown) return;
    const path = focused();
    const open = [...place.querySelectorAll("details[open][id]")].map((one) => one.id);
    const scrolled = [...place.querySelectorAll(".scroll[id]")].map((one) => [one.id, one.scrollLeft]);
    const made = new DOMParser().parseFromString(text, "text/html");
    place.replaceChildren(...made.body.childNodes);
    place.dataset.shown = text;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, left] of scrolled) {
      const box = document.getElementById(id);
      if (box) box.scrollLeft = left;
    }
    if (path) place.querySelector(path)?.focus({ preventScroll: true });
    // Only what is new is told to whoever listens, never the whole page.
    const telling = place.querySelector("[data-said]")?.dataset.said || "";
    if (telling && telling !== newest) said.textContent = telling;
    newest = telling;
  };

  const state = (name) => {
    place.dataset.state = name;
    for (const one of controls.querySelectorAll("[data-when]")) {
      one.hidden = one.dataset.when !== name;
    }
  };

  const later = () => {
    clearTimeout(timer);
    if (!paused) timer = setTimeout(look, document.hidden ? LATEST : wait);
  };

  const look = async () => {
    try {
      const answer = await fetch("/live?part=1", { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (paused) return;
      put(text);
      wait = EVERY;
      state("live");
    } catch {
      if (paused) return;
      wait = Math.min(LATEST, wait * 2);
      state("lost");
    }
    later();
  };

  toggle.addEventListener("click", () => {
    paused = !paused;
    toggle.setAttribute("aria-pressed", String(paused));
    state(paused ? "paused" : "live");
    if (paused) clearTimeout(timer);
    else look();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !paused) look();
  });
  controls.hidden = false;
  document.getElementById("live-plain")?.remove();
  state("live");
  later();
})();
