// The messages between the reader of a page and somebody else, in order, with those that are still on their way.
// Knows nothing of elements: thread.js shows it.

import { onceAFrame } from "./dom.js";
import { End, MessageWindow, isAfter } from "./messages.js";
import { RefusedError, UnansweredError } from "./socket.js";

export const Fate = Object.freeze({ SENDING: "sending", STORED: "stored", FAILED: "failed" });

const PAGE = 40;
const CATCH_UP_PAGES = 5;
const LONGEST_WAIT_MS = 1_000;
const TRIES = 4;
const AGAIN_MS = 3_000;

/** 96 random bits: `randomUUID` is for pages that came by TLS alone. */
function newCid() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Conversation {
  #socket;
  #window = new MessageWindow();
  #changed;
  #listeners = [];
  #catchingUp = null;
  #gapAfter = null;
  #againTimer = 0;

  /**
   * `con` is the other one; null for everything of one's own. `isMine` says so of an author's name. `hereUntil` returns
   * when the other one was last here, in milliseconds; without it, nobody knows. `onPending` takes what is not stored
   * yet, whenever that may have changed.
   */
  constructor(socket, { con, para, isMine, hereUntil = () => 0, onPending = () => {}, onStanding = () => {} }) {
    this.#socket = socket;
    this.con = con;
    this.para = para ?? con;
    this.isMine = isMine;
    this.hereUntil = hereUntil;
    this.onPending = onPending;
    this.onStanding = onStanding; // takes how far the two have read, and where presence is on, whether the other is here
    this.pending = []; // in the order of their writing
    this.following = true; // the reader is at the newest message, or will be
    this.newAfter = undefined; // up to where one had read when it was opened; null where that is of no interest
    this.loaded = false;
    this.historyMissing = false;
    this.readUpto = ""; // the last of one's own that the other side has read
    this.#changed = onceAFrame(() => this.#listeners.forEach((listener) => listener()));
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  changed() {
    this.#changed();
  }

  /** Notes to oneself reach nobody. */
  get isWithOneself() {
    return this.con !== null && this.isMine({ de: this.con });
  }

  /** Those that are here, stored, oldest first. */
  get messages() {
    return this.#window.list;
  }

  get hasOlder() {
    return this.#window.hasOlder;
  }

  get hasNewer() {
    return this.#window.hasNewer;
  }

  /** Whatever could not be sent before, and the last page, or what came since the last time. */
  async refresh() {
    this.resend(); // first: history has what was stored under its id alone, and the answer says which id that is
    const asked = this.con === null ? null : this.#askStanding(this.con);
    await this.catchUp();
    await (asked ?? this.#askStanding(this.messages.findLast((message) => !message.mine)?.de));
    this.#markNew();
  }

  /** It is opened again, and all of it is here. */
  async findNew() {
    await this.#askStanding(this.con);
    this.#markNew();
  }

  /** What one has answered is not new, whatever mark there is; and nothing is, where all that is here was read. */
  #markNew() {
    const answered = this.messages.findLast(({ mine, id }) => mine && id)?.id;
    if (this.newAfter === undefined || this.newAfter === null) return;
    if (answered && (!this.newAfter || isAfter(answered, this.newAfter))) this.newAfter = answered;
    if (!this.messages.some((message) => this.isNew(message))) this.newAfter = null;
    this.#changed();
  }

  /** Whether `message` came after what one had read when this was opened. */
  isNew({ mine, id }) {
    return Boolean(id) && !mine && typeof this.newAfter === "string" && (!this.newAfter || isAfter(id, this.newAfter));
  }

  /** The page before the first message that is here. */
  async loadOlder() {
    const first = this.#window.firstId;
    if (!this.hasOlder || this.historyMissing || !first) return;
    const page = await this.#history({ antes: first, limite: PAGE });
    if (!page || !this.#window.get(first)) return;
    this.#add(page.mensajes, End.NEWEST);
    if (this.#window.firstId === page.mensajes[0]?.id || !page.mensajes.length) this.#window.hasOlder = page.hay_mas;
  }

  /** The page behind the last message that is here. */
  async loadNewer() {
    const last = this.#window.lastId;
    if (!this.hasNewer || !last) return;
    const page = await this.#history({ despues: last, limite: PAGE });
    if (!page || !this.#window.get(last)) return;
    this.#window.hasNewer = page.hay_mas;
    this.#add(page.mensajes, End.OLDEST);
  }

  /** Show the messages around an id, instead of those that are here. */
  async goTo(id) {
    const [before, after] = await Promise.all([
      this.#history({ antes: String(BigInt(id) + 1n), limite: PAGE }),
      this.#history({ despues: id, limite: PAGE }),
    ]);
    if (!before || !after) return;
    this.#window.clear();
    this.following = false;
    this.#window.hasOlder = this.#window.hasNewer = false; // nothing is beyond while they are put in
    this.#add([...before.mensajes, ...after.mensajes], End.NEWEST);
    this.#window.hasOlder = before.hay_mas;
    this.#window.hasNewer = after.hay_mas;
  }

  /** The newest messages are here from now on. */
  async goToNewest() {
    this.following = true;
    if (!this.hasNewer) return;
    this.#window.clear();
    this.#gapAfter = null;
    await this.catchUp();
  }

  /** Forget what is far above the end: it is read again when somebody scrolls up to it. */
  dropFar() {
    this.newAfter = undefined;
    if (this.historyMissing) return;
    if (this.hasNewer) {
      this.#window.clear();
      this.loaded = false;
    } else this.#window.trim(End.OLDEST, 2 * PAGE, PAGE);
    this.following = true;
  }

  /** Everything after the last message that is here. Several calls at a time are one. */
  catchUp() {
    this.#catchingUp ??= this.#catchUp().finally(() => (this.#catchingUp = null));
    return this.#catchingUp;
  }

  /** The connection was lost: what comes from now on by itself may leave a gap behind the last message. */
  onLost() {
    this.#gapAfter ??= this.#window.lastId ?? null;
    this.loaded = false;
  }

  async #catchUp() {
    if (this.hasNewer) {
      this.#gapAfter = null;
      this.loaded = true; // what was missed is down there, with the rest
      this.#changed();
      return;
    }
    let after = this.#gapAfter ?? this.#window.lastId;
    for (let pages = 0; pages < CATCH_UP_PAGES; pages++) {
      const page = await this.#history(after ? { despues: after, limite: 100 } : { limite: PAGE });
      if (!page) return;
      if (!after) this.#window.hasOlder = page.hay_mas;
      this.loaded = true;
      this.#add(page.mensajes);
      if (!after || !page.hay_mas) {
        this.#gapAfter = null;
        return;
      }
      after = page.mensajes.at(-1).id;
    }
    // Too much was missed to read it all: begin again at the end.
    this.#gapAfter = null;
    this.#window.clear();
    await this.#catchUp();
  }

  /** A message that came by itself. Without an id, history is asked for it, where there is one. */
  async receive(message) {
    if (message.id) {
      if (!this.#window.isBeyond(message.id)) this.#add([message]);
      return;
    }
    const before = this.#window.lastId;
    // It may not be on the disk yet (C-72).
    for (let wait = 50; wait < LONGEST_WAIT_MS && !this.historyMissing; wait *= 2) {
      await this.catchUp();
      if (this.#hasSince(before, message)) return;
      await new Promise((again) => setTimeout(again, wait));
    }
    this.#window.add({ ...message, fecha: Date.now(), mine: this.isMine(message) });
    this.#window.trim(End.OLDEST);
    this.#changed();
  }

  #hasSince(id, { de, mensaje }) {
    return this.messages.some((one) => one.de === de && one.mensaje === mensaje && (!id || isAfter(one.id ?? "", id)));
  }

  /** Write `text`; it keeps its cid whatever happens, so it is stored once however often it is sent (C-21). */
  send(text) {
    const message = { cid: newCid(), mensaje: text, fecha: Date.now(), fate: Fate.SENDING, mine: true };
    this.#wait([...this.pending, message]);
    this.#deliver(message);
  }

  /** What an earlier page could not send; `resend` does, unless it was refused. */
  restore(messages) {
    const again = messages.map((message) => ({ fate: Fate.SENDING, ...message, mine: true }));
    this.#wait([...again, ...this.pending]);
  }

  /** Send a message that was refused again. */
  retry(message) {
    Object.assign(message, { fate: Fate.SENDING, error: null });
    this.#wait(this.pending);
    this.#deliver(message);
  }

  /** Forget a message that was refused. */
  discard(message) {
    this.#wait(this.pending.filter((one) => one !== message));
  }

  /** The other side has read one's own messages up to `id`. */
  wasRead(id) {
    if (this.readUpto && !isAfter(id, this.readUpto)) return;
    this.readUpto = id;
    this.#changed();
  }

  // The inside.

  #wait(pending) {
    this.pending = pending;
    this.onPending(pending);
    this.#changed();
  }

  /** How far the other side has read: whoever was away has not heard of it (C-56). */
  async #askStanding(con) {
    if (!con) return;
    const standing = await this.#socket.askOrNull("conversacion", { con });
    if (standing === null) return;
    if (this.newAfter === undefined) this.newAfter = standing.leido ?? "";
    if (standing.leido_por) this.wasRead(standing.leido_por);
    this.onStanding(standing);
  }

  async #history(range) {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        return await this.#socket.ask("historial", this.con === null ? range : { con: this.con, ...range });
      } catch (error) {
        if (error instanceof UnansweredError) return null; // the next connection asks again
        if (!(error instanceof RefusedError)) throw error;
        if (this.#onRefused(error)) return null;
      }
      await new Promise((again) => setTimeout(again, LONGEST_WAIT_MS)); // too many questions, or the disk is busy
    }
    return null;
  }

  /** On a server without history, what comes by itself is all there is. Returns whether it is one. */
  #onRefused({ code }) {
    if (code !== "unknown_event") return false;
    this.historyMissing = this.loaded = true;
    this.#window.hasOlder = false;
    this.#changed();
    return true;
  }

  /** `beyond`: at which end to forget what is too much; by itself, where the reader is not. */
  #add(messages, beyond = this.following ? End.OLDEST : End.NEWEST) {
    for (const message of messages) {
      if (this.pending.some(({ cid }) => cid === message.cid)) this.#wait(this.pending.filter(({ cid }) => cid !== message.cid));
      if (this.#window.get(message.id)) continue;
      this.#window.add({ ...message, mine: this.isMine(message), fate: Fate.STORED });
    }
    this.#window.trim(beyond);
    this.#changed();
  }

  /** Whatever could not be sent before. */
  resend() {
    if (!this.#socket.online) return;
    for (const message of this.pending) if (message.fate === Fate.SENDING && !message.asked) this.#deliver(message);
  }

  async #deliver(message) {
    message.asked = true;
    try {
      const { cid, mensaje } = message;
      this.#onStored(message, await this.#socket.ask("mensaje_privado", { para: this.para, mensaje, cid }));
    } catch (error) {
      this.#onUndelivered(message, error);
    }
    message.asked = false;
    this.#changed();
  }

  #onStored(message, { id, fecha }) {
    this.#wait(this.pending.filter((one) => one !== message));
    if (this.#window.get(id)) return;
    Object.assign(message, { id, fecha, fate: Fate.STORED });
    if (!this.hasNewer) this.#window.add(message);
  }

  /** What nobody answered may have been stored: it goes out again until somebody does. What was refused waits for its author. */
  #onUndelivered(message, error) {
    if (error instanceof UnansweredError) {
      clearTimeout(this.#againTimer);
      this.#againTimer = setTimeout(() => this.resend(), AGAIN_MS);
    } else if (error instanceof RefusedError) {
      Object.assign(message, { fate: Fate.FAILED, error: { code: error.code, reason: error.message } });
      this.#wait(this.pending);
    } else throw error;
  }
}
