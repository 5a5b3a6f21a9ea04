// Unsent text of the message box, one draft a conversation. Drafts survive closing the page and the tab.

import { KeptOf } from "./kept.js";

/** The drafts of one user, by addressee. */
export class Drafts {
  #words;

  constructor(user) {
    this.#words = new KeptOf("chatd.draft", user);
  }

  /** The draft to `user`; empty if there is none. */
  to(user) {
    return this.#words.get(user) ?? "";
  }

  keep(user, words) {
    this.#words.set(words || null, user);
  }

  /** The users to whom there is a draft. */
  get addressees() {
    return this.#words.keys().map(([user]) => user);
  }
}
