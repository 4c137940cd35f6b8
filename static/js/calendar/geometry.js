// Where things stand on the board, read from the custom properties that the server wrote.
export const calendar = () => document.querySelector(".calendar");
export const scroller = () => document.getElementById("cal-scroll");

export const startOf = (bar) => Number(bar.style.getPropertyValue("--s"));
export const lengthOf = (bar) => Number(bar.style.getPropertyValue("--n"));
export const middleOf = (bar) => startOf(bar) + lengthOf(bar) / 2;

export const daysShown = () => Number(calendar().dataset.days);

/** Width of a day in pixels. */
export const dayWidth = () => document.querySelector(".cal-axis").getBoundingClientRect().width / daysShown();

export const sideWidth = () => document.querySelector(".cal-corner").offsetWidth;

/** The rows that are unfolded, from top to bottom. */
export const rows = () => [...calendar().querySelectorAll(".cal-row")].filter((row) => row.offsetParent);

const barsOf = (row) => [...row.querySelectorAll(".bar")].sort((a, b) => startOf(a) - startOf(b));

export const laneOf = (row) => row.querySelector(".cal-lane");

/** The row that shows a dyno: its own, or that of the lanes alike that it is folded into. */
export const rowOf = (dyno) =>
  document.getElementById(`dyno-${dyno}`) ?? document.querySelector(`.cal-lanes[data-lanes~="${CSS.escape(dyno)}"]`);

/** The dynos that a row shows. */
export const dynosOf = (row) => (row.dataset.lanes ?? row.dataset.dyno).split(" ");

/** A dyno of the row that is free on a day, or nothing. */
export function freeDyno(row, day) {
  const there = barsOf(row).filter((bar) => startOf(bar) <= day && day < startOf(bar) + lengthOf(bar));
  const taken = new Set(there.map((bar) => bar.dataset.lane ?? row.dataset.dyno));
  return dynosOf(row).find((dyno) => !taken.has(dyno));
}

export const isTaken = (row, day) => freeDyno(row, day) === undefined;

/** The date that stands `day` days from the left, as YYYY-MM-DD. */
export function isoDate(day) {
  const date = new Date(`${calendar().dataset.firstDay}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + day);
  return date.toISOString().slice(0, 10);
}

export const spokenDate = (day) =>
  new Date(`${isoDate(day)}T00:00:00Z`).toLocaleDateString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
