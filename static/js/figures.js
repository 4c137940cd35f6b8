// The figures in the header (requests that wait, new notices) follow what others do.
const TOGETHER = 300; // milliseconds in which changes are gathered into one request
const REST = 2_000; // at least so long between two requests

const address = () => document.querySelector("[data-figures]")?.dataset.figures;
let resting = false;
let again = false;

function show(page) {
  for (const fresh of page.querySelectorAll("[data-figure]")) {
    for (const old of document.querySelectorAll(`[data-figure="${fresh.dataset.figure}"]`)) {
      if (old.textContent !== fresh.textContent) old.replaceChildren(...fresh.cloneNode(true).childNodes);
    }
  }
}

async function ask() {
  if (document.hidden) return;
  if (resting) {
    again = true;
    return;
  }
  resting = true;
  try {
    const answer = await fetch(address(), { cache: "no-store", redirect: "error" });
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // No connection: what comes next asks again.
  } finally {
    setTimeout(() => {
      resting = false;
      if (again) ask();
      again = false;
    }, REST);
  }
}

export function startFigures() {
  if (!address()) return;
  const soon = () => setTimeout(ask, TOGETHER);
  document.addEventListener("ground:changed", soon);
  document.addEventListener("visibilitychange", soon);
}
