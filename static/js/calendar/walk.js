// The board is one stop for Tab; arrows walk from bar to bar and proposal to proposal, Home and End go to a row's first and last.
import { calendar, middleOf, rows, startOf } from "./geometry.js";

const PLACES = ".bar, a.cal-ghost";
const STOPS = `${PLACES}, .cal-name a, .cal-book`;

/** Bars and proposals of a row, from left to right. */
const placesOf = (row) => [...row.querySelectorAll(PLACES)].sort((a, b) => startOf(a) - startOf(b));

export function focusStop(stop) {
  if (!stop) return;
  for (const other of calendar().querySelectorAll('[data-stop][tabindex="0"]')) other.tabIndex = -1;
  stop.tabIndex = 0;
  stop.focus({ preventScroll: true });
  stop.scrollIntoView({ block: "nearest", inline: "nearest" });
}

export function refreshWalk() {
  if (!calendar()) return;
  const stops = calendar().querySelectorAll(STOPS);
  for (const stop of stops) {
    stop.dataset.stop = "";
    stop.tabIndex = -1;
  }
  const focused = document.activeElement.matches(STOPS) ? document.activeElement : null;
  const first = focused ?? calendar().querySelector(".bar") ?? stops[0];
  if (first) first.tabIndex = 0;
}

const beside = (row) => [...row.querySelectorAll(".cal-name a, .cal-book"), ...placesOf(row)];

function along(stop, step) {
  const stops = beside(stop.closest(".cal-row"));
  return stops[stops.indexOf(stop) + step];
}

function across(stop, step) {
  const all = rows();
  const here = all.indexOf(stop.closest(".cal-row"));
  for (let at = here + step; all[at]; at += step) {
    if (!stop.matches(PLACES)) {
      const same = all[at].querySelector(stop.matches(".cal-book") ? ".cal-book" : ".cal-name a");
      if (same) return same;
      continue;
    }
    const near = placesOf(all[at]).sort(
      (a, b) => Math.abs(middleOf(a) - middleOf(stop)) - Math.abs(middleOf(b) - middleOf(stop)),
    )[0];
    if (near) return near;
  }
  return undefined;
}

function edge(stop, end) {
  const places = placesOf(stop.closest(".cal-row"));
  return end ? places.at(-1) : places[0];
}

const MOVES = {
  ArrowLeft: (stop) => along(stop, -1),
  ArrowRight: (stop) => along(stop, 1),
  ArrowUp: (stop) => across(stop, -1),
  ArrowDown: (stop) => across(stop, 1),
  Home: (stop) => edge(stop, false),
  End: (stop) => edge(stop, true),
};

export function startWalk() {
  document.addEventListener("keydown", (event) => {
    const stop = event.target.closest?.("[data-stop]");
    if (!stop || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    focusStop(move(stop));
  });
  // A click or Tab that lands on a bar makes it the board's stop.
  document.addEventListener("focusin", (event) => {
    const stop = event.target.closest?.("[data-stop]");
    if (stop && stop.tabIndex !== 0) focusStop(stop);
  });
}
