// Times and days as the clocks of the page's proving ground show them, wherever the browser is.
const LOOKED_EVERY = 20_000; // milliseconds
const ONCE_MORE = 180_000; // the browser's clock may be ahead of the server's

const zone = () => document.documentElement.dataset.timeZone || undefined;

/** `23:27` */
export const groundTime = (moment) =>
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone() }).format(moment);

const groundDay = (moment) => new Intl.DateTimeFormat("en-CA", { timeZone: zone() }).format(moment);

/** Calls `act` when another day has begun at the proving ground since the page was loaded; a page that slept too. */
export function onNewDay(act) {
  let day = groundDay(Date.now() - performance.now());
  function look() {
    const today = groundDay(Date.now());
    if (document.hidden || today === day) return;
    day = today;
    act();
    setTimeout(act, ONCE_MORE);
  }
  setInterval(look, LOOKED_EVERY);
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
}
