// Lists to pick from: all, none, how many, and narrowing what is shown while typing. Ticks of hidden rows stay.
const boxes = (list) => [...list.querySelectorAll('[data-pick-row] input[type="checkbox"]')];
const isShown = (box) => !box.closest("[data-pick-row]").hidden;

function count(list) {
  const said = list.querySelector("[data-pick-count]");
  if (!said) return;
  const all = boxes(list);
  said.textContent = `${all.filter((box) => box.checked).length} of ${all.length}`;
}

function setAll(list, checked) {
  for (const box of boxes(list)) if (isShown(box)) box.checked = checked;
  count(list);
}

function narrow(list) {
  const words = (list.querySelector("[data-pick-search]")?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const values = [...list.querySelectorAll("select[data-pick-by]")].map((select) => [select.dataset.pickBy, select.value]);
  for (const row of list.querySelectorAll("[data-pick-row]")) {
    const text = row.textContent.toLowerCase();
    const fits = values.every(([name, value]) => !value || row.getAttribute(`data-${name}`) === value);
    row.hidden = !fits || !words.every((word) => text.includes(word));
  }
}

function setFirst(list, number) {
  const shown = boxes(list).filter(isShown);
  for (const box of boxes(list)) box.checked = shown.indexOf(box) >= 0 && shown.indexOf(box) < number;
  count(list);
}

/** Shift-click sets all that are shown from the last one clicked to this one. */
let lastBox;
function setRange(list, box, event) {
  const shown = boxes(list).filter(isShown);
  const [from, to] = [shown.indexOf(lastBox), shown.indexOf(box)];
  lastBox = box;
  if (!event.shiftKey || from < 0 || to < 0) return;
  for (const between of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) between.checked = box.checked;
  count(list);
}

document.addEventListener("click", (event) => {
  const list = event.target.closest?.("[data-pick]");
  if (!list) return;
  const first = event.target.closest("[data-pick-first]");
  if (first) setFirst(list, Number(first.dataset.pickFirst));
  if (event.target.matches('[data-pick-row] input[type="checkbox"]')) setRange(list, event.target, event);
  if (event.target.closest("[data-pick-all]")) setAll(list, true);
  if (event.target.closest("[data-pick-none]")) setAll(list, false);
});
document.addEventListener("input", (event) => {
  const list = event.target.closest?.("[data-pick]");
  if (!list) return;
  if (event.target.closest("[data-pick-search], [data-pick-by]")) narrow(list);
  count(list);
});
// The button of the search is for who has no script; here Enter in it must not load the page again.
document.addEventListener("submit", (event) => {
  if (event.target.closest?.("[data-pick-filters]")) event.preventDefault();
});
const countAll = () => document.querySelectorAll("[data-pick]").forEach(count);
document.addEventListener("htmx:after:swap", countAll);
countAll();
