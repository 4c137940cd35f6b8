// The toolbar's small helpers, and addresses without empty parameters.
import { showToast } from "../toasts.js";

export function startTools() {
  document.addEventListener("click", async (event) => {
    if (event.target.closest?.("[data-copy-link]")) {
      try {
        await navigator.clipboard.writeText(location.href);
        showToast("The link to this view is copied.", "success");
      } catch {
        showToast("This browser does not allow copying; take the address from its bar.", "warning");
      }
    }
  });
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, request } = event.detail.ctx;
    if (sourceElement.id !== "schedule-filters") return;
    const chosen = new URLSearchParams(location.search).has("from");
    for (const [name, value] of [...request.body]) {
      const input = document.querySelector(`.cal-range input[name="${name}"]`);
      const untouched = input && !chosen && input.value === input.defaultValue;
      if (value === "" || untouched) request.body.delete(name);
    }
  });
}

/** Going back in history changes the filters; the search field stands outside of what is swapped. */
export function refreshSearch() {
  const search = document.getElementById("schedule-search");
  if (document.activeElement !== search) search.value = new URLSearchParams(location.search).get("q") ?? "";
}
