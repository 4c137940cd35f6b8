// The card of what a bar stands for, fetched when it is asked for. Without this module the bar's link opens its page.
import { dynosOf, scroller, sideWidth } from "./geometry.js";

const GAP = 8;
const card = () => document.getElementById("card");
let shown;

function position(bar) {
  if (matchMedia("(max-width: 700px)").matches) return;
  const bounds = bar.getBoundingClientRect();
  const board = scroller().getBoundingClientRect();
  const { width, height } = card().getBoundingClientRect();
  const leftmost = board.left + sideWidth() + GAP;
  const left = Math.max(leftmost, Math.min(bounds.left, board.right - width - 12));
  const below = bounds.bottom + GAP + height < innerHeight;
  const top = below ? bounds.bottom + GAP : bounds.top - height - GAP;
  card().style.left = `${left}px`;
  card().style.top = `${Math.max(60, Math.min(top, innerHeight - height - GAP))}px`;
}

async function open(bar, byKeyboard) {
  shown = bar.id;
  await htmx.ajax("GET", `${bar.getAttribute("href")}card/`, { target: "#card", swap: "innerHTML" });
  if (shown !== bar.id || !card().hasChildNodes()) return;
  card().className = `popover cal-card ${[...bar.classList].find((name) => name.startsWith("status-")) ?? ""}`;
  card().showPopover();
  position(bar);
  if (byKeyboard) card().querySelector("a, button").focus();
}

/** Ask again for the card that is open, if it belongs to one of these rows. */
export async function refreshCard(dynos) {
  if (!card().matches(":popover-open")) return;
  const bar = document.getElementById(shown);
  if (!bar) card().hidePopover();
  else if (dynosOf(bar.closest(".cal-row")).some((dyno) => dynos.has(dyno))) {
    await htmx.ajax("GET", `${bar.getAttribute("href")}card/`, { target: "#card", swap: "innerHTML" });
  }
}

export function startCard() {
  document.addEventListener("click", (event) => {
    const bar = event.target.closest?.("a.bar");
    if (!bar || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(bar, event.detail === 0);
  });
  card().addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    const bar = document.getElementById(shown);
    if (document.activeElement === document.body) bar?.focus({ preventScroll: true });
  });
}
