// The part of a conversation that is here: so many messages in a row, and not all there are. What is further up or down
// is read from history when somebody goes there, so that a thread costs the same however long it is.

const EPOCH_MS = 1_735_689_600_000; // where the milliseconds of ids begin (C-18)
const ID_SHIFT = 22n;

/** Ids are numbers beyond those of JavaScript, in decimal digits: longer is larger (C-18). */
export function isAfter(id, other) {
  return id.length === other.length ? id > other : id.length > other.length;
}

/** The greatest id before that moment, in milliseconds since 1970. */
export function idBefore(ms) {
  return String((BigInt(Math.max(0, ms - EPOCH_MS)) << ID_SHIFT) - (ms > EPOCH_MS ? 1n : 0n));
}

export const End = Object.freeze({ OLDEST: "oldest", NEWEST: "newest" });

export class MessageWindow {
  static MOST = 400;
  static KEPT = 300; // when there are more: a cut at the top moves every row below it, so it is not made for each message

  #byId = new Map();
  list = []; // oldest first; without ids where the server tells none
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

  /** Whether a message with this id would leave a gap: it is beyond an end where there are others. */
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

  /** Where there are more than `most`, forget all but `kept`, at the end `from`. What has no id cannot be read again, and stays longer. */
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
