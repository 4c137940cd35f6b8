// The results below the search field: the arrow keys walk them, Escape leaves them. Without this, Tab reaches them too.
export function startSearchResults() {
  document.addEventListener("keydown", (event) => {
    const search = event.target.closest?.(".search");
    if (!search) return;
    const field = search.querySelector("input[type=search]");
    if (event.key === "Escape") {
      if (event.target === field) field.blur();
      else field.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [field, ...search.querySelectorAll(".search-results a")];
    const next = stops[stops.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}
