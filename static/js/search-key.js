// The key that an input names in data-shortcut, such as `/` or `Ctrl+K`, puts the focus into it.
function isPressed(event, shortcut) {
  const [key, modifier] = shortcut.split("+").reverse();
  if (event.key.toLowerCase() !== key.toLowerCase() || event.altKey) return false;
  // A Mac's command key is as good as Ctrl.
  return Boolean(modifier) === (event.ctrlKey || event.metaKey);
}

export function startSearchKey() {
  document.addEventListener("keydown", (event) => {
    const input = [...document.querySelectorAll("input[data-shortcut]")].find((each) =>
      isPressed(event, each.dataset.shortcut),
    );
    const isPlain = !event.ctrlKey && !event.metaKey;
    if (!input || (isPlain && event.target.closest("input, select, textarea, [contenteditable]"))) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}
