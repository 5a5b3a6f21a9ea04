// Read receipts: sent to the server once a message, and only for later messages than the last one sent.

import { isAfter } from "./messages.js";

export class Receipts {
  #socket;
  #told = new Map();

  constructor(socket) {
    this.#socket = socket;
    socket.on("state", () => this.#told.clear()); // the last receipt may have been lost
  }

  /** The messages of `con` are unread again: send a receipt the next time they are read. */
  forget(con) {
    this.#told.delete(con);
  }

  /** Send that the last message of each author in `conversation` is read. */
  read(conversation) {
    if (!this.#socket.online) return;
    const seen = new Set();
    for (const message of conversation.messages.toReversed()) {
      const con = conversation.con ?? message.de;
      if (message.mine || !message.id || seen.has(con)) continue;
      seen.add(con);
      const told = this.#told.get(con);
      if (told && !isAfter(message.id, told)) continue;
      this.#told.set(con, message.id);
      this.#socket.tell("leido", { con, hasta: message.id });
    }
  }
}
