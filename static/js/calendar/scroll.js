// Scrolling: where the board opens, what stays in view through a swap, and labels of bars that are cut off at the left.
import { calendar, dayWidth, scroller, sideWidth, startOf } from "./geometry.js";

const DAYS_BEFORE_TODAY = 3;
let labels;
let kept;

function showToday() {
  const { today } = calendar().dataset;
  scroller().scrollLeft = today === undefined ? 0 : (Number(today) - DAYS_BEFORE_TODAY) * dayWidth();
}

const dateOfLeftEdge = () =>
  Date.parse(calendar().dataset.firstDay) + (scroller().scrollLeft / dayWidth()) * 86_400_000;

function showDate(time) {
  const day = (time - Date.parse(calendar().dataset.firstDay)) / 86_400_000;
  scroller().scrollLeft = Math.max(0, day) * dayWidth();
}

/** What a search found, when none of it is in view: the first of it comes into view. */
function showMatch() {
  if (!calendar().querySelector(".bar.dim")) return;
  const start = scroller().scrollLeft / dayWidth();
  const end = start + (scroller().clientWidth - sideWidth()) / dayWidth();
  const matches = [...calendar().querySelectorAll(".bar:not(.dim)")].map((bar) => ({
    from: Number(bar.style.getPropertyValue("--s")),
    days: Number(bar.style.getPropertyValue("--n")),
  }));
  if (!matches.length || matches.some(({ from, days }) => from < end && from + days > start)) return;
  const first = Math.min(...matches.map(({ from }) => from));
  scroller().scrollLeft = Math.max(0, first - 1) * dayWidth();
}

/** What the address points at, or else the earliest proposal, comes into view. */
function showTarget() {
  const ghosts = [...calendar().querySelectorAll("a.cal-ghost")].sort((a, b) => startOf(a) - startOf(b));
  const target = document.getElementById(location.hash.slice(1)) ?? ghosts[0];
  if (calendar().contains(target)) target.scrollIntoView({ block: "nearest", inline: "start" });
}

/** Only cut bars get a sticky label: thousands of them would cost dozens of milliseconds a frame. */
function watchLabels() {
  labels?.disconnect();
  labels = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting, boundingClientRect, rootBounds } of entries) {
        target.classList.toggle("is-cut", isIntersecting && boundingClientRect.left < rootBounds.left);
      }
    },
    { root: scroller(), rootMargin: `0px 0px 0px -${sideWidth()}px`, threshold: [0, 0.2, 0.4, 0.6, 0.8, 1] },
  );
  for (const bar of calendar().querySelectorAll(".bar, a.cal-ghost")) labels.observe(bar);
}

function markScrolled() {
  calendar().classList.toggle("is-scrolled", scroller().scrollLeft > 0);
}

export function refreshScroll() {
  if (!calendar()) return;
  if (scroller().dataset.watched === undefined) {
    scroller().dataset.watched = "";
    scroller().addEventListener("scroll", markScrolled, { passive: true });
  }
  watchLabels();
  markScrolled();
}

export function startScroll() {
  if (calendar()) {
    showToday();
    showMatch();
    showTarget();
  }
  document.addEventListener("htmx:before:swap", (event) => {
    kept = event.target.closest?.("#schedule") && calendar() ? dateOfLeftEdge() : undefined;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (kept === undefined || !calendar() || event.target.closest?.(".cal-later")) return;
    const { id } = event.target;
    if (id === "cal-now") showToday();
    else if (id === "cal-earlier" || id === "cal-later") scroller().scrollLeft = 0;
    else showDate(kept);
    showMatch();
    kept = undefined;
  });
}
