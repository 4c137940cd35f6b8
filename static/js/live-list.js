// A list keeps up with what others do: it is asked for again after each change of its ground. What came is shown at once
// where nobody is at work in the list, else a line offers it.
import { onNewDay } from "./ground-time.js";
import { followStream } from "./stream.js";

const TOGETHER = 300; // milliseconds in which changes are gathered into one request
const REST = 2_000; // at least so long between two requests

const line = document.getElementById("live-line");
const list = () => document.getElementById("list");
let asking = false;
let again = false;

/** What can be told apart of a list; it leaves out the tokens of its forms and what its script counts. */
function look(part) {
  const bare = part.cloneNode(true);
  for (const figure of bare.querySelectorAll("output")) figure.remove();
  const addresses = [...bare.querySelectorAll("a, form")].map((each) => each.getAttribute("href") ?? each.action);
  return `${bare.textContent} ${addresses.join(" ")}`.replace(/\s+/g, " ");
}

const boxesOf = (part) => [...part.querySelectorAll('input[type="checkbox"]')];

function isInUse() {
  const chosen = getSelection();
  return list().matches(":hover, :focus-within, :has(input:checked)") || (!chosen.isCollapsed && list().contains(chosen.anchorNode));
}

async function fetchList() {
  const headers = { "HX-Request": "true", "HX-Target": "section#list", "HX-Current-URL": location.href };
  const asked = location.href;
  const answer = await fetch(asked, { headers, cache: "no-store" });
  if (!answer.ok) return undefined;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return asked === location.href ? (page.getElementById("list") ?? undefined) : fetchList(); // filtered meanwhile
}

function show(fresh) {
  const before = new Set([...list().querySelectorAll("tbody tr, li")].map((row) => row.textContent));
  const ticked = new Set(boxesOf(list()).filter((box) => box.checked).map((box) => box.value));
  list().replaceWith(fresh);
  htmx.process(fresh);
  const restored = boxesOf(fresh).filter((box) => ticked.has(box.value));
  for (const box of restored) box.checked = true;
  restored[0]?.dispatchEvent(new Event("input", { bubbles: true })); // whoever counts them counts again
  for (const row of fresh.querySelectorAll("tbody tr, li")) {
    if (!before.has(row.textContent)) row.classList.add("is-new");
  }
  line.replaceChildren();
}

function offer() {
  if (line.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small";
  button.textContent = "Show";
  button.addEventListener("click", async () => {
    const fresh = await fetchList();
    if (!fresh) return;
    show(fresh);
    fresh.tabIndex = -1;
    fresh.focus({ preventScroll: true });
  });
  line.replaceChildren("This list has changed. ", button);
}

async function ask() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const fresh = await fetchList();
    if (!fresh) return;
    if (look(fresh) === look(list())) line.replaceChildren();
    else if (isInUse()) offer();
    else show(fresh);
  } catch {
    // No connection: the stream comes back by itself, and with it what was missed.
  } finally {
    setTimeout(() => {
      asking = false;
      if (again) ask();
      again = false;
    }, REST);
  }
}

/** A list that hears nothing looks just like one that is up to date. */
function sayState(state, text) {
  if (!line.querySelector("button")) line.replaceChildren(...(state === "lost" ? [text] : []));
}

const soon = () => setTimeout(ask, TOGETHER);
if (line && list()) {
  followStream(line.dataset.stream, { onChange: soon, onReload: soon, onState: sayState });
  onNewDay(ask);
}
// Who narrows or turns the page sees what is there now.
document.addEventListener("htmx:after:swap", (event) => {
  if (event.target.id === "list" || event.target.querySelector?.("#list")) line?.replaceChildren();
});
