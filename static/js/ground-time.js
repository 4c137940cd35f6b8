// Times and days as the clocks of the page's proving ground show them, wherever the browser is.
const zone = () => document.documentElement.dataset.timeZone || undefined;

/** `23:27` */
export const groundTime = (moment) =>
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone() }).format(moment);
