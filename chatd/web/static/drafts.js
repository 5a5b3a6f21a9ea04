// What is written in the box and not sent: each conversation has its own. A draft outlives its page, as long as the tab.

import { Place, keep, remembered } from "./kept.js";

const KEPT_AS = "chatd.drafts";

/** Of one user, by addressee. */
export class Drafts {
  #key;
  #words;

  constructor(user) {
    this.#key = `${KEPT_AS} ${user}`;
    this.#words = new Map(remembered(Place.TAB, this.#key, []));
  }

  /** Empty, if there is none. */
  to(user) {
    return this.#words.get(user) ?? "";
  }

  keep(user, words) {
    if (words) this.#words.set(user, words);
    else if (!this.#words.delete(user)) return;
    keep(Place.TAB, this.#key, this.#words.size ? [...this.#words] : null);
  }
}
