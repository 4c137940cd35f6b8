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

document.addEventListener("click", (event) => {
  const list = event.target.closest?.("[data-pick]");
  if (!list) return;
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
