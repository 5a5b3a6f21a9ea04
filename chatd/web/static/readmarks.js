// Read marks that the reader sets: a conversation is unread again, or all are read. Other users are not told.

import { isAfter } from "./messages.js";

export class ReadMarks {
  #socket;
  #people;
  #receipts;

  constructor(socket, people, receipts) {
    this.#socket = socket;
    this.#people = people;
    this.#receipts = receipts;
    socket.on("no_leido", ({ con }) => this.#wentBack(con)).on("leido_todo", ({ hasta }) => this.#allRead(hasta));
  }

  /** Mark the last message of `user` as unread. Returns whether the server has acknowledged it. */
  async unread(user) {
    const id = this.#lastOf(user);
    if (!id) return false;
    const answer = await this.#socket.askOrNull("no_leido", { con: user, desde: id });
    if (answer !== null) this.#wentBack(user);
    return answer !== null;
  }

  /** Mark everything as read, also in conversations that are not loaded. */
  async allRead() {
    const newest = (await this.#people.fetch({ limite: 1 }))?.conversaciones[0]?.ultimo.id;
    if (newest && (await this.#socket.askOrNull("leido_todo", { hasta: newest }))) this.#allRead(newest);
  }

  // Internals.

  #lastOf(user) {
    const { conversation, last } = this.#people.get(user);
    const here = conversation?.messages.findLast(({ de, id }) => de === user && id)?.id;
    return here ?? (last?.de === user ? last.id : undefined);
  }

  #wentBack(con) {
    this.#receipts.forget(con);
    const person = this.#people.get(con);
    person.unread = Math.max(person.unread, 1);
    this.#people.changed();
  }

  #allRead(upto) {
    for (const person of this.#people.all) if (!person.last?.id || !isAfter(person.last.id, upto)) person.unread = 0;
    this.#people.changed();
  }
}
