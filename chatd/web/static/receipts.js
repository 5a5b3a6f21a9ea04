// What one has read, told to the server once, and only forwards.

import { isAfter } from "./messages.js";

export class Receipts {
  #socket;
  #told = new Map();

  constructor(socket) {
    this.#socket = socket;
    socket.on("state", () => this.#told.clear()); // what was told last may have been lost
  }

  /** What `con` wrote is unread again: it is told anew when it is read. */
  forget(con) {
    this.#told.delete(con);
  }

  /** The last message of each author in `conversation` has been read. */
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
