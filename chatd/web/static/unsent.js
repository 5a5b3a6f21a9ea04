// What was written and is not stored yet. It outlives its page: the next one of this tab sends it again, and by its cid
// it is stored once (C-21). What the server refused is not sent again by itself.

import { KeptForEach } from "./kept.js";

/** Of one user, by addressee. */
export class Unsent {
  #messages;

  constructor(user) {
    this.#messages = new KeptForEach("chatd.unsent", user);
  }

  /** To whom there is something. */
  get addressees() {
    return this.#messages.addressees;
  }

  /** In the order of their writing. */
  to(user) {
    return this.#messages.get(user) ?? [];
  }

  keep(user, messages) {
    this.#messages.set(user, messages.length ? messages.map(whatToKeep) : null);
  }
}

function whatToKeep({ cid, mensaje, fecha, fate, error }) {
  return { cid, mensaje, fecha, fate, error };
}
