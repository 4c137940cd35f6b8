// A proving ground's event stream, followed while the page is looked at. A browser has six connections to a server for
// all of its tabs together (HTTP/1.1): a tab that is hidden gives its own back, and catches up when it is shown again.
const AGAIN = 10_000;
const HIDDEN_FOR = 10_000;

const TRYING = "No connection: trying again";
const SIGNED_OUT = { text: "Signed out: load the page again", over: true };
const NO_RIGHT = { text: "You may no longer look at this proving ground", over: true };
const TOO_MANY = { text: "Too many live pages: trying again" };
const WHY = { 401: SIGNED_OUT, 403: NO_RIGHT, 404: NO_RIGHT, 429: TOO_MANY, 503: { text: "The server is busy: trying again" } };

/** An EventSource does not say why it was refused; the same address asked once more does. */
async function whyRefused(address) {
  const asking = new AbortController();
  try {
    const headers = { Accept: "text/event-stream" };
    const answer = await fetch(address, { headers, redirect: "manual", cache: "no-store", signal: asking.signal });
    return answer.type === "opaqueredirect" ? SIGNED_OUT : (WHY[answer.status] ?? { text: TRYING });
  } catch {
    return { text: TRYING };
  } finally {
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

  function close() {
    clearTimeout(later);
    stream?.close();
    stream = undefined;
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
    stream.addEventListener("open", () => onState("live"));
    stream.addEventListener("change", (event) => {
      url.searchParams.set("after", event.lastEventId);
      onChange(JSON.parse(event.data));
    });
    stream.addEventListener("reload", onReload);
    stream.addEventListener("gone", tellWhy);
    stream.addEventListener("error", () => {
      if (stream?.readyState === EventSource.CLOSED) tellWhy();
      else onState("lost", TRYING);
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
