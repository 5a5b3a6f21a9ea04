// What a team of admins knows of its conversations: who is on each, what waits, what is resolved. Knows no elements.

import { onceAFrame } from "./dom.js";

const COUNT_AGAIN_MS = 1_000;
const PAGE = 100;
const MOST_PAGES = 5;

const BELONGS = {
  mias: (one, me) => one?.atiende === me,
  libres: (one) => one?.estado === "abierto",
  sin_responder: (one) => one?.espera !== undefined,
  resueltas: (one) => one?.estado === "resuelto",
};

export const FILTERS = Object.keys(BELONGS);

export class Team {
  #socket;
  #people;
  #cases = new Map();
  #listeners = [];
  #changed;
  #counting = 0;
  counts = null; // null until a server with a team has answered
  filter = null;

  constructor(socket, people) {
    this.#socket = socket;
    this.#people = people;
    this.#changed = onceAFrame(() => this.#listeners.forEach((listener) => listener()));
    people.onEntry = (one) => this.learn(one);
    people.onCounts = (counts) => this.#count(counts);
    socket.on("caso", (one) => {
      this.learn(one);
      this.#countAgain();
    });
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  get isThere() {
    return this.counts !== null;
  }

  /** Of a user, as it was told last; undefined where nobody has told. */
  caseOf(user) {
    return this.#cases.get(user);
  }

  isMine(user) {
    return this.caseOf(user)?.atiende === this.#people.me;
  }

  /** The other admin who is on it, or null. */
  rivalOn(user) {
    const { atiende } = this.caseOf(user) ?? {};
    return atiende === undefined || atiende === this.#people.me ? null : atiende;
  }

  learn(one) {
    if (!one || (this.#cases.get(one.con)?.rev ?? -1) >= one.rev) return;
    this.#cases.set(one.con, one);
    this.#changed();
  }

  /** The rows of the list that belong to the filter, in its order. */
  view(persons) {
    if (this.filter === null) return persons;
    const belonging = persons.filter(({ user }) => BELONGS[this.filter](this.caseOf(user), this.#people.me));
    if (this.filter !== "sin_responder") return belonging;
    return belonging.sort((one, other) => this.caseOf(one.user).espera - this.caseOf(other.user).espera);
  }

  /** Show those of one kind alone: null for all. They are fetched, for the list may not have come so far down. */
  async choose(filter) {
    this.filter = filter;
    this.#changed();
    let before = undefined;
    for (let page = 0; page < MOST_PAGES && filter !== null && this.filter === filter; page++) {
      const answer = await this.#people.fetch({ filtro: filter, limite: PAGE, antes: before });
      if (!answer?.hay_mas) return;
      before = answer.conversaciones.at(-1).ultimo.id;
    }
  }

  /** What is refused is told by its answer as well: the other admin who has it. */
  async claim(user, takeOver = false) {
    await this.#change("atender", { con: user, relevo: takeOver });
  }

  async release(user) {
    await this.#change("soltar", { con: user });
  }

  /** Up to the last message that is shown. */
  async resolve(user, lastId) {
    await this.#change("resolver", { con: user, relevo: true, ...(lastId && { hasta: lastId }) });
  }

  async #change(event, asked) {
    const answer = await this.#socket.askOrNull(event, asked);
    if (answer === null) this.#changed(); // what is shown is what is known
    else this.learn(answer.caso);
  }

  #count(counts) {
    this.counts = counts;
    this.#changed();
  }

  #countAgain() {
    if (!this.isThere || this.#counting) return;
    this.#counting = setTimeout(async () => {
      this.#counting = 0;
      await this.#people.fetch({ limite: 1 });
    }, COUNT_AGAIN_MS);
  }
}
