// Everything that is pressed inside the assistant: forms, links, copying, editing what was asked.
import { ask, place, say } from "./ask.js";
import { write } from "./composer.js";
import { tellOthers } from "./others.js";
import { current, load, remember, settle, show } from "./talk.js";
import { showToast } from "../toasts.js";

const inside = (element) => element?.closest?.("#assistant");

async function submit(form, submitter) {
  const body = new FormData(form, submitter);
  const buttons = [...form.querySelectorAll("button")];
  const before = form.closest(".ai-card, .ai-turn");
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  form.setAttribute("aria-busy", "true");
  const answer = await ask(form.action, { method: "POST", body });
  for (const button of buttons) button.removeAttribute("aria-disabled");
  form.removeAttribute("aria-busy");
  if (!answer) return;
  show(answer.parts);
  if (before?.matches(".ai-card")) sayCard(before.id);
  if (form.matches("[data-ai-stop-form]")) say("Stopping.");
  if (current()) tellOthers(current());
  document.dispatchEvent(new CustomEvent("assistant:decided"));
}

function sayCard(id) {
  const card = document.getElementById(id);
  if (card?.querySelector('[role="alert"]')) return; // which is said by itself
  const words = [card?.querySelector("header")?.textContent, card?.querySelector("h4")?.textContent];
  words.push(card?.querySelector(".ai-card-note, .ai-card-why")?.textContent);
  say(words.filter(Boolean).map((each) => each.trim()).join(". "));
}

async function open(address) {
  const answer = await ask(address);
  if (!answer) return;
  place(answer.parts);
  settle();
  const first = answer.parts[0];
  const target = first.querySelector("input:not([type=hidden]), select, [data-ai-first], a, button") ?? first;
  target.focus({ preventScroll: true });
  if (first.matches(".ai-card")) first.scrollIntoView({ block: "nearest" });
}

async function copy(button) {
  const words = button.closest(".ai-answer").querySelector("[data-ai-copied]").innerText;
  try {
    await navigator.clipboard.writeText(words);
    showToast("The answer is copied.", "success");
  } catch {
    showToast("This browser does not allow copying; mark the text instead.", "warning");
  }
}

async function onClick(event) {
  const link = event.target.closest?.("a, button");
  if (!inside(link) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const isPage = Boolean(document.querySelector("#assistant[data-page]"));
  if (link.matches("[data-ai-copy]")) copy(link);
  else if (link.matches("[data-ai-edit]")) write(link.closest(".ai-said").querySelector("p").innerText);
  else if (link.matches("[data-ai-load]")) {
    event.preventDefault();
    open(link.href);
  } else if (isPage) return;
  else if (link.matches("[data-ai-open]")) {
    event.preventDefault();
    open(`${link.href}${link.search ? "&" : "?"}c=${current()}`);
  } else if (link.matches("[data-ai-new]")) {
    event.preventDefault();
    remember("new");
    await load("new");
    write("");
  } else if (link.matches("[data-ai-back]")) {
    event.preventDefault();
    await load();
    document.getElementById("ai-text").focus();
  } else if (link.matches("[data-ai-conversation]")) {
    event.preventDefault();
    remember(link.dataset.aiConversation);
    await load();
    document.getElementById("ai-text").focus();
  }
}

let searching;
function onSearch(event) {
  const form = event.target.closest?.("[data-ai-search]");
  if (!form) return;
  clearTimeout(searching);
  searching = setTimeout(() => list(form), 180);
}

async function list(form, options) {
  const wanted = new URLSearchParams(new FormData(form));
  wanted.set("c", current());
  const answer = await ask(`${form.action}?${wanted}`, options);
  if (answer) place(answer.parts);
}

/** The list beside a conversation on its page: by what was asked last, and with what waits. */
function refreshList() {
  const form = document.querySelector("#assistant[data-page] [data-ai-search]");
  if (form) list(form, { quiet: true });
}

export function startCards() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!inside(form) || form.id === "ai-composer") return;
    if (form.matches("[data-ai-search]")) {
      event.preventDefault();
      onSearch(event);
    } else if (form.matches("[data-ai-form]")) {
      const isList = Boolean(document.querySelector("#assistant[data-page]")) && form.closest(".ai-side, .ai-title");
      if (isList) return; // on the page these lead to a page
      event.preventDefault();
      if (form.getAttribute("aria-busy") !== "true") submit(form, event.submitter);
    }
  });
  document.addEventListener("click", onClick);
  document.addEventListener("input", onSearch);
  for (const name of ["assistant:asked", "assistant:ended", "assistant:decided"]) {
    document.addEventListener(name, refreshList);
  }
  // A word of why is asked for where it is pressed, and given up with Escape.
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches?.(".ai-reject") || !event.target.open) return;
      event.target.querySelector('[name="word"]').focus();
      event.target.scrollIntoView({ block: "nearest" });
    },
    true,
  );
}
