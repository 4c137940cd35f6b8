// The assistant on every page: the panel's frame, what is said in it, and cards. Its page works without any of this.
import { startBars } from "./bars.js";
import { startCards } from "./cards.js";
import { startComposer } from "./composer.js";
import { startFollowing } from "./follow.js";
import { startFrame } from "./frame.js";
import { startTalk } from "./talk.js";

if (document.getElementById("assistant")) {
  startFollowing();
  startTalk();
  startComposer();
  startCards();
  startBars();
  startFrame();
}
