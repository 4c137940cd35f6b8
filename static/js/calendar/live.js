// Other people's changes: the stream says which dynos, their rows are then asked for through the ordinary view.
import { onNewDay } from "../ground-time.js";
import { followStream } from "../stream.js";
import { refreshCard } from "./card.js";
import { rowOf } from "./geometry.js";

const TOGETHER = 80; // milliseconds in which changes are gathered into one request

const schedule = () => document.getElementById("schedule");
const waiting = new Set();
let everything = false;
let asking = false;
let updated;

function say(state, text) {
  const light = document.getElementById("cal-live");
  light.dataset.state = state;
  light.querySelector("[data-live-text]").textContent = text;
}

function sayLive() {
  const seconds = Math.round((Date.now() - updated) / 1000);
  const ago = seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  say("live", updated ? `Live · updated ${ago} ago` : "Live");
}

/** What each bar looked like, by its id: whatever differs afterwards has just changed. */
const looks = () =>
  new Map(
    [...document.querySelectorAll(".bar")].map((bar) => {
      const status = bar.className.replace(/ ?\bis-\w+/g, "");
      return [bar.id, `${bar.closest(".cal-row").id} ${status} ${bar.style.cssText}`];
    }),
  );

async function askForRows(dynos) {
  const before = looks();
  const rowsBefore = new Map([...dynos].map((dyno) => [dyno, rowOf(dyno)]));
  const focused = document.activeElement.id;
  const address = `${schedule().dataset.rows}&changed=1&dynos=${[...dynos].join(",")}`;
  await htmx.ajax("GET", address, { target: "body", swap: "none" });
  // No row came in the place of this one: it is a lane that is no longer alike with the others, or has become so.
  if ([...dynos].some((dyno) => rowsBefore.get(dyno).isConnected)) await askForEverything();
  for (const [id, look] of looks()) if (before.get(id) !== look) document.getElementById(id).classList.add("is-new");
  // A bar that went from one row to another took the focus with it.
  if (focused && document.activeElement === document.body) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
  await refreshCard(dynos);
}

const askForEverything = () =>
  htmx.ajax("GET", location.pathname + location.search, { target: "#schedule", swap: "outerMorph" });

/** Rows that this page does not have at all, neither here nor to be fetched, mean that the board is another one. */
function isUnknown(dyno) {
  if (rowOf(dyno)) return false;
  return ![...document.querySelectorAll(".cal-later")].some((later) =>
    new URL(later.getAttribute("hx-get"), location).searchParams.get("dynos").split(",").includes(dyno),
  );
}

async function ask() {
  if (asking) return;
  asking = true;
  try {
    while (waiting.size || everything) {
      const dynos = new Set(waiting);
      const all = everything || "filtered" in schedule().dataset || [...dynos].some(isUnknown);
      waiting.clear();
      everything = false;
      const here = new Set([...dynos].filter(rowOf));
      if (all) await askForEverything();
      else if (here.size) await askForRows(here);
      updated = Date.now();
      sayLive();
    }
  } finally {
    asking = false;
  }
}

export function startLive() {
  if (!document.getElementById("cal-live")) return;
  function askAnew() {
    everything = true;
    ask();
  }

  followStream(schedule().dataset.stream, {
    onChange({ dynos }) {
      for (const dyno of dynos) waiting.add(String(dyno));
      setTimeout(ask, TOGETHER);
    },
    onReload: askAnew,
    onState(state, text) {
      if (state === "live") sayLive();
      else say(state, text);
    },
  });
  onNewDay(askAnew); // head, line of today and lateness are another day's
  setInterval(() => {
    if (document.getElementById("cal-live").dataset.state === "live") sayLive();
  }, 5_000);
}
