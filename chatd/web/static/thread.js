// Draws a conversation: bubbles under days; scrolling up loads older messages. For console and widget.

import { Bubbles, mark } from "./bubbles.js";
import { arrange, icon, make } from "./dom.js";
import { MOST_PRINTED } from "./conversation.js";
import { idBefore } from "./messages.js";
import { dayKey } from "./moments.js";
import { Fate } from "./outbox.js";
import { dayOf, text } from "./texts.js";

const NEAR_PX = 80;
const MOST_UNUSED = 100; // kept elements of messages that are no longer loaded
const TOGETHER_MS = 5 * 60_000;
export class ThreadView {
  #list;
  #conversation = null;
  #watched = new WeakSet();
  #elements = new Map();
  #drawn = new WeakMap(); // by message: the values from which its row was drawn
  #atEnd = true;
  #loading = false;
  #printing = false;
  #offeredFor = null;
  #onSeen;

  /** `onSeen` is called when the end of the thread may have become visible. */
  constructor(list, { onSeen, showAuthors = false }) {
    this.#list = list;
    this.#onSeen = onSeen;
    this.bubbles = new Bubbles(showAuthors);
    this.jump = make("button", { class: "jump", type: "button", hidden: true, onclick: () => this.toEnd() });
    this.toNew = make("button", { class: "jump to-new", type: "button", hidden: true, onclick: () => this.toFirstNew() });
    list.after(this.jump, this.toNew);
    list.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#atEnd && this.#stayAtEnd()).observe(list);
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** Show a conversation; null shows none. */
  show(conversation) {
    if (conversation === this.#conversation) return;
    this.#conversation?.dropFar();
    this.#conversation = conversation;
    this.#elements.clear();
    this.#drawn = new WeakMap();
    this.#offeredFor = null;
    this.#list.replaceChildren();
    this.#atEnd = true;
    this.#printing = false;
    this.jump.hidden = this.toNew.hidden = true;
    if (conversation === null) return;
    this.#watch(conversation);
    this.render();
  }

  /** Scroll to the newest message, and load it first if necessary. */
  toEnd() {
    this.#conversation?.goToNewest();
    this.#stayAtEnd();
  }

  async toDate(ms) {
    await this.#goTo(idBefore(ms), (message) => message.fecha >= ms);
  }

  /** Scroll to a message that a search has found, and load it first if necessary. */
  async toMessage(id) {
    await this.#goTo(id, (message) => message.id === id);
    for (const row of this.#list.querySelectorAll(".sought")) row.classList.remove("sought");
    this.#rowOf((message) => message.id === id)?.classList.add("sought");
  }

  async toFirstNew() {
    await this.#goTo(this.#conversation.newAfter || "0", (message) => this.#conversation.isNew(message));
    this.toNew.hidden = true;
  }

  /** Draw everything again, in another language. */
  redraw() {
    this.#elements.clear();
    this.#drawn = new WeakMap();
    this.#list.replaceChildren();
    this.render();
  }

  /** Print the conversation: also what is not loaded. Until the browser has printed, nothing else is drawn. */
  async print() {
    const conversation = this.#conversation;
    if (!conversation || this.#printing) return;
    const whole = await conversation.whole();
    if (conversation !== this.#conversation || this.#printing) return;
    this.#printing = true;
    const sight = this.#sight();
    this.#put(this.#rows(whole), sight);
    window.addEventListener("afterprint", () => this.#onPrinted(conversation, sight), { once: true });
    window.print();
  }

  #onPrinted(conversation, sight) {
    if (conversation !== this.#conversation) return;
    this.#printing = false;
    this.render(sight);
  }

  /** `sight` is where the reader looks; null: what is in sight now. */
  render(sight = null) {
    const conversation = this.#conversation;
    if (!conversation || this.#printing) return;
    if (conversation.hasNewer) this.#atEnd = false;
    const lastBefore = this.#list.lastElementChild;
    sight ??= this.#sight();
    const rows = this.#rows(conversation);
    this.#put(rows, sight);
    if (this.#elements.size > rows.length + MOST_UNUSED) this.#forgetUnused();
    if (!this.#atEnd && lastBefore !== this.#list.lastElementChild) this.#offerJump();
    this.#offerNew();
    if (this.#list.scrollHeight <= this.#list.clientHeight) this.#load("loadOlder");
  }

  // Internals.

  /** The first message in sight, and how far it is below the top edge; null at the end of the thread. */
  #sight() {
    const row = this.#atEnd ? null : this.#firstInSight();
    return row ? { row, offset: row.offsetTop - this.#list.scrollTop } : null;
  }

  #put(rows, sight) {
    arrange(this.#list, rows);
    if (this.#atEnd) this.#stayAtEnd();
    else if (sight?.row.isConnected) this.#list.scrollTop = sight.row.offsetTop - sight.offset;
  }

  #stayAtEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#atEnd = !this.#conversation?.hasNewer;
    this.jump.hidden = this.#atEnd;
    if (this.#atEnd) this.#onSeen();
  }

  /** Show the messages around `id`, with the first one that is `wanted` at the top. */
  async #goTo(id, wanted) {
    const conversation = this.#conversation;
    if (!this.#rowOf(wanted)) await conversation.goTo(id);
    if (conversation !== this.#conversation) return;
    this.#atEnd = conversation.following = false;
    this.render();
    const row = this.#rowOf(wanted) ?? [...this.#list.querySelectorAll(".message")].at(-1);
    this.#list.scrollTop = (row?.offsetTop ?? 0) - NEAR_PX;
    this.#onScroll();
  }

  /** Offer the button to the first new message, unless the line above that message is visible. */
  #offerNew() {
    const first = this.#list.querySelector(".divider");
    const waits = typeof this.#conversation.newAfter === "string";
    const inSight = first !== null && first.offsetTop >= this.#list.scrollTop;
    if (!waits || inSight) this.toNew.hidden = true;
    else if (this.#offeredFor !== this.#conversation.newAfter) {
      this.toNew.replaceChildren(icon("up"), text("toFirstNew"));
      this.toNew.hidden = false;
    }
    if (inSight) this.#offeredFor = this.#conversation.newAfter; // offer it once only
  }

  #watch(conversation) {
    if (this.#watched.has(conversation)) return;
    this.#watched.add(conversation);
    conversation.onChange(() => conversation === this.#conversation && this.render());
  }

  #rows({ messages, outbox: { pending }, hasOlder, hasNewer, loaded }) {
    const rows = [];
    if (messages.length) rows.push(hasOlder ? this.#cut("above", messages.length) : this.#note("beginning"));
    if (!loaded && !messages.length) rows.push(this.#note("notLoaded"));
    if (loaded && !messages.length && !pending.length) rows.push(this.#note("emptyThread"));
    const all = [...messages, ...pending];
    let lastDay = null;
    let divided = false;
    all.forEach((message, place) => {
      if (!divided && this.#conversation.isNew(message)) {
        rows.push(this.#element("divider", () => make("li", { class: "divider" }, make("span", {}, text("newHere")))));
        divided = true;
      }
      const day = dayKey(message.fecha);
      if (day !== lastDay) rows.push(this.#day(day, message.fecha));
      lastDay = day;
      rows.push(this.#row(message, all[place - 1], all[place + 1]));
    });
    if (hasNewer) rows.push(this.#cut("below", messages.length));
    return rows;
  }

  #note(key) {
    return this.#element(`note ${key}`, () => make("li", { class: `note ${key}` }, text(key)));
  }

  /** Only on paper: the thread goes on here, but is not printed. */
  #cut(place, shown) {
    return this.#element(`cut ${place} ${shown}`, () => make("li", { class: "note cut" }, text("cut", { shown, count: MOST_PRINTED })));
  }

  #day(day, ms) {
    return this.#element(`day ${day} as of ${dayKey(Date.now())}`, () => make("li", { class: "day" }, make("span", {}, dayOf(ms))));
  }

  /** The row of the first loaded message that is `wanted`; null if an earlier one may not be loaded. */
  #rowOf(wanted) {
    const { messages, hasOlder } = this.#conversation;
    const place = messages.findIndex(wanted);
    if (place < 0 || (place === 0 && hasOlder)) return null; // an earlier one may not be loaded
    return this.#elements.get(keyOf(messages[place]));
  }

  #row(message, before, after) {
    const row = this.#element(keyOf(message), () => this.bubbles.row(message, this.#conversation));
    if (message.mine) mark(row, message, this.#conversation);
    const from = [before, before?.fecha, after, after?.fecha, message.fate];
    const drawn = this.#drawn.get(message);
    if (drawn && from.every((fact, place) => fact === drawn[place])) return row; // redrawing unchanged rows would be slow: a thread may have hundreds
    this.#drawn.set(message, from);
    row.classList.toggle("joined", areTogether(before, message));
    row.classList.toggle("followed", areTogether(message, after));
    row.dataset.fate = message.fate ?? Fate.STORED;
    return row;
  }

  #forgetUnused() {
    for (const [key, element] of this.#elements) if (!element.isConnected) this.#elements.delete(key);
  }

  #element(key, create) {
    if (!this.#elements.has(key)) this.#elements.set(key, create());
    return this.#elements.get(key);
  }

  #onScroll() {
    if (this.#conversation === null || this.#printing) return;
    const left = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight;
    const { hasNewer } = this.#conversation;
    this.#atEnd = this.#conversation.following = left < NEAR_PX && !hasNewer;
    if (this.#atEnd) {
      this.jump.hidden = true;
      this.#onSeen();
    } else if (hasNewer) this.#offerJump();
    this.#offerNew();
    if (this.#list.scrollTop < NEAR_PX * 2) this.#load("loadOlder");
    else if (left < NEAR_PX * 2 && hasNewer) this.#load("loadNewer");
  }

  /** The first message below the top edge, by binary search. Not a day row: it moves when older messages are loaded. */
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

  /** A message arrived below what the reader looks at. */
  #offerJump() {
    this.jump.replaceChildren(icon("down"), text("newMessages"));
    this.jump.hidden = false;
  }

  /** Load more of the conversation: `loadOlder` or `loadNewer`. */
  async #load(what) {
    if (this.#loading || !this.#conversation.loaded) return;
    this.#loading = true;
    try {
      await this.#conversation[what]();
    } finally {
      this.#loading = false;
    }
  }
}

function keyOf(message) {
  return message.cid ?? message.id ?? message;
}

/** Whether two consecutive messages have the same author and almost the same time. */
function areTogether(one, other) {
  if (!one || !other || one.mine !== other.mine || (!one.mine && one.de !== other.de)) return false;
  return other.fecha - one.fecha < TOGETHER_MS && new Date(one.fecha).getDay() === new Date(other.fecha).getDay();
}

