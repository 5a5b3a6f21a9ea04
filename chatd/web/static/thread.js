// A conversation as one sees it: bubbles under days, marks, older messages as one scrolls up. For console and widget.

import { arrange, byId, icon, make } from "./dom.js";
import { Fate, isAfter } from "./conversation.js";
import { shownName } from "./names.js";
import { dayOf, number, onLanguage, text, timeOf } from "./texts.js";

const NEAR_PX = 80;
const TOGETHER_MS = 5 * 60_000;
const LONGEST = 10_000; // the server may have another limit: then it says so
const WHY = {
  mensaje_too_long: "tooLong",
  para_invalid: "noSuchName",
  rate_limited: "rateLimited",
  store_busy: "notStored",
  store_full: "notStored",
  store_exhausted: "notStored",
  store_rejected: "notStored",
  store_unavailable: "notStored",
};
const AGAIN_MAY_HELP = new Set(["rate_limited", "store_busy", "store_full", "store_unavailable"]); // C-13

export class ThreadView {
  #list;
  #conversation = null;
  #watched = new WeakSet();
  #elements = new Map();
  #drawn = new WeakMap(); // by message: what its row was drawn from
  #atEnd = true;
  #loading = false;
  #onSeen;
  #showAuthors;

  /** `onSeen` is called when the end of the thread may have come before somebody's eyes. */
  constructor(list, { onSeen, showAuthors = false }) {
    this.#list = list;
    this.#onSeen = onSeen;
    this.#showAuthors = showAuthors;
    this.jump = make("button", { class: "jump", type: "button", hidden: true, onclick: () => this.toEnd() });
    list.after(this.jump);
    list.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(list);
  }

  get atEnd() {
    return this.#atEnd;
  }

  show(conversation) {
    if (conversation === this.#conversation) return;
    this.#conversation?.dropFar();
    this.#conversation = conversation;
    this.#elements.clear();
    this.#drawn = new WeakMap();
    this.#list.replaceChildren();
    this.#atEnd = true;
    this.#watch(conversation);
    this.render();
  }

  toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#atEnd = true;
    this.jump.hidden = true;
    this.#onSeen();
  }

  /** Everything anew, in another language. */
  redraw() {
    this.#elements.clear();
    this.#drawn = new WeakMap();
    this.#list.replaceChildren();
    this.render();
  }

  render() {
    const conversation = this.#conversation;
    if (!conversation) return;
    const lastBefore = this.#list.lastElementChild;
    const anchor = this.#atEnd ? null : this.#firstInSight();
    const offset = anchor && anchor.offsetTop - this.#list.scrollTop;
    arrange(this.#list, this.#rows(conversation));
    if (this.#atEnd) this.toEnd();
    else {
      if (anchor?.isConnected) this.#list.scrollTop = anchor.offsetTop - offset;
      if (lastBefore !== this.#list.lastElementChild) this.#offerJump();
    }
    if (this.#list.scrollHeight <= this.#list.clientHeight) this.#loadOlder();
  }

  // The inside.

  #watch(conversation) {
    if (this.#watched.has(conversation)) return;
    this.#watched.add(conversation);
    conversation.onChange(() => conversation === this.#conversation && this.render());
  }

  #rows({ messages, pending, hasOlder, loaded }) {
    const rows = [];
    if (!hasOlder && messages.length) rows.push(this.#note("beginning"));
    if (!loaded && !messages.length) rows.push(this.#note("notLoaded"));
    if (loaded && !messages.length && !pending.length) rows.push(this.#note("emptyThread"));
    const all = [...messages, ...pending];
    let lastDay = null;
    all.forEach((message, place) => {
      const day = dayKey(message.fecha);
      if (day !== lastDay) rows.push(this.#day(day, message.fecha));
      lastDay = day;
      rows.push(this.#row(message, all[place - 1], all[place + 1]));
    });
    return rows;
  }

  #note(key) {
    return this.#element(`note ${key}`, () => make("li", { class: `note ${key}` }, text(key)));
  }

  #day(day, ms) {
    return this.#element(`day ${day} as of ${dayKey(Date.now())}`, () => make("li", { class: "day" }, make("span", {}, dayOf(ms))));
  }

  #row(message, before, after) {
    const row = this.#element(message.cid ?? message.id ?? message, () => this.#bubble(message));
    if (message.mine) this.#mark(row, message);
    const from = [before, before?.fecha, after, after?.fecha, message.fate];
    const drawn = this.#drawn.get(message);
    if (drawn && from.every((fact, place) => fact === drawn[place])) return row; // a long thread has thousands
    this.#drawn.set(message, from);
    row.classList.toggle("joined", areTogether(before, message));
    row.classList.toggle("followed", areTogether(message, after));
    row.dataset.fate = message.fate ?? Fate.STORED;
    return row;
  }

  #element(key, create) {
    if (!this.#elements.has(key)) this.#elements.set(key, create());
    return this.#elements.get(key);
  }

  #bubble(message) {
    const author = message.mine ? text("you") : shownName(message.de ?? "");
    const shown = this.#showAuthors && !message.mine;
    return make(
      "li",
      { class: message.mine ? "message mine" : "message" },
      make("span", { class: shown ? "author" : "author sr-only" }, `${author}${shown ? "" : ": "}`),
      make("p", { class: "bubble", dir: "auto" }, message.mensaje),
      make("span", { class: "meta" }, make("time", {}, timeOf(message.fecha))),
    );
  }

  #mark(row, message) {
    const read = message.id && this.#conversation.readUpto && !isAfter(message.id, this.#conversation.readUpto);
    const delivered = message.fate === Fate.STORED && message.fecha <= this.#conversation.hereUntil() && !this.#conversation.isWithOneself;
    const states = read ? ["read"] : delivered ? [Fate.STORED, "delivered"] : [message.fate];
    const state = states.at(-1);
    const mark = `${states.join(" ")} ${message.error?.code ?? ""}`;
    if (row.dataset.mark === mark) return;
    if (state === Fate.FAILED && row.dataset.mark?.startsWith(Fate.SENDING)) announce(`${text("failed")}: ${reasonOf(message)}`);
    row.dataset.mark = mark;
    const marks = state === Fate.FAILED
      ? this.#failure(message)
      : [icon(state, text(state)), make("span", { class: "sr-only" }, text(state))];
    row.querySelector(".meta").replaceChildren(make("time", {}, timeOf(message.fecha)), ...marks);
  }

  #failure(message) {
    const again = AGAIN_MAY_HELP.has(message.error.code);
    return [
      icon("warning"),
      make("span", {}, reasonOf(message)),
      again ? this.#remedy("retry", () => this.#conversation.retry(message)) : "",
      this.#remedy("discard", () => this.#conversation.discard(message)),
    ];
  }

  /** A button that goes away with what it mends: whoever pressed it goes on in the box. */
  #remedy(name, mend) {
    const onclick = () => {
      mend();
      byId("box").focus();
    };
    return make("button", { type: "button", class: `remedy ${name}`, onclick }, text(name));
  }

  #onScroll() {
    const left = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight;
    this.#atEnd = left < NEAR_PX;
    if (this.#atEnd) {
      this.jump.hidden = true;
      this.#onSeen();
    }
    if (this.#list.scrollTop < NEAR_PX * 2) this.#loadOlder();
  }

  /** A message: the day above it goes up when older ones come. Found by halves: there may be thousands. */
  #firstInSight() {
    const rows = this.#list.getElementsByClassName("message");
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].offsetTop + rows[middle].offsetHeight > this.#list.scrollTop) high = middle;
      else low = middle + 1;
    }
    return rows[low];
  }

  /** Something came below, and the reader looks further up. */
  #offerJump() {
    this.jump.replaceChildren(icon("down"), text("newMessages"));
    this.jump.hidden = false;
  }

  async #loadOlder() {
    if (this.#loading || !this.#conversation.loaded) return;
    this.#loading = true;
    try {
      await this.#conversation.loadOlder();
    } finally {
      this.#loading = false;
    }
  }
}

/** Why a message was refused: in the reader's language, or in the server's words. */
function reasonOf({ error: { code, reason } }) {
  return code in WHY ? text(WHY[code]) : `${text("failed")}. ${reason}`;
}

const QUARTER_MS = 15 * 60_000; // in which no time zone has two days
const days = new Map();

/** What all moments of one day have in common. */
function dayKey(ms) {
  const quarter = Math.floor(ms / QUARTER_MS);
  if (!days.has(quarter)) days.set(quarter, new Date(ms).toDateString());
  return days.get(quarter);
}

/** Whether two messages, one behind the other, are of one author and one moment. */
function areTogether(one, other) {
  if (!one || !other || one.mine !== other.mine || (!one.mine && one.de !== other.de)) return false;
  return other.fecha - one.fecha < TOGETHER_MS && new Date(one.fecha).getDay() === new Date(other.fecha).getDay();
}

/** The box that one writes in: Enter sends, Shift with Enter is a new line, and it grows with its text. */
export function composer(form, { onSend, onTyping }) {
  const box = form.querySelector("textarea");
  const excess = make("p", { class: "excess", id: "excess", role: "status", hidden: true });
  form.before(excess);
  const fit = () => {
    growWithText(box);
    const over = lengthOf(box.value.trim()) - LONGEST;
    excess.hidden = over <= 0;
    excess.textContent = over > 0 ? text("excess", { count: number(over), limit: number(LONGEST) }) : "";
    box.setAttribute("aria-invalid", String(over > 0));
    box.setAttribute("aria-describedby", excess.id);
    form.querySelector("button").disabled = over > 0;
    form.classList.toggle("empty", !box.value.trim());
  };
  box.addEventListener("input", () => {
    fit();
    onTyping(box.value !== "");
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const written = box.value.trim();
    if (!written || lengthOf(written) > LONGEST) return;
    box.value = "";
    fit();
    onTyping(false);
    onSend(written);
  });
  window.addEventListener("resize", fit); // a frame that was hidden had no lines to measure
  onLanguage(fit);
  fit();
}

/** As many lines as it needs; the style sheet says how many it may have. */
function growWithText(box) {
  box.style.height = "";
  if (box.scrollHeight) box.style.height = `${box.scrollHeight}px`;
}

/** As the server counts: an emoji may be one here, and two in `length` (C-12). */
function lengthOf(words) {
  return words.length > LONGEST ? [...words].length : words.length;
}

/** Say something to screen readers, and to nobody else. */
export function announce(words) {
  byId("announcer").textContent = words;
}
