// Which other admin is typing to which user.

import { TypingHeard } from "./typing.js";

export class Colleagues {
  #heard;
  #whoTo = new Map();

  constructor(onChange) {
    this.#heard = new TypingHeard(onChange);
  }

  heard({ de, para, activo }) {
    this.#whoTo.set(para, de);
    this.#heard.heard({ de: para, activo });
  }

  /** The admin who is typing, or null. */
  writingTo(user) {
    return this.#heard.isTyping(user) ? this.#whoTo.get(user) : null;
  }
}
