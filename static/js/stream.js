// A proving ground's event stream, followed while the page is looked at. A browser has six connections to a server for
// all of its tabs together (HTTP/1.1): a tab that is hidden gives its own back, and catches up when it is shown again.
import { groundTime } from "./ground-time.js";

const AGAIN = 10_000;
const HIDDEN_FOR = 10_000;
const SILENCE = 15_000; // the server says something at least every 10 seconds

const TRYING = "No connection: trying again";
const SIGNED_OUT = { text: "Signed out: load the page again", over: true };
const NO_RIGHT = { text: "You may no longer look at this proving ground", over: true };
const TOO_MANY = { text: "Too many live pages: trying again" };
const WHY = { 401: SIGNED_OUT, 403: NO_RIGHT, 404: NO_RIGHT, 429: TOO_MANY, 503: { text: "The server is busy: trying again" } };

/** An EventSource does not say why it was refused; the same address asked once more does. */
async function whyRefused(address) {
  const asking = new AbortController();
  const limit = setTimeout(() => asking.abort(), SILENCE);
  try {
    const headers = { Accept: "text/event-stream" };
    const answer = await fetch(address, { headers, redirect: "manual", cache: "no-store", signal: asking.signal });
    return answer.type === "opaqueredirect" ? SIGNED_OUT : (WHY[answer.status] ?? { text: TRYING });
  } catch {
    return { text: TRYING };
  } finally {
    clearTimeout(limit);
    asking.abort();
  }
}

/**
 * Calls `onChange(event)` for each change and `onReload()` where some were missed; `onState(state, text)` is told "live",
 * or "lost" and why.
 */
export function followStream(address, { onChange, onReload, onState = () => {} }) {
  const url = new URL(address, location);
  let stream;
  let over = false;
  let later;
  let silence;
  let heard; // when the server said something last

  function close() {
    clearTimeout(later);
    clearTimeout(silence);
    stream?.close();
    stream = undefined;
  }

  /** A connection may stay open while nobody is at its other end: then it is opened again. */
  function listenFor() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      close();
      onState("lost", heard ? `Nothing heard since ${groundTime(heard)}` : TRYING);
      open();
    }, SILENCE);
  }

  function hear() {
    heard = Date.now();
    listenFor();
  }

  async function tellWhy() {
    close();
    const why = await whyRefused(url);
    if (stream) return; // opened again meanwhile
    over = Boolean(why.over);
    onState("lost", why.text);
    if (!over) later = setTimeout(open, AGAIN);
  }

  function open() {
    if (stream || over || document.hidden) return;
    stream = new EventSource(url);
    listenFor();
    stream.addEventListener("open", () => {
      hear();
      onState("live");
    });
    stream.addEventListener("beat", hear);
    stream.addEventListener("change", (event) => {
      hear();
      document.dispatchEvent(new CustomEvent("ground:changed"));
      url.searchParams.set("after", event.lastEventId);
      onChange(JSON.parse(event.data));
    });
    stream.addEventListener("reload", () => {
      document.dispatchEvent(new CustomEvent("ground:changed"));
      onReload();
    });
    stream.addEventListener("gone", tellWhy);
    stream.addEventListener("error", () => {
      if (stream?.readyState === EventSource.CLOSED) return tellWhy();
      onState("lost", TRYING);
      listenFor();
    });
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(later);
    if (document.hidden) later = setTimeout(close, HIDDEN_FOR);
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open); // the page may have been kept and come back by "Back"
  open();
}
