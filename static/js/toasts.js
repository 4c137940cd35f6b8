// Toasts come from the server (Django's messages) or from here; good news leaves by itself, bad news stays.
const LIFETIME = 6000;
const LIFETIME_WITH_LINK = 20000;

function watch(toast) {
  if (toast.matches(".error, .warning")) return;
  setTimeout(() => toast.remove(), toast.querySelector("a") ? LIFETIME_WITH_LINK : LIFETIME);
}

/** Show `text`; `level` is success, info, warning or error. */
export function showToast(text, level = "info") {
  const toast = document.createElement("div");
  toast.className = `toast ${level}`;
  toast.dataset.toast = "";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  toast.append(words, close);
  document.getElementById("toasts").append(toast);
}

const SENTENCES = {
  400: "That request made no sense to the server.",
  403: "You may not do this.",
  404: "That does not exist any more.",
  429: "Too many requests: wait a moment.",
};

export function startToasts() {
  const tray = document.getElementById("toasts");
  tray.querySelectorAll("[data-toast]").forEach(watch);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node.matches?.("[data-toast]")) watch(node);
    }
  }).observe(tray, { childList: true });
  tray.addEventListener("click", (event) => {
    if (event.target.closest(".toast-close")) event.target.closest("[data-toast]").remove();
  });

  document.addEventListener("htmx:response:error", (event) => {
    const { status } = event.detail.ctx.response;
    if (status === 409 || status === 422) return; // the answer itself says what is wrong
    showToast(SENTENCES[status] ?? "The server could not answer. Try again in a moment.", "error");
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.error?.name === "AbortError") return;
    showToast("No connection. Nothing was changed.", "error");
  });
}
