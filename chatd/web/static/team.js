// The cases of a team of admins: assignee, waiting, resolved. Has no DOM code.

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

  /** The last known case of `user`; undefined if the server has sent none. */
  caseOf(user) {
    return this.#cases.get(user);
  }

  isMine(user) {
    return this.caseOf(user)?.atiende === this.#people.me;
  }

  /** The other admin who is assigned, or null. */
  rivalOn(user) {
    const { atiende } = this.caseOf(user) ?? {};
    return atiende === undefined || atiende === this.#people.me ? null : atiende;
  }

  learn(one) {
    if (!one || (this.#cases.get(one.con)?.rev ?? -1) >= one.rev) return;
    this.#cases.set(one.con, one);
    this.#changed();
  }

  /** The people whom the filter keeps, in the filter's order. */
  view(persons) {
    if (this.filter === null) return persons;
    const belonging = persons.filter(({ user }) => BELONGS[this.filter](this.caseOf(user), this.#people.me));
    if (this.filter !== "sin_responder") return belonging;
    return belonging.sort((one, other) => this.caseOf(one.user).espera - this.caseOf(other.user).espera);
  }

  /** Set the filter, null for all, and load its conversations, since they may be beyond the loaded pages. */
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

  /** The answer carries the case whether it was assigned or not, with the admin who has it. */
  async claim(user, takeOver = false) {
    await this.#change("atender", { con: user, relevo: takeOver });
  }

  async release(user) {
    await this.#change("soltar", { con: user });
  }

  /** Resolve up to the last message that is shown. */
  async resolve(user, lastId) {
    await this.#change("resolver", { con: user, relevo: true, ...(lastId && { hasta: lastId }) });
  }

  async #change(event, asked) {
    const answer = await this.#socket.askOrNull(event, asked);
    if (answer === null) this.#changed(); // draw the known state again
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
