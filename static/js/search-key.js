// The key that an input names in data-shortcut puts the focus into it.
export function startSearchKey() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const input = document.querySelector(`input[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!input) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}
