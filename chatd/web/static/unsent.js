// What was written and is not stored yet. It outlives its page: the next one of this tab sends it again, and by its cid
// it is stored once (C-21). What the server refused is not sent again by itself.

import { Place, keep, remembered } from "./kept.js";

const KEPT_AS = "chatd.unsent";

/** Of one user, by addressee. */
export class Unsent {
  #key;
  #messages;

  constructor(user) {
    this.#key = `${KEPT_AS} ${user}`;
    this.#messages = new Map(remembered(Place.TAB, this.#key, []));
  }

  /** To whom there is something. */
  get addressees() {
    return [...this.#messages.keys()];
  }

  /** In the order of their writing. */
  to(user) {
    return this.#messages.get(user) ?? [];
  }

  keep(user, messages) {
    if (messages.length) this.#messages.set(user, messages.map(whatToKeep));
    else if (!this.#messages.delete(user)) return;
    keep(Place.TAB, this.#key, this.#messages.size ? [...this.#messages] : null);
  }
}

function whatToKeep({ cid, mensaje, fecha, fate, error }) {
  return { cid, mensaje, fecha, fate, error };
}
