// Following a run: words as they come, and everything else by asking for the turn again.
import { say } from "./ask.js";
import { addWords } from "./live.js";
import { goToEnd, isAtEnd, log, refreshTurn, settle } from "./talk.js";

const AGAIN = 3_000;
const SILENT = 25_000; // the server says something at least every 10 seconds
const followed = new Map();

class Following {
  constructor(turn) {
    this.id = turn.id;
    this.dirty = false;
    this.asking = false;
    this.ended = false;
    this.listen(turn.dataset.events);
    this.watch = setInterval(() => this.look(), SILENT);
  }

  get turn() {
    return document.getElementById(this.id);
  }

  listen(address) {
    this.address = address;
    const url = new URL(address, location);
    if (this.last) url.searchParams.set("after", this.last);
    this.stream = new EventSource(url);
    const on = (name, act) =>
      this.stream.addEventListener(name, (event) => {
        this.heard = Date.now();
        this.last = event.lastEventId || this.last;
        if (!this.turn) return this.stop();
        act(JSON.parse(event.data));
      });
    on("status", ({ status, sentence }) => {
      this.tell(sentence ?? (status === "queued" ? "Waiting for its turn…" : "Working…"));
      if (sentence) say(sentence);
    });
    on("model", ({ offline }) => {
      for (const model of document.querySelectorAll("[data-ai-model]")) model.toggleAttribute("data-offline", offline);
    });
    on("text", ({ text }) => {
      this.tell("Working…");
      this.append(text);
    });
    on("restart", () => this.live?.remove());
    on("tool", () => {
      this.close("");
      this.refresh();
    });
    on("message", ({ id }) => {
      this.close(id);
      this.refresh();
    });
    on("proposal", () => this.refresh());
    on("reload", () => this.refresh());
    on("beat", () => {});
    on("gone", () => this.stop());
    on("end", () => {
      this.ended = true;
      this.stream.close();
      this.refresh();
    });
    this.stream.addEventListener("open", () => this.tell("Working…"));
    this.stream.addEventListener("error", () => {
      if (this.ended) return;
      this.tell("No connection: trying again…");
      if (this.stream.readyState === EventSource.CLOSED) setTimeout(() => this.comeBack(), AGAIN);
    });
  }

  /** The words that are being said, which no message in the transcript stands for yet. */
  get live() {
    return this.turn?.querySelector(".ai-live:not([data-closed])");
  }

  append(text) {
    const end = isAtEnd();
    let live = this.live;
    if (!live) {
      live = Object.assign(document.createElement("div"), { className: "ai-live ai-prose" });
      const working = this.turn.querySelector(".ai-working");
      if (working) working.before(live);
      else this.turn.append(live);
    }
    addWords(live, text);
    if (end) goToEnd();
  }

  close(message) {
    if (this.live) this.live.dataset.closed = message;
  }

  tell(text) {
    const place = this.turn?.querySelector("[data-ai-working]");
    if (place) place.textContent = text;
  }

  async refresh() {
    this.dirty = true;
    if (this.asking) return;
    this.asking = true;
    while (this.dirty && this.turn) {
      this.dirty = false;
      const closed = [...this.turn.querySelectorAll(".ai-live[data-closed]")];
      const ended = this.ended;
      if (!(await refreshTurn(this.turn))) {
        await new Promise((done) => setTimeout(done, AGAIN));
        this.dirty = true;
        continue;
      }
      for (const live of closed) if (ended || document.getElementById(`message-${live.dataset.closed}`)) live.remove();
      if (ended && !this.dirty) this.finish();
    }
    this.asking = false;
  }

  /** Nothing was heard for long: nobody may be at the other end of its stream any more. */
  look() {
    if (Date.now() - (this.heard ?? 0) <= SILENT) return;
    this.tell("No connection: trying again…");
    this.stream.close();
    this.comeBack();
  }

  async comeBack() {
    if (!this.turn) return this.stop();
    await this.refresh();
    if (!this.turn?.dataset.events) this.finish();
    else if (this.stream.readyState === EventSource.CLOSED && !this.ended) this.listen(this.address);
  }

  finish() {
    for (const live of this.turn?.querySelectorAll(".ai-live") ?? []) live.remove();
    this.stop();
    settle();
    const answers = this.turn?.querySelectorAll(".ai-prose") ?? [];
    const waiting = this.turn?.querySelectorAll(".ai-card.is-waiting").length ?? 0;
    const notes = this.turn?.querySelector(".ai-note p")?.textContent ?? "";
    const words = [answers[answers.length - 1]?.textContent.trim(), notes];
    if (waiting) words.push(waiting === 1 ? "A change needs your approval." : `${waiting} changes need your approval.`);
    say(words.filter(Boolean).join(" "));
    document.dispatchEvent(new CustomEvent("assistant:ended"));
  }

  stop() {
    this.ended = true;
    this.stream.close();
    clearInterval(this.watch);
    followed.delete(this.id);
  }
}

function followAll() {
  for (const turn of log()?.querySelectorAll(".ai-turn[data-events]") ?? []) {
    if (!followed.has(turn.id)) followed.set(turn.id, new Following(turn));
  }
}

/** Follows whatever is under way in the conversation. An event leads here, as modules that import each other in a
 * circle could not get names with hashes. */
export function startFollowing() {
  document.addEventListener("assistant:settled", followAll);
  addEventListener("pagehide", () => {
    for (const each of followed.values()) each.stop();
  });
}
