"use strict";
// "12.5%" and "1,024" sort as numbers, a dash as none, the rest as text.
function sortKey(cell) {
  const text = cell.textContent.trim();
  return cell.classList.contains("figure") ? (text === "–" ? -1 : parseFloat(text.replaceAll(",", ""))) : text;
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
}

function sortBy(table, heading, column) {
  // Figures start with the largest, names with the first.
  const figures = heading.classList.contains("figure");
  const before = heading.getAttribute("aria-sort");
  const falling = before ? before === "ascending" : figures;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => [sortKey(row.cells[column]), row]);
  rows.sort((a, b) => (falling ? compare(b[0], a[0]) : compare(a[0], b[0])));
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, heading, column));
    heading.append(button);
  });
}

// A matrix of many classes has cells smaller than a pixel: it is enlarged within its frame, about
// the middle of what is seen.
const zoomed = document.getElementById("zoomed");
if (zoomed) {
  const matrix = document.getElementById("matrix");
  const most = Math.ceil((30 * matrix.viewBox.baseVal.width) / zoomed.clientWidth);
  let zoom = 1;
  const enlarge = (by) => {
    const before = zoom;
    zoom = by === 0 ? 1 : Math.min(Math.max(zoom * by, 1), Math.max(most, 1));
    const [left, top] = [zoomed.scrollLeft, zoomed.scrollTop];
    const [x, y] = [zoomed.clientWidth / 2, zoomed.clientHeight / 2];
    matrix.style.width = `${100 * zoom}%`;
    zoomed.scrollTo(((left + x) * zoom) / before - x, ((top + y) * zoom) / before - y);
  };
  document.getElementById("zoom").hidden = false;
  for (const button of document.querySelectorAll("#zoom button")) {
    button.addEventListener("click", () => enlarge(Number(button.dataset.by)));
  }
  matrix.addEventListener("pointerover", (event) => {
    const name = event.target.querySelector?.("title");
    if (event.target.localName === "rect" && name) document.getElementById("cell").textContent = name.textContent;
  });
}
