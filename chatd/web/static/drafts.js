// What is written in the box and not sent: each conversation has its own. A draft outlives its page and its tab.

import { KeptOf } from "./kept.js";

/** Of one user, by addressee. */
export class Drafts {
  #words;

  constructor(user) {
    this.#words = new KeptOf("chatd.draft", user);
  }

  /** Empty, if there is none. */
  to(user) {
    return this.#words.get(user) ?? "";
  }

  keep(user, words) {
    this.#words.set(words || null, user);
  }

  /** To whom there is one. */
  get addressees() {
    return this.#words.keys().map(([user]) => user);
  }
}
