// The conversation in view: loading it, keeping it up to date, following what is under way.
import { ask, heldBy, merge, place, say } from "./ask.js";
import { others } from "./others.js";

const panel = () => document.getElementById("assistant");
const talk = () => document.getElementById("ai-talk");
export const log = () => document.getElementById("ai-log");
const slot = () => `assistant-${panel().dataset.user}-${panel().dataset.ground}`;

/** This tab's conversation; a tab that has none begins with the latest. */
function remembered() {
  try {
    return sessionStorage.getItem(slot()) ?? "";
  } catch {
    return "";
  }
}

export function remember(conversation) {
  try {
    sessionStorage.setItem(slot(), conversation);
  } catch {
    // Private windows may refuse; the latest conversation then comes back.
  }
}

export const current = () => talk()?.dataset.conversation ?? "";
export const isUnderWay = () => Boolean(log()?.querySelector(".ai-turn[data-events]"));

const NEAR = 60; // pixels from the end within which the log goes along with what comes
export const isAtEnd = () => !log() || log().scrollHeight - log().scrollTop - log().clientHeight < NEAR;
export function goToEnd() {
  if (log()) log().scrollTop = log().scrollHeight;
}

/** What has to happen after anything in the conversation was put in place. */
export function settle() {
  const running = isUnderWay();
  const composer = document.getElementById("ai-composer");
  if (composer && talk()) {
    composer.elements.conversation.value = current();
    const held = heldBy(composer.querySelector(".ai-halt"));
    composer.querySelector(".ai-send").hidden = running;
    composer.querySelector(".ai-halt").hidden = !running;
    const starters = composer.querySelector(".ai-starters");
    if (starters) starters.hidden = running;
    if (!running) held?.();
  }
  document.dispatchEvent(new CustomEvent("assistant:settled"));
}

/** Puts parts in place; a conversation that is shown already is made the same, so that nothing in it jumps. */
export function show(parts) {
  const end = isAtEnd();
  for (const part of parts) {
    if (part.id === "ai-talk" && talk() && part.dataset.conversation === current() && current()) mergeTalk(part);
    else if (part.classList.contains("ai-turn") && document.getElementById(part.id)) {
      merge(document.getElementById(part.id), part);
    } else {
      place([part]);
      if (part.id === "ai-talk") goToEnd();
    }
  }
  if (end) goToEnd();
  settle();
}

function mergeTalk(fresh) {
  document.getElementById("ai-welcome")?.remove();
  for (const other of log().querySelectorAll(".ai-sending, #ai-refusal")) other.remove();
  const turns = [...fresh.querySelectorAll(".ai-turn")];
  for (const turn of turns) {
    const old = document.getElementById(turn.id);
    if (old) merge(old, turn);
    else log().append(turn);
  }
  for (const old of log().querySelectorAll(".ai-turn")) {
    if (!turns.some(({ id }) => id === old.id)) old.remove();
  }
  document.getElementById("ai-pending")?.replaceWith(fresh.querySelector("#ai-pending"));
}

export async function refreshTurn(turn) {
  const answer = await ask(turn.dataset.address, { quiet: true });
  if (answer) show(answer.parts);
  return Boolean(answer);
}

async function refreshTalk() {
  if (!current()) return;
  const answer = await ask(talk().dataset.address, { quiet: true });
  if (answer) show(answer.parts);
}

/** Loads the panel's conversation: this tab's, a named one, or a new one. */
export async function load(conversation = remembered()) {
  const wanted = new URL(panel().dataset.source, location);
  if (conversation) wanted.searchParams.set("c", conversation);
  const answer = await ask(wanted, { quiet: true });
  if (!answer) {
    document.getElementById("ai-body").textContent = "The assistant can't be reached at the moment.";
    return;
  }
  document.getElementById("ai-body").replaceChildren();
  show(answer.parts);
  goToEnd();
}

export function startTalk() {
  others.addEventListener("message", ({ data }) => {
    if (data.conversation === current()) refreshTalk();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && talk()) refreshTalk();
  });
  document.addEventListener("assistant:said", ({ detail }) => say(detail));
  if (talk()) {
    settle();
    goToEnd();
  }
}
