// Return what a screen reader, a keyboard or weak eyes stumble over on this page, a line each:
// the rules of axe (WCAG 2.2 AA) that matter to such pages, checked as it checks them.
const faults = [];
const all = (selector) => [...document.querySelectorAll(selector)];
const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const called = (element) => `${element.localName}${element.id && "#" + element.id}${[...element.classList].map((one) => "." + one).join("")}`;

if (!document.documentElement.lang) faults.push("html has no lang");
if (!document.title.trim()) faults.push("no title");
if (all("main").length !== 1) faults.push("not one main");
if (all("h1").length !== 1) faults.push("not one h1");
if (/user-scalable\s*=\s*no|maximum-scale/.test(document.querySelector("meta[name=viewport]")?.content)) faults.push("zoom is forbidden");
const ids = all("[id]").map((element) => element.id);
if (new Set(ids).size < ids.length) faults.push("an id occurs twice");

let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6").filter(shown)) {
  const next = Number(heading.localName[1]);
  if (next > level + 1) faults.push(`${called(heading)} comes after h${level}`);
  if (!heading.textContent.trim()) faults.push(`${called(heading)} is empty`);
  level = next;
}

for (const image of all("img, svg[role=img]")) {
  if (image.localName === "img" && !image.hasAttribute("alt")) faults.push(`${called(image)} has no alt`);
  if (image.localName === "svg" && !image.getAttribute("aria-label") && !image.querySelector("title")) faults.push(`${called(image)} has no name`);
}

const roles = ["alert", "button", "grid", "group", "img", "link", "list", "listitem", "navigation", "region", "row", "search", "status", "tab", "table", "tablist", "tabpanel"];
for (const element of all("[role]")) {
  if (!roles.includes(element.getAttribute("role"))) faults.push(`${called(element)} has an unknown role`);
}
for (const element of all("[aria-labelledby], [aria-describedby], [for], [aria-controls]")) {
  for (const name of ["aria-labelledby", "aria-describedby", "for", "aria-controls"]) {
    for (const id of (element.getAttribute(name) ?? "").split(/\s+/).filter(Boolean)) {
      if (!document.getElementById(id)) faults.push(`${called(element)}: ${name} names nothing`);
    }
  }
}

const controls = all("a[href], button, input, select, textarea, summary, [tabindex='0']");
for (const control of controls) {
  const name = control.getAttribute("aria-label") || control.labels?.[0]?.textContent || (["input", "select"].includes(control.localName) ? "" : control.textContent) || control.title;
  if (!name?.trim()) faults.push(`${called(control)} has no name`);
  if (control.tabIndex > 0) faults.push(`${called(control)} changes the order of tabs`);
  const box = control.getBoundingClientRect();
  if (shown(control) && control.localName !== "a" && Math.min(box.width, box.height) < 24) faults.push(`${called(control)} is smaller than 24 pixels`);
}
for (const area of all("nav, [role=search], [role=region], section[aria-label]")) {
  if (!area.getAttribute("aria-label") && !area.getAttribute("aria-labelledby")) faults.push(`${called(area)} has no name`);
}
for (const list of all("ol, ul")) {
  if ([...list.children].some((child) => !["li", "script", "template"].includes(child.localName))) faults.push(`${called(list)} has more than items`);
}

// Contrast: the colour of each text against what is behind it, half transparent grounds laid
// over one another; where a bar lies behind a part of the text, against the bar, too.
const parsed = (color) => {
  const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
  return color.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
};
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const ground = (element) => {
  const layers = [];
  for (let one = element; one; one = one.parentElement) layers.push(parsed(getComputedStyle(one).backgroundColor));
  const paper = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  return layers.reverse().reduce((below, top) => over(top, below), paper);
};
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
const seen = new Set();
for (const element of all("body *")) {
  const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!(text || ["input", "select"].includes(element.localName)) || !shown(element) || element.disabled) continue;
  if (["script", "style", "noscript", "option", "title"].includes(element.localName)) continue;
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  const grounds = [ground(element)];
  for (const bar of element.closest("li")?.querySelectorAll("i") ?? []) grounds.push(over(parsed(getComputedStyle(bar).backgroundColor), ground(element)));
  for (const behind of grounds) {
    const ink = element instanceof SVGElement ? parsed(style.fill) : parsed(style.color);
    const found = ratio(over(ink, behind), behind);
    const line = `${called(element)}: contrast ${found.toFixed(2)}`;
    if (found < least && !seen.has(line)) faults.push(line);
    seen.add(line);
  }
}
return faults;
