// Single keys: `?` shows them all, `n` books, `t` goes to today. Never while something is typed.
const typing = "input, select, textarea, [contenteditable], dialog[open]";

const KEYS = {
  "?": () => document.getElementById("keys")?.togglePopover(),
  n: () => document.querySelector("[data-new-booking]")?.click(),
  t: () => document.getElementById("cal-now")?.click(),
};

export function startShortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(typing)) return;
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
