// The messages between the reader and one other user, in order: those that are stored, and an outbox.
// Has no DOM code: thread.js draws it.

import { onceAFrame } from "./dom.js";
import { End, MessageWindow, isAfter } from "./messages.js";
import { Fate, Outbox } from "./outbox.js";

const PAGE = 40;
const CATCH_UP_PAGES = 5;
const LONGEST_WAIT_MS = 1_000;
export const MOST_PRINTED = 2_000;

export class Conversation {
  #socket;
  #window = new MessageWindow();
  #changed;
  #listeners = [];
  #catchingUp = null;
  #gapAfter = null;
  #pushed = ""; // the greatest id that the server pushed
  #wanted = null; // the last pushed message without id that history must have at the end of the thread

  /**
   * `con` is the other user; null loads the reader's messages with all users. `isMine` returns whether the reader wrote
   * a message. `lastOnline` returns when the other user was last online, in milliseconds; 0 means unknown. `onPending`
   * gets the messages that are not stored yet, whenever they may have changed.
   */
  constructor(socket, { con, para, isMine, lastOnline = () => 0, onPending = () => {}, onStanding = () => {}, onUncheckable = () => {} }) {
    this.#socket = socket;
    this.con = con;
    this.para = para ?? con;
    this.isMine = isMine;
    this.lastOnline = lastOnline;
    this.onUncheckable = onUncheckable; // the server refuses to tell of this user
    this.onStanding = onStanding; // gets the answer of "conversacion": read marks, and presence if the server has it
    this.outbox = new Outbox(socket, this.para, {
      onChange: (pending) => {
        onPending(pending);
        this.#changed();
      },
      onStored: (message) => !this.hasNewer && !this.#window.get(message.id) && this.#window.add(message),
    });
    this.following = true; // the view is at the newest message, or is going there
    this.newAfter = undefined; // the reader's mark when the conversation was opened; null if there is nothing new
    this.loaded = false;
    this.historyMissing = false;
    this.readUpto = ""; // id of the reader's last message that the other user has read
    this.#changed = onceAFrame(() => this.#listeners.forEach((listener) => listener()));
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  changed() {
    this.#changed();
  }

  /** Whether the reader writes to themselves; no other user gets these messages. */
  get isWithOneself() {
    return this.con !== null && this.isMine({ de: this.con });
  }

  /** The loaded messages that are stored, oldest first. */
  get messages() {
    return this.#window.list;
  }

  /** The id of the last message that is loaded. */
  get lastId() {
    return this.#window.lastId;
  }

  get hasOlder() {
    return this.#window.hasOlder;
  }

  get hasNewer() {
    return this.#window.hasNewer;
  }

  /** Send pending messages again, then load the last page, or what was missed since the last connection. */
  async refresh() {
    this.outbox.resend(); // before history: its messages have an id and no cid, and only the acknowledgement maps cid to id
    const asked = this.con === null ? null : this.#askStanding(this.con);
    await this.catchUp();
    await (asked ?? this.#askStanding(this.messages.findLast((message) => !message.mine)?.de));
    this.#markNew();
  }

  /** The conversation is opened again and is loaded: find what is new in it. */
  async findNew() {
    await this.#askStanding(this.con);
    this.#markNew();
  }

  /** Move the mark to the reader's last message if that is later; clear it if no loaded message is new. */
  #markNew() {
    const answered = this.messages.findLast(({ mine, id }) => mine && id)?.id;
    if (this.newAfter === undefined || this.newAfter === null) return;
    if (answered && (!this.newAfter || isAfter(answered, this.newAfter))) this.newAfter = answered;
    if (!this.messages.some((message) => this.isNew(message))) this.newAfter = null;
    this.#changed();
  }

  /** Whether `message` is after the reader's mark of when the conversation was opened. */
  isNew({ mine, id }) {
    return Boolean(id) && !mine && typeof this.newAfter === "string" && (!this.newAfter || isAfter(id, this.newAfter));
  }

  /** Load the page before the first loaded message. */
  async loadOlder() {
    const first = this.#window.firstId;
    if (!this.hasOlder || this.historyMissing || !first) return;
    const page = await this.#history({ antes: first, limite: PAGE });
    if (!page || !this.#window.get(first)) return;
    this.#add(page.mensajes, End.NEWEST);
    if (this.#window.firstId === page.mensajes[0]?.id || !page.mensajes.length) this.#window.hasOlder = page.hay_mas;
  }

  /** Load the page after the last loaded message. */
  async loadNewer() {
    const last = this.#window.lastId;
    if (!this.hasNewer || !last) return;
    const page = await this.#history({ despues: last, limite: PAGE });
    if (!page || !this.#window.get(last)) return;
    this.#window.hasNewer = page.hay_mas;
    this.#add(page.mensajes, End.OLDEST);
    await this.#completeEnd();
  }

  /** Replace the loaded messages by those around `id`. */
  async goTo(id) {
    const [before, after] = await Promise.all([
      this.#history({ antes: String(BigInt(id) + 1n), limite: PAGE }),
      this.#history({ despues: id, limite: PAGE }),
    ]);
    if (!before || !after) return;
    this.#window.clear();
    this.following = false;
    this.#window.hasOlder = this.#window.hasNewer = false; // set again below, from the answers
    this.#add([...before.mensajes, ...after.mensajes], End.NEWEST);
    this.#window.hasOlder = before.hay_mas;
    this.#window.hasNewer = after.hay_mas;
    await this.#completeEnd();
  }

  /** Load the newest messages, and follow the end from now on. */
  async goToNewest() {
    this.following = true;
    if (!this.hasNewer) return;
    this.#window.clear();
    this.#gapAfter = null;
    await this.catchUp();
    await this.#completeEnd();
  }

  /** The newest MOST_PRINTED messages, whatever is loaded; `hasOlder` if there are more, or if not all could be had. */
  async whole() {
    const found = [];
    let hasOlder = true;
    while (hasOlder && found.length < MOST_PRINTED) {
      const range = { limite: Math.min(100, MOST_PRINTED - found.length) };
      const page = await this.#history(found.length ? { ...range, antes: found[0].id } : range);
      if (!page) break;
      found.unshift(...page.mensajes);
      hasOlder = page.hay_mas;
    }
    if (!found.length) return this;
    const messages = found.map((message) => this.#window.get(message.id) ?? { ...message, mine: this.isMine(message), fate: Fate.STORED });
    return { messages, outbox: this.outbox, hasOlder, hasNewer: false, loaded: true };
  }

  /** Forget messages far above the end; scrolling up loads them again. */
  dropFar() {
    this.newAfter = undefined;
    if (this.historyMissing) return;
    if (this.hasNewer) {
      this.#window.clear();
      this.loaded = false;
    } else this.#window.trim(End.OLDEST, 2 * PAGE, PAGE);
    this.following = true;
  }

  /** Load everything after the last loaded message. Concurrent calls share one run. */
  catchUp() {
    this.#catchingUp ??= this.#catchUpToPushed().finally(() => (this.#catchingUp = null));
    return this.#catchingUp;
  }

  /** A pushed message may not be stored yet (C-72), and was dropped if the end was not loaded. */
  async #catchUpToPushed() {
    await this.#catchUp();
    for (let wait = 50; this.#lacksPushed && wait < LONGEST_WAIT_MS; wait *= 2) {
      await new Promise((again) => setTimeout(again, wait));
      await this.#catchUp();
    }
  }

  get #lacksPushed() {
    return this.#socket.online && !this.hasNewer && !this.historyMissing && isAfter(this.#pushed, this.#window.lastId ?? "");
  }

  /** The connection was lost: the next pushed message may leave a gap after the last loaded one. */
  onLost() {
    this.#gapAfter ??= this.#window.lastId ?? null;
    this.loaded = false;
  }

  async #catchUp() {
    if (this.hasNewer) {
      this.#gapAfter = null;
      this.loaded = true; // scrolling down will load what was missed
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
    // Too much was missed to load it all: start again from the newest page.
    this.#gapAfter = null;
    this.#window.clear();
    await this.#catchUp();
  }

  /** A message that the server pushed. If it has no id, look for it in history, if the server keeps one. */
  async receive(message) {
    if (!message.id) return this.#find({ message, after: this.#window.lastId });
    if (isAfter(message.id, this.#pushed)) this.#pushed = message.id;
    if (!this.#window.isBeyond(message.id)) this.#add([message]);
  }

  /** The server may not have stored it yet (C-72). While the end is not loaded, no place is right for it. */
  async #find(wanted) {
    for (let wait = 50; wait < LONGEST_WAIT_MS && !this.historyMissing; wait *= 2) {
      await this.catchUp();
      if (this.hasNewer) {
        this.#wanted = wanted;
        return;
      }
      if (this.#hasSince(wanted.after, wanted.message)) return;
      await new Promise((again) => setTimeout(again, wait));
    }
    this.#window.add({ ...wanted.message, fecha: Date.now(), mine: this.isMine(wanted.message) });
    this.#window.trim(End.OLDEST);
    this.#changed();
  }

  /** More is loaded: if that is the end now, load what was pushed before it could have a place. */
  async #completeEnd() {
    if (this.#lacksPushed) await this.catchUp();
    const wanted = this.#wanted;
    if (this.hasNewer || wanted === null) return;
    this.#wanted = null;
    await this.#find(wanted);
  }

  #hasSince(id, { de, mensaje }) {
    return this.messages.some((one) => one.de === de && one.mensaje === mensaje && (!id || isAfter(one.id ?? "", id)));
  }

  /** The other user has read the reader's messages up to `id`. */
  wasRead(id) {
    if (this.readUpto && !isAfter(id, this.readUpto)) return;
    this.readUpto = id;
    this.#changed();
  }

  // Internals.

  /** Ask for the read marks: receipts sent during an outage are not repeated (C-56). */
  async #askStanding(con) {
    if (!con) return;
    const standing = await this.#socket.askOrNull("conversacion", { con }, () => this.onUncheckable());
    if (standing === null) return;
    if (this.newAfter === undefined) this.newAfter = standing.leido ?? "";
    if (standing.leido_por) this.wasRead(standing.leido_por);
    this.onStanding(standing);
  }

  #history(range) {
    return this.#socket.askPatiently("historial", this.con === null ? range : { con: this.con, ...range }, (code) => this.#onRefused(code));
  }

  /** Note that the server has no history, if `code` says so. */
  #onRefused(code) {
    if (code !== "unknown_event") return;
    this.historyMissing = this.loaded = true;
    this.#window.hasOlder = false;
    this.#changed();
  }

  /** `beyond` is the end at which to trim; by default the one that the reader does not look at. */
  #add(messages, beyond = this.following ? End.OLDEST : End.NEWEST) {
    for (const message of messages) {
      this.outbox.wasStored(message.cid);
      if (this.#window.get(message.id)) continue;
      this.#window.add({ ...message, mine: this.isMine(message), fate: Fate.STORED });
    }
    this.#window.trim(beyond);
    this.#changed();
  }
}
