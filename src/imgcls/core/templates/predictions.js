"use strict";
const byId = (id) => document.getElementById(id);
const cards = byId("cards");
const atOnce = Number(cards.dataset.atOnce);
const number = (count) => count.toLocaleString("en");
const facts = Array.from(cards.children, (card) => ({
  card,
  name: card.dataset.name,
  sought: card.dataset.name.toLowerCase(),
  label: card.dataset.label,
  status: card.dataset.status,
  score: Number(card.dataset.score),
  position: Number(card.dataset.position),
}));
const collator = new Intl.Collator(undefined, { numeric: true });
const ranks = { error: 0, unknown: 1, ok: 2 };
const inOrder = (a, b) => a.position - b.position;
// Failed files have no score: by confidence they come last either way.
const orders = {
  look: (a, b) => ranks[a.status] - ranks[b.status] || inOrder(a, b),
  position: inOrder,
  falling: (a, b) => b.score - a.score || inOrder(a, b),
  rising: (a, b) => (a.score < 0) - (b.score < 0) || a.score - b.score || inOrder(a, b),
  name: (a, b) => collator.compare(a.name, b.name) || inOrder(a, b),
};
let matching = facts;
let page = 0;

// Only the cards of one page are in the document: thousands at once would take a browser's breath.
function show() {
  const start = page * atOnce;
  const end = Math.min(start + atOnce, matching.length);
  const pages = Math.max(1, Math.ceil(matching.length / atOnce));
  cards.replaceChildren(...matching.slice(start, end).map((fact) => fact.card));
  const all = matching.length === facts.length ? number(facts.length) : `${number(matching.length)} of ${number(facts.length)}`;
  byId("count").textContent = pages > 1 ? `${number(start + 1)}–${number(end)} of ${all}` : `${all} shown`;
  byId("none").hidden = matching.length > 0;
  byId("pages").hidden = pages === 1;
  byId("page").textContent = `Page ${number(page + 1)} of ${number(pages)}`;
  byId("previous").disabled = page === 0;
  byId("next").disabled = page === pages - 1;
}

function choose() {
  const sought = byId("search").value.trim().toLowerCase();
  const label = byId("label").value;
  const status = byId("status").value;
  matching = facts.filter((fact) => fact.sought.includes(sought) && (!label || fact.label === label) && (!status || fact.status === status));
  page = 0;
  show();
}

function sort() {
  facts.sort(orders[byId("sort").value]);
  choose();
}

function turn(by) {
  page += by;
  show();
  cards.focus({ preventScroll: true }); // the button may be disabled now
  cards.scrollIntoView();
}

byId("tools").hidden = false;
byId("tools").addEventListener("submit", (event) => event.preventDefault());
byId("search").addEventListener("input", choose);
byId("label").addEventListener("change", choose);
byId("status").addEventListener("change", choose);
byId("sort").addEventListener("change", sort);
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
byId("reset").addEventListener("click", () => {
  byId("tools").reset();
  sort();
  byId("search").focus();
});
// A reload may have kept what was chosen.
sort();
