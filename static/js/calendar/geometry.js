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

export const isTaken = (row, day) =>
  barsOf(row).some((bar) => startOf(bar) <= day && day < startOf(bar) + lengthOf(bar));

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
