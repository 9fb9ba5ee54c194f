"use strict";
const byId = (id) => document.getElementById(id);
const cards = Array.from(document.querySelectorAll(".card"));
const facts = cards.map((card) => ({
  card,
  name: card.dataset.name,
  sought: card.dataset.name.toLowerCase(),
  label: card.dataset.label,
  status: card.dataset.status,
  score: Number(card.dataset.score),
  position: Number(card.dataset.position),
}));
const inOrder = (a, b) => a.position - b.position;
// Failed files have no score: they come last either way.
const orders = {
  position: inOrder,
  falling: (a, b) => b.score - a.score || inOrder(a, b),
  rising: (a, b) => (a.score < 0) - (b.score < 0) || a.score - b.score || inOrder(a, b),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || inOrder(a, b),
};

function filter() {
  const sought = byId("search").value.trim().toLowerCase();
  const label = byId("label").value;
  const status = byId("status").value;
  let count = 0;
  for (const fact of facts) {
    const shown = fact.sought.includes(sought) && (!label || fact.label === label) && (!status || fact.status === status);
    fact.card.hidden = !shown;
    count += shown;
  }
  byId("count").textContent = count === facts.length ? `${count.toLocaleString("en")} shown` : `${count.toLocaleString("en")} of ${facts.length.toLocaleString("en")} shown`;
  byId("none").hidden = count > 0;
}

function sort() {
  byId("cards").append(...facts.sort(orders[byId("sort").value]).map((fact) => fact.card));
}

byId("tools").hidden = false;
byId("tools").addEventListener("submit", (event) => event.preventDefault());
byId("search").addEventListener("input", filter);
byId("label").addEventListener("change", filter);
byId("status").addEventListener("change", filter);
byId("sort").addEventListener("change", sort);
byId("reset").addEventListener("click", () => {
  byId("tools").reset();
  sort();
  filter();
});
sort();
filter();
