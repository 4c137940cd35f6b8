// A page that is there to be printed: its button.
document.querySelector("[data-print]")?.addEventListener("click", () => print());
