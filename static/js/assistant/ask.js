// Asking the server: parts of a page by their ids, put in place of those that are there.
import { showToast, tellRefusal } from "../toasts.js";

/** The parts that the address answers with, or nothing where there is no answer; what went wrong is said. */
export async function ask(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { ...options, headers: { "HX-Request": "true", "HX-Current-URL": location.href } });
  } catch {
    if (!options.quiet) showToast("No connection. Nothing was changed.", "error");
    return undefined;
  }
  if (response.headers.get("HX-Redirect")) {
    location.href = response.headers.get("HX-Redirect");
    return undefined;
  }
  if (!response.ok && response.status !== 409 && response.status !== 422) {
    if (!options.quiet) tellRefusal(response);
    return undefined;
  }
  showWaiting(response.headers.get("X-Assistant-Waiting"));
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return { ok: response.ok, parts: [...template.content.children] };
}

/** How many proposals wait, wherever that is shown. */
function showWaiting(number) {
  if (number === null) return;
  for (const badge of document.querySelectorAll("[data-ai-waiting]")) {
    badge.hidden = number === "0";
    badge.firstElementChild.textContent = number;
  }
}

/** Words for who hears the page. */
export function say(text) {
  const place = document.getElementById("ai-say");
  if (place) place.textContent = text;
}

/** Puts each part in place of the one with its id; a new one goes where it says. */
export function place(parts) {
  for (const part of parts) {
    if (part.hasAttribute("data-ai-say")) {
      say(part.textContent);
      continue;
    }
    const old = part.id && document.getElementById(part.id);
    if (old) replace(old, part);
    else if (part.dataset.after) document.getElementById(part.dataset.after)?.after(part);
    else if (part.dataset.appendTo) document.getElementById(part.dataset.appendTo)?.append(part);
    else document.getElementById("ai-body").replaceChildren(part);
  }
}

/** The focus stays: on what it was on if that is still there, else on what it stood in. */
export function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : undefined;
  const { id, name, value, ariaLabel } = focused ?? {};
  const held = heldBy(old);
  old.replaceWith(fresh);
  if (!focused) return;
  const named = name ? [...fresh.querySelectorAll(`[name="${CSS.escape(name)}"]:not([type="hidden"])`)] : [];
  // Several buttons may have one name.
  const same = (id && document.getElementById(id)) || named.find((each) => each.ariaLabel === ariaLabel) || named[0];
  const next = same || fresh.querySelector('[aria-invalid="true"], [data-ai-first]') || fresh;
  if (value && same?.value === "" && same.matches("input, textarea")) same.value = value;
  next.focus({ preventScroll: true });
  if (document.activeElement === document.body) held?.();
}

/** Where the focus is within the place: how to give it to the composer, for when the place is gone. One who types goes on
 * typing; one who points sees no keyboard come up. */
export function heldBy(place) {
  if (!place.contains(document.activeElement)) return undefined;
  const next = document.activeElement.matches(":focus-visible") ? "#ai-text" : ".ai-send";
  // Afterwards: what is to have it may be hidden until everything is in place.
  return () => setTimeout(() => document.querySelector(next)?.focus({ preventScroll: true }));
}

/** Makes `old` what `fresh` is, child by child: what is the same stays as it stands, opened or being edited. */
export function merge(old, fresh) {
  for (const name of ["data-status", "data-events"]) {
    if (fresh.hasAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
    else old.removeAttribute(name);
  }
  const kept = new Set();
  let before;
  for (const child of [...fresh.children]) {
    kept.add(child.id);
    let here = old.querySelector(`:scope > #${CSS.escape(child.id)}`);
    if (!here) {
      here = child;
      if (before) before.after(child);
      else old.prepend(child);
    } else if (here.dataset.version !== child.dataset.version) {
      replace(here, child);
      here = child;
    }
    before = here;
  }
  for (const child of [...old.children]) {
    if (kept.has(child.id) || child.classList.contains("ai-live")) continue;
    const held = heldBy(child);
    child.remove();
    held?.();
  }
}
