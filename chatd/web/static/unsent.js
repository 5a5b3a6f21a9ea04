// What was written and is not stored yet. It outlives its page and its tab: the next page sends it again, and by its cid
// it is stored once (C-21), even if two pages send it. What the server refused is not sent again by itself.

import { KeptOf } from "./kept.js";

/** Of one user, by addressee. */
export class Unsent {
  #messages;
  #kept = new Map(); // by addressee: the cids that this page keeps, and what it keeps of each

  constructor(user) {
    this.#messages = new KeptOf("chatd.unsent", user);
  }

  /** To whom there is something. */
  get addressees() {
    return [...new Set(this.#messages.keys().map(([user]) => user))];
  }

  /** In the order of their writing. */
  to(user) {
    const keys = this.#messages.keys().filter(([addressee]) => addressee === user);
    const messages = keys.map((key) => this.#messages.get(...key)).filter((message) => message !== null);
    return messages.sort((one, other) => one.fecha - other.fecha || one.order - other.order);
  }

  /** `messages` are all that wait for `user` in this page; what other pages keep stays. */
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
