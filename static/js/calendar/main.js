// The calendar's modules. What a swap brings in is made ready by the refresh functions.
import { startCard } from "./card.js";
import { refreshFolds, startFolds } from "./fold.js";
import { startFreeDay } from "./free-day.js";
import { startLive } from "./live.js";
import { startPrint } from "./print.js";
import { refreshScroll, startScroll } from "./scroll.js";
import { refreshSearch, startTools } from "./tools.js";
import { refreshWalk, startWalk } from "./walk.js";

function refresh() {
  refreshFolds();
  refreshWalk();
  refreshScroll();
}

if (document.getElementById("schedule")) {
  startScroll();
  startFolds();
  startWalk();
  startFreeDay();
  startCard();
  startTools();
  startPrint();
  refresh();
  startLive();
  document.addEventListener("htmx:after:swap", () => {
    refresh();
    refreshSearch();
  });
}
