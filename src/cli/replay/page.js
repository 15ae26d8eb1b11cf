
"use strict";
const rows = document.getElementById("rows");
const cards = Array.from(rows.children);
const buttons = Array.from(document.querySelectorAll("#kinds button"));
const words = document.getElementById("words");
const order = document.getElementById("order");
const number = (card, key) => card.dataset[key] === "" ? Infinity : Number(card.dataset[key]);

function show() {
  const on = buttons.filter(b => b.getAttribute("aria-pressed") === "true").map(b => b.dataset.kind);
  const part = words.value.toLowerCase();
  let any = false;
  for (const card of cards) {
    const kinds = card.dataset.kinds.split(" ");
    const fits = on.some(kind => kinds.includes(kind)) && card.textContent.toLowerCase().includes(part);
    card.hidden = !fits;
    any = any || fits;
  }
  document.getElementById("none").hidden = any;
}

function sort() {
  const key = order.value, way = key === "growth" ? -1 : 1;
  const by = (a, b) => way * (number(a, key) - number(b, key)) || number(a, "rank") - number(b, "rank");
  rows.append(...cards.slice().sort(by));
}

for (const button of buttons) {
  button.addEventListener("click", event => {
    // One at a time; with shift or control several.
    const keep = event.shiftKey || event.ctrlKey || event.metaKey;
    const pressed = button.getAttribute("aria-pressed") === "true";
    if (!keep) for (const other of buttons) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!(keep && pressed)));
    show();
  });
}
words.addEventListener("input", show);
order.addEventListener("change", sort);

// A picture at its size; a click changes it for the other one in the same place.
const view = document.getElementById("view"), large = document.getElementById("large");
let pair = [], at = 0;
function turn(to) {
  at = to % pair.length;
  large.src = pair[at].src;
  document.getElementById("caption").textContent =
    (at + 1) + " of " + pair.length + ": " + pair[at].alt + " - click for the other, Escape to close";
}
rows.addEventListener("click", event => {
  if (event.target.tagName !== "IMG") return;
  pair = Array.from(event.target.closest(".pair").querySelectorAll("img"));
  turn(pair.indexOf(event.target));
  view.showModal();
});
large.addEventListener("click", () => turn(at + 1));
view.addEventListener("click", event => { if (event.target === view) view.close(); });
show();
