// The names of the admins who write to the reader, where the site tells them (D-17).

const TRIES = 3;
const AGAIN_MS = 1_000; // a message may come before it is stored, and until then its author has not written

export class Signatures {
  #socket;
  #onFound;
  #asked = new Map(); // by user: its name, or null
  #isTold = true;

  constructor(socket, onFound) {
    this.#socket = socket;
    this.#onFound = onFound;
  }

  nameOf(user) {
    return this.#asked.get(user) ?? user;
  }

  /** Ask for the names of the authors of `messages` who were not asked for yet. */
  lookUp(messages) {
    for (const { mine, de } of messages) if (!mine && de && !this.#asked.has(de)) this.#find(de);
  }

  async #find(user) {
    this.#asked.set(user, null);
    for (let tries = 0; tries < TRIES && this.#isTold; tries++) {
      const answer = await this.#socket.askOrNull("firma", { con: user });
      this.#isTold = answer !== null;
      if (answer?.nombre) {
        this.#asked.set(user, answer.nombre);
        this.#onFound();
        return;
      }
      await new Promise((again) => setTimeout(again, AGAIN_MS));
    }
  }
}
