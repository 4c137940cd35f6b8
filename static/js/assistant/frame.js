// The panel's frame: open or closed, how wide, keys. The state is kept in a cookie, so that the server draws it so.
import { load } from "./talk.js";
import { showContext } from "./composer.js";

const YEAR = 365 * 24 * 60 * 60;
const STEP = 16;
const USUAL = 372;
const narrow = matchMedia("(max-width: 1020px)");
const panel = () => document.getElementById("assistant");
const handle = () => panel().querySelector(".ai-resize");
const isPage = () => "page" in panel().dataset;
const isOpen = () => isPage() || (narrow.matches ? "sheet" : "open") in panel().dataset;
let loaded = false;
let cameFrom;

function keep() {
  const state = "open" in panel().dataset ? "open" : "closed";
  const secure = location.protocol === "https:" ? "; secure" : "";
  const width = handle().getAttribute("aria-valuenow");
  document.cookie = `assistant=${state}.${width}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
}

function showState() {
  for (const toggle of document.querySelectorAll("[data-ai-toggle]")) toggle.setAttribute("aria-expanded", isOpen());
}

async function fill() {
  if (loaded) return;
  loaded = true;
  await load();
}

export async function openPanel({ focus = true } = {}) {
  if (!isPage() && !isOpen()) {
    cameFrom = document.activeElement;
    panel().toggleAttribute(narrow.matches ? "data-sheet" : "data-open", true);
    if (!narrow.matches) keep();
    showState();
    dispatchEvent(new Event("resize"));
  }
  showContext();
  if (focus) document.getElementById("ai-text")?.focus({ preventScroll: true });
  await fill();
}

export function closePanel() {
  if (isPage() || !isOpen()) return;
  const held = panel().contains(document.activeElement);
  panel().toggleAttribute(narrow.matches ? "data-sheet" : "data-open", false);
  if (!narrow.matches) keep();
  showState();
  dispatchEvent(new Event("resize"));
  if (!held) return;
  const toggles = [...document.querySelectorAll("[data-ai-toggle]")];
  const back = cameFrom?.isConnected && cameFrom !== document.body ? cameFrom : undefined;
  (back ?? toggles.find((toggle) => toggle.offsetParent))?.focus();
}

function setWidth(pixels) {
  const [least, most] = ["aria-valuemin", "aria-valuemax"].map((name) => Number(handle().getAttribute(name)));
  const width = Math.round(Math.min(most, innerWidth * 0.6, Math.max(least, pixels)));
  panel().parentElement.style.setProperty("--panel", `${width}px`);
  handle().setAttribute("aria-valuenow", width);
}

const width = () => Number(handle().getAttribute("aria-valuenow"));

function startResize() {
  handle().addEventListener("pointerdown", (event) => {
    handle().setPointerCapture(event.pointerId);
    handle().classList.add("is-held");
    const right = panel().getBoundingClientRect().right;
    const move = ({ clientX }) => setWidth(right - clientX - 6);
    const done = () => {
      handle().classList.remove("is-held");
      handle().removeEventListener("pointermove", move);
      keep();
    };
    handle().addEventListener("pointermove", move);
    handle().addEventListener("lostpointercapture", done, { once: true });
    event.preventDefault();
    handle().focus();
  });
  handle().addEventListener("dblclick", () => {
    setWidth(USUAL);
    keep();
  });
  handle().addEventListener("keydown", (event) => {
    const wanted = {
      ArrowLeft: width() + STEP,
      ArrowRight: width() - STEP,
      Home: Number(handle().getAttribute("aria-valuemax")),
      End: Number(handle().getAttribute("aria-valuemin")),
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    setWidth(wanted);
    keep();
  });
}

/** On phones the sheet is pulled down by its head. */
function startPull() {
  const head = panel().querySelector(".ai-head");
  let from;
  head.addEventListener("touchstart", (event) => (from = event.touches[0].clientY), { passive: true });
  head.addEventListener(
    "touchend",
    (event) => {
      if (event.changedTouches[0].clientY - from > 70) closePanel();
    },
    { passive: true },
  );
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !event.target.closest("input, select, textarea, [contenteditable]")) {
    event.preventDefault();
    openPanel();
  }
  if (event.key !== "Escape" || !panel().contains(event.target) || event.defaultPrevented) return;
  if (document.querySelector("details[data-menu][open]")) return;
  const word = event.target.closest(".ai-reject[open]");
  if (word) {
    word.open = false;
    word.querySelector("summary").focus();
  } else closePanel();
}

export function startFrame() {
  // Before the menus' own listener, which closes them: Escape closes one thing at a time.
  document.addEventListener("keydown", onKey, true);
  if (isPage()) return;
  for (const toggle of document.querySelectorAll("[data-ai-toggle]")) {
    toggle.setAttribute("role", "button");
    toggle.setAttribute("aria-controls", "assistant");
    toggle.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (isOpen()) closePanel();
      else openPanel();
    });
    toggle.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      toggle.click();
    });
  }
  panel().querySelector("[data-ai-close]").addEventListener("click", closePanel);
  narrow.addEventListener("change", showState);
  startResize();
  startPull();
  showState();
  if (isOpen()) fill();
}
