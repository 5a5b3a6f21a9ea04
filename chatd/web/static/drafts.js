// What is written in the box and not sent: each conversation has its own. A draft outlives its page, as long as the tab.

import { KeptForEach } from "./kept.js";

/** Of one user, by addressee. */
export class Drafts {
  #words;

  constructor(user) {
    this.#words = new KeptForEach("chatd.drafts", user);
  }

  /** Empty, if there is none. */
  to(user) {
    return this.#words.get(user) ?? "";
  }

  keep(user, words) {
    this.#words.set(user, words || null);
  }
}
