// Toasts come from the server (Django's messages) or from here; good news leaves by itself, bad news stays.
const LIFETIME = 6000;
const LIFETIME_WITH_LINK = 20000;

function watch(toast) {
  if (toast.matches(".error, .warning")) return;
  setTimeout(() => toast.remove(), toast.querySelector("a, form") ? LIFETIME_WITH_LINK : LIFETIME);
}

/** Show `text`; `level` is success, info, warning or error. An action has a `label` and what it does, `act`. */
export function showToast(text, level = "info", action = undefined) {
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
  toast.append(words);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = action.label;
    button.addEventListener("click", action.act);
    words.append(" ", button);
  }
  toast.append(close);
  document.getElementById("toasts").append(toast);
}

const SENTENCES = {
  400: "That request made no sense to the server.",
  403: "You may not do this.",
  404: "That does not exist any more.",
  405: "This page is out of date; load it again.",
  413: "That is too large to be sent.",
  429: "Too many requests: wait a moment.",
};

/** Why the server refused, in words; of a page that is out of date with a way to load it again. */
export function tellRefusal({ status, headers }) {
  if (headers.get("X-Refusal") === "out-of-date") {
    const again = { label: "Load it again", act: () => location.reload() };
    showToast("This page is out of date. Nothing was changed.", "error", again);
  } else {
    showToast(SENTENCES[status] ?? "The server could not answer. Try again in a moment.", "error");
  }
}

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
    const { response } = event.detail.ctx;
    if (response.status === 409 || response.status === 422) return; // the answer itself says what is wrong
    tellRefusal(response);
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.error?.name === "AbortError") return;
    showToast("No connection. Nothing was changed.", "error");
  });
}
