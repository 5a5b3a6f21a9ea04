// The cases of a team of admins: assignee, waiting, resolved. Has no DOM code.

import { onceAFrame } from "./dom.js";
import { Place, keep, remembered } from "./kept.js";

const COUNT_AGAIN_MS = 1_000;
const PAGE = 100;
const KEPT_AS = "chatd.list";

const BELONGS = {
  mias: (one, me) => one?.atiende === me,
  libres: (one) => one?.estado === "abierto",
  sin_responder: (one) => one?.espera !== undefined,
  resueltas: (one) => one?.estado === "resuelto",
};

export const FILTERS = Object.keys(BELONGS);
const ALWAYS_BY_WAITING = "sin_responder";
const NEVER_BY_WAITING = "resueltas"; // nobody waits there

export class Team {
  #socket;
  #people;
  #cases = new Map();
  #listeners = [];
  #changed;
  #counting = 0;
  #walk = {}; // one for each list that was begun: where it goes on, and what is being loaded
  #unseen = new Set(); // users of whose case the server has said nothing since the connection was lost
  #gone = new Set(); // those of them that the list had not when it was loaded again
  counts = null; // null until a server with a team has answered
  filter;
  byWaiting;

  constructor(socket, people) {
    this.#socket = socket;
    this.#people = people;
    [this.filter, this.byWaiting] = remembered(Place.TAB, KEPT_AS, [null, false]);
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
    if (one) this.#unseen.delete(one.con);
    if (!one || (this.#cases.get(one.con)?.rev ?? -1) >= one.rev) return;
    this.#cases.set(one.con, one);
    this.#changed();
  }

  /** The people whom the filter keeps, in the chosen order. */
  view(persons) {
    if (!this.isThere) return persons;
    const { filter } = this;
    const kept = filter === null ? persons : persons.filter(({ user }) => !this.#gone.has(user) && BELONGS[filter](this.caseOf(user), this.#people.me));
    if (!this.#isByWaiting) return kept;
    const since = ({ user }) => this.caseOf(user)?.espera ?? Infinity;
    return kept.toSorted((one, other) => (since(one) === since(other) ? 0 : since(one) - since(other)));
  }

  /** Whether the filter leaves a choice of the order. */
  get mayOrder() {
    return this.filter !== ALWAYS_BY_WAITING && this.filter !== NEVER_BY_WAITING;
  }

  get #isByWaiting() {
    return this.filter === ALWAYS_BY_WAITING || (this.byWaiting && this.mayOrder);
  }

  /** Set the filter, null for all, and load its conversations, since they may be beyond the loaded pages. */
  async choose(filter) {
    this.filter = filter;
    await this.#begin();
  }

  /** Show those who wait longest first, or the most recent again. */
  async order(byWaiting) {
    this.byWaiting = byWaiting;
    await this.#begin();
  }

  onLost() {
    this.#unseen = new Set(this.#cases.keys());
  }

  /** Connected again: load the list anew, and drop from it what has left it. */
  async refresh() {
    const unseen = this.#unseen;
    await this.#begin();
    if (this.#walk.isLoaded) this.#gone = unseen;
    this.#changed();
  }

  /** Load the next page of the list. Concurrent calls share one request. */
  async loadMore() {
    if (this.#isOfPeople) return this.#people.loadMore();
    const walk = this.#walk;
    if (walk.isDone) return;
    walk.loading ??= this.#loadPage(walk).finally(() => (walk.loading = null));
    await walk.loading;
  }

  /** Whether the list is the one that People loads: all conversations, the most recent first. */
  get #isOfPeople() {
    return !this.isThere || (this.filter === null && !this.#isByWaiting);
  }

  async #begin() {
    keep(Place.TAB, KEPT_AS, [this.filter, this.byWaiting]);
    this.#walk = {};
    this.#changed();
    if (this.#isOfPeople) this.#learnUnseen(this.#unseen);
    else await this.loadMore();
  }

  /** Learn the cases that may have changed during an outage: by pages while these contain some, the rest one by one. */
  async #learnUnseen(unseen) {
    let more = unseen.size > 0;
    for (let last; more; ) {
      const { size } = unseen;
      const answer = await this.#people.fetch({ limite: PAGE, antes: last });
      if (answer === null) return; // the next connection begins again
      last = answer.conversaciones.at(-1)?.ultimo.id;
      more = answer.hay_mas && unseen.size > 0 && unseen.size < size;
    }
    for (const user of unseen) if (!(await this.#people.askStanding(user))) return;
  }

  async #loadPage(walk) {
    const isByWaiting = this.#isByWaiting;
    const answer = await this.#people.fetch({
      limite: PAGE,
      antes: walk.next,
      ...(this.filter !== null && { filtro: this.filter }),
      ...(isByWaiting && { orden: "espera" }),
    });
    if (answer === null) return; // scrolling asks again
    walk.isLoaded = true;
    walk.next = isByWaiting ? answer.sigue : answer.conversaciones.at(-1)?.ultimo.id;
    walk.isDone = !answer.hay_mas || walk.next === undefined;
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
