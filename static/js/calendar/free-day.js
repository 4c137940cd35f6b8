// A free day is a link to the booking form: it follows the pointer, and Shift with arrows reaches it from a bar.
import {
  calendar,
  daysShown,
  dayWidth,
  freeDyno,
  isTaken,
  isoDate,
  laneOf,
  lengthOf,
  rows,
  spokenDate,
  startOf,
} from "./geometry.js";
import { focusStop } from "./walk.js";

let link;
let cameFrom;

// Lanes that are unfolded have rows of their own.
const bookable = (row) => calendar().dataset.booking && row && !row.matches(".disabled, .unfolded");

function place(row, day) {
  link ??= Object.assign(document.createElement("a"), { className: "cal-free", textContent: "+" });
  link.href = `${calendar().dataset.booking}?dyno=${freeDyno(row, day)}&first_day=${isoDate(day)}`;
  link.style.setProperty("--s", day);
  link.dataset.day = day;
  const name = row.querySelector(".cal-name > :first-child").textContent.trim();
  link.setAttribute("aria-label", `Book ${name} from ${spokenDate(day)}`);
  if (link.parentNode !== laneOf(row)) laneOf(row).append(link);
}

function remove() {
  link?.remove();
}

/** The day under the pointer, or nothing where the lane is taken. */
function dayAt(lane, x) {
  const day = Math.floor((x - lane.getBoundingClientRect().left) / dayWidth());
  return day >= 0 && day < daysShown() && !isTaken(lane.closest(".cal-row"), day) ? day : undefined;
}

function onPointer(event) {
  const lane = event.target.closest?.(".cal-lane");
  if (link && document.activeElement === link) return;
  if (!lane || event.pointerType === "touch" || event.target.closest(".bar")) return remove();
  if (!bookable(lane.closest(".cal-row"))) return remove();
  const day = dayAt(lane, event.clientX);
  return day === undefined ? remove() : place(lane.closest(".cal-row"), day);
}

function nextFree(row, day, step) {
  for (let at = day; at >= 0 && at < daysShown(); at += step) if (!isTaken(row, at)) return at;
  return undefined;
}

function goTo(row, day) {
  if (!bookable(row) || day === undefined) return;
  place(row, day);
  focusStop(link);
}

function acrossRows(row, day, step) {
  const all = rows();
  for (let at = all.indexOf(row) + step; all[at]; at += step) {
    if (bookable(all[at]) && !isTaken(all[at], day)) return all[at];
  }
  return undefined;
}

function fromBar(event, bar) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || !event.shiftKey) return;
  event.preventDefault();
  cameFrom = bar;
  const edge = step > 0 ? Math.max(0, startOf(bar) + lengthOf(bar)) : Math.min(daysShown(), startOf(bar)) - 1;
  goTo(bar.closest(".cal-row"), nextFree(bar.closest(".cal-row"), edge, step));
}

function fromFreeDay(event) {
  const row = link.closest(".cal-row");
  const day = Number(link.dataset.day);
  const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const across = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (along) goTo(row, nextFree(row, day + along, along));
  else if (across) goTo(acrossRows(row, day, across), day);
  else if (event.key === "Escape") {
    focusStop(cameFrom?.isConnected ? cameFrom : row.querySelector(".bar") ?? row.querySelector("[data-stop]"));
    remove();
  } else return;
  event.preventDefault();
}

export function startFreeDay() {
  document.addEventListener("pointermove", onPointer, { passive: true });
  document.addEventListener("click", (event) => {
    // A tap: there was no pointer to follow.
    const lane = event.target.closest?.(".cal-lane");
    if (!lane || event.target !== lane || !bookable(lane.closest(".cal-row"))) return;
    const day = dayAt(lane, event.clientX);
    if (day === undefined) return;
    place(lane.closest(".cal-row"), day);
    link.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === link) fromFreeDay(event);
    else if (event.target.matches?.(".bar")) fromBar(event, event.target);
  });
}
