// The loaded part of a conversation: consecutive messages. Scrolling loads more from history, so the memory of a thread
// does not depend on its length.

const EPOCH_MS = 1_735_689_600_000; // epoch of the timestamps in ids (C-18)
const ID_SHIFT = 22n;

/** Compare ids: decimal strings beyond Number.MAX_SAFE_INTEGER, so a longer string is larger (C-18). */
export function isAfter(id, other) {
  return id.length === other.length ? id > other : id.length > other.length;
}

/** The greatest id before `ms` (since 1970). */
export function idBefore(ms) {
  return String((BigInt(Math.max(0, ms - EPOCH_MS)) << ID_SHIFT) - (ms > EPOCH_MS ? 1n : 0n));
}

export const End = Object.freeze({ OLDEST: "oldest", NEWEST: "newest" });

export class MessageWindow {
  static MOST = 400;
  static KEPT = 300; // trim to this; rarely, because a cut at the top moves every row below it

  #byId = new Map();
  list = []; // oldest first; messages of a server without history have no id
  hasOlder = true;
  hasNewer = false;

  get(id) {
    return this.#byId.get(id);
  }

  get firstId() {
    return this.list.find((message) => message.id)?.id;
  }

  get lastId() {
    return this.list.findLast((message) => message.id)?.id;
  }

  /** Whether a message with this id would leave a gap: it lies beyond an end after which more are not loaded. */
  isBeyond(id) {
    const { firstId, lastId } = this;
    if (firstId === undefined) return this.hasNewer;
    return (this.hasNewer && isAfter(id, lastId)) || (this.hasOlder && isAfter(firstId, id));
  }

  add(message) {
    if (message.id) this.#byId.set(message.id, message);
    let place = this.list.length;
    while (message.id && place > 0 && this.list[place - 1].id && isAfter(this.list[place - 1].id, message.id)) place--;
    this.list.splice(place, 0, message);
  }

  /** If there are more than `most`, drop messages at the end `from` until `kept` are left. Those without id cannot be loaded again, and stay longer. */
  trim(from, most = MessageWindow.MOST, kept = MessageWindow.KEPT) {
    const { length } = this.list;
    if (length <= most || (this.firstId === undefined && length < 5 * most)) return;
    const excess = length - kept;
    const gone = from === End.OLDEST ? this.list.splice(0, excess) : this.list.splice(-excess);
    for (const { id } of gone) this.#byId.delete(id);
    if (from === End.OLDEST) this.hasOlder = true;
    else this.hasNewer = true;
  }

  clear() {
    this.#byId.clear();
    this.list = [];
    this.hasOlder = true;
    this.hasNewer = false;
  }
}
