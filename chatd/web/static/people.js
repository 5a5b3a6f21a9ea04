// Everybody an admin may talk to: conversations, who is online, what is unread. Knows nothing of elements.

import { Conversation, Fate } from "./conversation.js";
import { onceAFrame } from "./dom.js";
import { isAfter } from "./messages.js";
import { everybodyHere } from "./online.js";
import { RefusedError, UnansweredError } from "./socket.js";
import { Unsent } from "./unsent.js";

const PAGE = 50;
const LOOKED_THROUGH = 200;
const TRIES = 4;
const BUSY_MS = 1_000;
const SOON_OVER = new Set(["rate_limited", "history_busy"]);
const LOOK_AROUND_MS = 2_000;
const SEARCH_PAUSE_MS = 150; // whoever types fast asks once

/** One row of the list. `last` is the last message that is known, `unread` how many came since one looked. */
class Person {
  constructor(user) {
    this.user = user;
    this.last = null;
    this.unread = 0;
    this.online = false;
    this.seen = null; // milliseconds since 1970
    this.conversation = null;
    this.name = null; // the claim of its token, where the server keeps it
    this.role = undefined; // "admin" or null, once the server has told
    this.known = true; // false: nobody of that name was ever here
  }

  /** As it is shown. */
  get title() {
    return this.name ?? this.user;
  }

  /** Up to when it was here: what was written before has reached it. */
  get hereUntil() {
    return this.online ? Infinity : (this.seen ?? 0);
  }

  /** Whether something waits here that its author has to send again. */
  get failed() {
    return this.conversation?.pending.some(({ fate }) => fate === Fate.FAILED) ?? false;
  }

  cameOrWent(online, seen) {
    Object.assign(this, { online, seen });
    this.conversation?.changed();
  }
}

export class People {
  #socket;
  #people = new Map();
  #changed;
  #listeners = [];
  #unsent = null;
  #pagedTo = null; // the id where the pages that are here end
  #loadingMore = null;
  #sought = "";
  #searching = null;
  onEntry = () => {}; // takes what the server says of a conversation
  onCounts = () => {};
  #knowsRoles = false;
  #looking = 0;
  #cameOrWent = new Set(); // since it was last asked who is online
  hasMore = false;
  loaded = false;

  constructor(socket) {
    this.#socket = socket;
    this.me = null;
    this.#changed = onceAFrame(() => this.#listeners.forEach((listener) => listener()));
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  changed() {
    this.#changed();
  }

  /** Whose people these are, null where the server does not say; and what an earlier page of theirs could not send. */
  belongTo(me) {
    this.me = me;
    if (me === null || this.#unsent !== null) return;
    this.#unsent = new Unsent(me);
    for (const user of this.#unsent.addressees) {
      const messages = this.#unsent.to(user);
      this.conversationWith(user).restore(messages);
      this.wrote(user, messages.at(-1).mensaje);
    }
  }

  get(user) {
    if (!this.#people.has(user)) this.#people.set(user, new Person(user));
    return this.#people.get(user);
  }

  conversationWith(user) {
    const person = this.get(user);
    if (person.conversation) return person.conversation;
    person.conversation = new Conversation(this.#socket, {
      con: user,
      isMine: (message) => this.isMine(message, user),
      hereUntil: () => person.hereUntil,
      onPending: (pending) => this.#unsent?.keep(user, pending),
      onStanding: (standing) => this.#stands(user, standing),
    });
    person.conversation.onChange(() => this.#changed());
    return person.conversation;
  }

  /** Without knowing one's own name: whatever the other one did not write. */
  isMine(message, con) {
    return this.me === null ? message.de !== con : message.de === this.me;
  }

  /** Those with whom there is something, the last first; those who are only online stand below. */
  get listed() {
    return [...this.#people.values()]
      .filter((person) => person.user !== this.me && (person.last || person.online))
      .sort((one, other) => (other.last?.fecha ?? 0) - (one.last?.fecha ?? 0) || one.user.localeCompare(other.user));
  }

  get all() {
    return this.#people.values();
  }

  /** In how many of the conversations that are here something is unread. */
  get unread() {
    return [...this.#people.values()].filter((person) => person.unread > 0).length;
  }

  onLost() {
    for (const { conversation } of this.#people.values()) conversation?.onLost();
  }

  /** Send what could not be sent, in threads that nobody looks at. */
  resend() {
    for (const { conversation } of this.#people.values()) conversation?.resend();
  }

  /** The first page of conversations, and who is online: at the beginning and whenever something was missed. */
  async load() {
    await this.#loadPage();
    await this.#loadOnline();
    this.loaded = true;
    this.#changed();
  }

  /** The next page. Several calls at a time are one. */
  async loadMore() {
    if (!this.hasMore) return;
    this.#loadingMore ??= this.#loadPage(this.#pagedTo).finally(() => (this.#loadingMore = null));
    await this.#loadingMore;
  }

  /** Where all that is here is read, something further down may not be: look there, but not through all of the past. */
  lookForUnread() {
    this.#loadingMore ??= this.#lookOn().finally(() => (this.#loadingMore = null));
  }

  /** Fetch those whose name begins with `prefix`, however far down they are. */
  search(prefix) {
    this.#sought = prefix;
    if (prefix) this.#searching ??= this.#search().finally(() => (this.#searching = null));
  }

  /** A message that came by itself. Resolves to whose conversation it belongs to. */
  async received(message) {
    if (message.para && message.para !== this.me) await this.#askRole(message.de);
    const con = this.conOf(message);
    if (con === null) return null;
    const person = this.get(con);
    person.last = { fecha: Date.now(), ...message };
    if (message.de === con) person.unread++;
    else if (message.de !== this.me) person.unread = 0; // a colleague has answered
    // Without an id, history has to be asked for it; a thread that was never opened is read when it is.
    const { conversation } = person;
    if (message.id || conversation?.loaded || conversation?.historyMissing) this.conversationWith(con).receive(message);
    this.#changed();
    return person;
  }

  /** One's own message, from another tab. */
  sent(message) {
    const person = this.get(message.para);
    person.last = { de: this.me, ...message };
    this.conversationWith(message.para).receive({ de: this.me, ...message });
    this.#changed();
  }

  /** Something was just written here, and is on its way. */
  wrote(user, words) {
    this.get(user).last = { de: this.me, para: user, mensaje: words, fecha: Date.now() };
    this.#changed();
  }

  /** Some conversations, and what else the answer says. Null if there is none. */
  async fetch(range) {
    const answer = await this.#ask("conversaciones", range);
    for (const entry of answer?.conversaciones ?? []) this.#learn(entry);
    if (answer?.cuentas) {
      this.#knowsRoles = true;
      this.onCounts(answer.cuentas);
    }
    this.#changed();
    return answer;
  }

  presence({ user, en_linea: online, visto: seen }) {
    const person = this.get(user);
    this.#cameOrWent.add(user);
    person.cameOrWent(online, seen);
    if (online && this.#knowsRoles && person.role === undefined) this.#lookAround();
    this.#changed();
  }

  /** Somebody has read up to `hasta`: the other one (`de`), or oneself in another tab (`con`). */
  wasRead({ de, con, hasta }) {
    if (de !== undefined) this.#people.get(de)?.conversation?.wasRead(hasta);
    const person = this.#people.get(con);
    if (!person?.unread || (person.last?.id && isAfter(person.last.id, hasta))) return;
    person.unread = 0;
    this.#changed();
  }

  // The inside.

  /** Whose conversation a message belongs to: the user's, whichever admin wrote it. */
  conOf({ de, para = null }) {
    if (de === this.me) return para;
    return this.get(de).role === "admin" && para !== null && para !== this.me ? para : de;
  }

  #learn({ con, ultimo: last, no_leidos: unread, nombre = null, rol = null, caso }) {
    const person = this.get(con);
    Object.assign(person, { last, unread, name: nombre ?? person.name, role: rol });
    if (caso) this.onEntry(caso);
  }

  /** A team's server says who is an admin: what one of them writes belongs to the one it was written to. */
  async #askRole(user) {
    if (!this.#knowsRoles || user === this.me || this.get(user).role !== undefined) return;
    const standing = await this.#ask("conversacion", { con: user });
    if (standing) this.#stands(user, standing);
  }

  /** Somebody came whose name is not known yet: look at all who are here, now and then. */
  #lookAround() {
    this.#looking ||= setTimeout(() => {
      this.#looking = 0;
      this.#loadOnline();
    }, LOOK_AROUND_MS);
  }

  #stands(user, { en_linea: online, visto: seen, nombre = null, rol = null, conocido = true, caso }) {
    const person = this.get(user);
    Object.assign(person, { known: conocido, name: nombre ?? person.name, role: rol });
    if (caso) this.onEntry(caso);
    if (online !== undefined) this.presence({ user, en_linea: online, visto: seen });
    this.#changed();
  }

  async #lookOn() {
    let answered = true;
    while (answered && this.hasMore && !this.unread && this.listed.length < LOOKED_THROUGH)
      answered = await this.#loadPage(this.#pagedTo);
  }

  /** The page of those whose last message is before `id`. Returns whether the server has answered. */
  async #loadPage(id) {
    const answer = await this.fetch({ limite: PAGE, antes: id });
    const end = answer?.conversaciones.at(-1)?.ultimo.id ?? this.#pagedTo;
    // The first page comes again after each reconnection: it says nothing of what is below the others.
    if (!answer || (this.#pagedTo && isAfter(end, this.#pagedTo))) return answer !== null;
    this.#pagedTo = end;
    this.hasMore = answer.hay_mas;
    this.#changed();
    return true;
  }

  /** A server that cannot search ignores `buscar`, and what it sends is true all the same. */
  async #search() {
    for (let asked = ""; this.#sought && asked !== this.#sought; ) {
      await new Promise((ask) => setTimeout(ask, SEARCH_PAUSE_MS));
      asked = this.#sought;
      await this.fetch({ limite: PAGE, buscar: asked });
    }
  }

  async #loadOnline() {
    const online = new Set();
    this.#cameOrWent.clear(); // the news of somebody may be younger than the answer
    for await (const { user, desde, nombre, rol } of everybodyHere(this.#socket)) {
      const person = this.get(user);
      if (!this.#cameOrWent.has(user)) person.cameOrWent(true, desde);
      Object.assign(person, { name: nombre ?? person.name, role: this.#knowsRoles ? (rol ?? null) : undefined });
      online.add(user);
    }
    const isGone = ({ user }) => !online.has(user) && !this.#cameOrWent.has(user);
    for (const person of this.#people.values()) if (isGone(person)) person.cameOrWent(false, person.seen);
    this.#changed();
  }

  /** The answer; null if there is none, or if it is no. */
  async #ask(event, data) {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        return await this.#socket.ask(event, data);
      } catch (error) {
        if (error instanceof UnansweredError) return null; // the next connection asks again
        if (!(error instanceof RefusedError)) throw error;
        if (!SOON_OVER.has(error.code)) return null;
      }
      await new Promise((again) => setTimeout(again, BUSY_MS));
    }
    return null;
  }
}
