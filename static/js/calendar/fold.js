// Folding a facility away; which ones are folded is kept for this tab.
const KEY = "calendar.folded";

const folded = () => new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));

function show(body, isFolded) {
  body.classList.toggle("is-folded", isFolded);
  body.querySelector(".cal-fold").setAttribute("aria-expanded", String(!isFolded));
}

export function refreshFolds() {
  const away = folded();
  for (const body of document.querySelectorAll(".cal-body")) show(body, away.has(body.dataset.facility));
}

export function startFolds() {
  document.addEventListener("click", (event) => {
    const body = event.target.closest?.(".cal-fold")?.closest(".cal-body");
    if (!body) return;
    const away = folded();
    if (!away.delete(body.dataset.facility)) away.add(body.dataset.facility);
    sessionStorage.setItem(KEY, JSON.stringify([...away]));
    show(body, away.has(body.dataset.facility));
  });
}
