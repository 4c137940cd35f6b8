// What waits for approval as dashed bars on the calendar, drawn again whenever rows or proposals have changed.
import { closePanel, openPanel } from "./frame.js";
import { others } from "./others.js";
import { current, load, remember } from "./talk.js";

const DAY = 86_400_000;
const calendar = () => document.querySelector(".calendar");
let bars = [];
let asked = 0;

const dayOf = (date) => Math.round((Date.parse(date) - Date.parse(calendar().dataset.firstDay)) / DAY);

/** The lane of the dyno, or that of the lanes alike that it is folded into. */
function laneOf(bar) {
  const dyno = CSS.escape(bar.dyno_id);
  const row = document.querySelector(`#dyno-${dyno}`) ?? document.querySelector(`.cal-lanes[data-lanes~="${dyno}"]`);
  return row?.querySelector(".cal-lane");
}

/** Where lanes are folded into one row: the first level that is free on all these days. */
function freeLevel(start, length, lane) {
  const taken = new Set();
  for (const { style } of lane.querySelectorAll(".bar, .bar-proposal")) {
    const first = Number(style.getPropertyValue("--s"));
    const overlaps = first < start + length && start < first + Number(style.getPropertyValue("--n"));
    if (overlaps) taken.add(Number(style.getPropertyValue("--l")));
  }
  let level = 0;
  while (taken.has(level)) level += 1;
  return level;
}

function drawNew(bar, start, length, lane) {
  const drawn = document.createElement("button");
  drawn.type = "button";
  drawn.className = "bar-proposal";
  drawn.dataset.proposal = bar.proposal;
  drawn.tabIndex = -1;
  drawn.title = bar.title;
  drawn.style.setProperty("--s", start);
  drawn.style.setProperty("--n", length);
  drawn.style.setProperty("--l", freeLevel(start, length, lane));
  const icon = document.querySelector(".ai-orb .icon")?.cloneNode(true);
  const name = document.createElement("b");
  name.textContent = bar.vehicle || "Maintenance";
  if (icon) drawn.append(icon);
  drawn.append(name, " proposed");
  lane.append(drawn);
}

function markOld(start, length, lane, dyno) {
  for (const old of lane.querySelectorAll("a.bar")) {
    if ((old.dataset.lane ?? dyno) !== dyno) continue;
    const same = Number(old.style.getPropertyValue("--s")) === start;
    if (same && Number(old.style.getPropertyValue("--n")) === length) old.classList.add("is-leaving");
  }
}

function draw() {
  for (const old of document.querySelectorAll(".bar-proposal")) old.remove();
  for (const old of document.querySelectorAll(".bar.is-leaving")) old.classList.remove("is-leaving");
  if (!calendar()) return;
  for (const bar of bars) {
    const lane = laneOf(bar);
    if (!lane) continue;
    const start = dayOf(bar.first_day);
    const length = dayOf(bar.last_day) - start + 1;
    if (start + length <= 0 || start >= Number(calendar().dataset.days)) continue;
    if (bar.kind === "old") markOld(start, length, lane, String(bar.dyno_id));
    else drawNew(bar, start, length, lane);
  }
}

async function refreshBars() {
  if (!calendar()) return;
  const mine = ++asked;
  try {
    const response = await fetch(document.getElementById("assistant").dataset.bars, {
      headers: { "HX-Request": "true" },
    });
    if (!response.ok || response.status === 204) return;
    const answer = await response.json();
    if (mine !== asked) return;
    ({ bars } = answer);
    draw();
  } catch {
    // The bars that are there stay until the next time.
  }
}

/** Scrolls to the proposal, or the bar that it became, on the calendar, if the days in view have it. */
function showOnCalendar(wanted) {
  const proposed = `.bar-proposal[data-proposal="${CSS.escape(wanted)}"]`;
  const drawn = wanted && document.querySelector(`${proposed}, .calendar a.bar#${CSS.escape(wanted)}`);
  if (!drawn) return false;
  for (const other of document.querySelectorAll(".calendar .is-shown")) other.classList.remove("is-shown");
  drawn.classList.add("is-shown");
  drawn.scrollIntoView({ block: "center", inline: "center" });
  return true;
}

/** The card of what is drawn on the calendar, in the conversation that it comes from. */
async function showCard({ proposal, conversation }) {
  await openPanel({ focus: false });
  if (current() !== conversation) {
    remember(conversation);
    await load(conversation);
  }
  const card = document.getElementById(`proposal-${proposal}`);
  card?.scrollIntoView({ block: "center" });
  card?.focus({ preventScroll: true });
}

async function showFromAddress() {
  const wanted = /^#show-([\w-]+)$/.exec(location.hash)?.[1];
  await refreshBars();
  if (!wanted || showOnCalendar(wanted)) return;
  // Rows that are not there yet come when they are near.
  const bar = bars.find(({ proposal }) => proposal === wanted);
  const later = [...document.querySelectorAll(".cal-later")].find((each) =>
    new URL(each.getAttribute("hx-get"), location).searchParams.get("dynos").split(",").includes(String(bar?.dyno_id)),
  );
  if (!later) return;
  document.addEventListener("assistant:drawn", () => showOnCalendar(wanted), { once: true });
  later.scrollIntoView({ block: "center" });
}

export function startBars() {
  document.addEventListener("click", (event) => {
    const show = event.target.closest?.("[data-ai-show]");
    if (show && !event.ctrlKey && !event.metaKey && showOnCalendar(show.dataset.aiShow)) {
      event.preventDefault();
      if (matchMedia("(max-width: 1020px)").matches) closePanel();
    }
    const drawn = event.target.closest?.(".bar-proposal");
    if (drawn) showCard(bars.find(({ proposal }) => proposal === drawn.dataset.proposal));
  });
  if (!calendar()) return;
  for (const name of ["assistant:decided", "assistant:ended"]) document.addEventListener(name, refreshBars);
  others.addEventListener("message", refreshBars);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target.closest?.("#assistant")) return;
    draw();
    document.dispatchEvent(new CustomEvent("assistant:drawn"));
  });
  showFromAddress();
}
