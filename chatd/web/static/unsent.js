// Messages that are written and not stored yet. They survive page and tab: the next page sends them again, and the cid
// makes sure that each is stored once (C-21), even if two pages send it. Refused messages are not sent automatically.

import { KeptOf } from "./kept.js";

/** The unsent messages of one user, by addressee. */
export class Unsent {
  #messages;
  #kept = new Map(); // by addressee: a map from cid to what this page stores of the message

  constructor(user) {
    this.#messages = new KeptOf("chatd.unsent", user);
  }

  /** The users to whom there are unsent messages. */
  get addressees() {
    return [...new Set(this.#messages.keys().map(([user]) => user))];
  }

  /** The unsent messages to `user`, in the order in which they were written. */
  to(user) {
    const keys = this.#messages.keys().filter(([addressee]) => addressee === user);
    const messages = keys.map((key) => this.#messages.get(...key)).filter((message) => message !== null);
    return messages.sort((one, other) => one.fecha - other.fecha || one.order - other.order);
  }

  /** Store `messages`, all that this page has pending to `user`; those of other pages stay. */
  keep(user, messages) {
    const before = this.#kept.get(user) ?? new Map();
    const now = new Map(messages.map((message, order) => [message.cid, JSON.stringify(whatToKeep(message, order))]));
    for (const cid of before.keys()) if (!now.has(cid)) this.#messages.set(null, user, cid);
    for (const [cid, value] of now) if (before.get(cid) !== value) this.#messages.set(JSON.parse(value), user, cid);
    this.#kept.set(user, now);
  }
}

function whatToKeep({ cid, mensaje, fecha, fate, error }, order) {
  return { cid, mensaje, fecha, fate, error, order };
}
