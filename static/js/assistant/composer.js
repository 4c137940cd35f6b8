// Where one writes: Enter sends, what is typed is kept until it has arrived, the page in view goes along.
import { ask, say } from "./ask.js";
import { tellOthers } from "./others.js";
import { current, goToEnd, isUnderWay, log, remember, show } from "./talk.js";

const composer = () => document.getElementById("ai-composer");
const field = () => document.getElementById("ai-text");

function fit() {
  field().style.height = "auto";
  field().style.height = `${Math.min(field().scrollHeight, 150)}px`;
}

export function write(text) {
  field().value = text;
  fit();
  field().focus();
}

/** An id that the message keeps however often it is sent. Not randomUUID, which plain HTTP does not have. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The page, the days in view and what is selected. */
function inView() {
  const calendar = document.querySelector(".calendar");
  const picked = document.activeElement?.closest?.(".bar") ?? document.querySelector(".bar.is-picked");
  const view = { path: location.pathname };
  const query = new URLSearchParams(location.search);
  if (calendar) {
    const first = new Date(`${calendar.dataset.firstDay}T00:00:00Z`);
    view.from = calendar.dataset.firstDay;
    first.setUTCDate(first.getUTCDate() + Number(calendar.dataset.days) - 1);
    view.to = first.toISOString().slice(0, 10);
  } else if (query.get("from")) Object.assign(view, { from: query.get("from"), to: query.get("to") ?? "" });
  if (picked?.id) view.selected = picked.id;
  return view;
}

const short = (day) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** What goes along is shown beneath the field. */
export function showContext() {
  const place = document.querySelector("[data-ai-context]");
  if (!place) return;
  const view = inView();
  const days = view.from && view.to ? `${short(view.from)} – ${short(view.to)}` : "";
  const picked = view.selected ? document.getElementById(view.selected)?.querySelector("b")?.textContent : "";
  // What says most comes first: the end of the line may be cut off.
  place.textContent = [picked, days, place.dataset.ground].filter(Boolean).join(" · ");
}

/** The question stands there at once; the server's own takes its place. */
function showSending(text) {
  document.getElementById("ai-welcome")?.remove();
  document.getElementById("ai-refusal")?.remove();
  const turn = Object.assign(document.createElement("div"), { className: "ai-turn ai-sending" });
  const said = Object.assign(document.createElement("div"), { className: "ai-said" });
  const words = document.createElement("p");
  words.textContent = text;
  said.append(words);
  turn.append(said);
  log()?.append(turn);
  goToEnd();
  return turn;
}

let sending = false;

async function send(starter) {
  const text = (starter ?? field().value).trim();
  if (text && isUnderWay()) say("The answer is under way. Wait for its end, or stop it.");
  if (!text || sending || isUnderWay()) return;
  sending = true;
  const form = composer();
  form.elements.message_id.value ||= newId();
  form.elements.page.value = JSON.stringify(inView());
  const body = new FormData(form);
  body.set("text", text);
  const shown = showSending(text);
  say("Sent.");
  const answer = await ask(form.action, { method: "POST", body });
  sending = false;
  shown.remove();
  if (answer?.ok) {
    form.elements.message_id.value = "";
    if (starter === undefined) {
      field().value = "";
      fit();
    }
    const fresh = answer.parts.find((part) => part.id === "ai-talk");
    const isNew = fresh.dataset.conversation !== current();
    show(answer.parts);
    remember(current());
    tellOthers(current());
    document.dispatchEvent(new CustomEvent("assistant:asked"));
    if (isNew && document.querySelector("[data-page]")) history.replaceState({}, "", new URL(`../c/${current()}/`, form.action));
    goToEnd();
  } else if (answer) {
    form.elements.message_id.value = "";
    show(answer.parts);
    goToEnd();
  }
}

export function startComposer() {
  if (!composer()) return;
  composer().addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter?.name === "starter" ? event.submitter.value : undefined);
  });
  field().addEventListener("input", fit);
  field().addEventListener("focus", showContext);
  field().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  document.addEventListener("htmx:after:swap", showContext);
  document.addEventListener("click", (event) => {
    const bar = event.target.closest?.("a.bar");
    if (bar) {
      for (const other of document.querySelectorAll(".bar.is-picked")) other.classList.remove("is-picked");
      bar.classList.add("is-picked");
      showContext();
    }
    if (event.target.closest?.("[data-ai-stop]")) {
      log()?.querySelector("[data-ai-stop-form]")?.requestSubmit();
    }
  });
  showContext();
}
