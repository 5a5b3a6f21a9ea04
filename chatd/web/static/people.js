// The users of an admin's list: conversations, presence, unread counts. Has no DOM code.

import { Conversation } from "./conversation.js";
import { onceAFrame } from "./dom.js";
import { isAfter } from "./messages.js";
import { usersOnline } from "./online.js";
import { Fate } from "./outbox.js";
import { Unsent } from "./unsent.js";

const PAGE = 50;
const MOST_SEARCHED = 200;
const RELOAD_ONLINE_MS = 2_000;
const SEARCH_PAUSE_MS = 150; // fast typing sends one request

/** One row of the list. `last` is the last known message, `unread` the number of unread messages. */
class Person {
  constructor(user) {
    this.user = user;
    this.last = null;
    this.unread = 0;
    this.online = false;
    this.seen = null; // milliseconds since 1970
    this.conversation = null;
    this.name = null; // the name claim of the user's token, if the server stores it
    this.role = undefined; // "admin" or null, once the server has told
    this.known = undefined; // false: no user of this name has ever connected; undefined until the server has told
  }

  /** The name to show. */
  get title() {
    return this.name ?? this.user;
  }

  /** When the user was last online: messages written before have been delivered. */
  get lastOnline() {
    return this.online ? Infinity : (this.seen ?? 0);
  }

  /** Whether nobody of this name was ever here. */
  get isStranger() {
    return this.known === false && !this.conversation?.messages.length;
  }

  /** Whether the server has not told yet whether a user of this name was ever here. */
  get isUnchecked() {
    return this.known === undefined && !this.online && !this.last && !this.conversation?.messages.length;
  }

  /** Whether a refused message waits for the reader to send it again. */
  get failed() {
    return this.conversation?.outbox.pending.some(({ fate }) => fate === Fate.FAILED) ?? false;
  }

  setPresence(online, seen) {
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
  #pagedTo = null; // id of the last message of the last loaded page
  #loadingMore = null;
  #sought = "";
  #searching = null;
  onEntry = () => {}; // gets the case ("caso") of a conversation
  onCounts = () => {};
  #knowsRoles = false;
  #reloadTimer = 0;
  #presenceChanged = new Set(); // users with presence events since the list of users online was requested
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

  /** Set the reader, null if the server does not tell, and restore messages that an earlier page could not send. */
  setReader(me) {
    this.me = me;
    if (me === null || this.#unsent !== null) return;
    this.#unsent = new Unsent(me);
    for (const user of this.#unsent.addressees) {
      const messages = this.#unsent.to(user);
      this.conversationWith(user).outbox.restore(messages);
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
      lastOnline: () => person.lastOnline,
      onPending: (pending) => this.#unsent?.keep(user, pending),
      onStanding: (standing) => this.#learnStanding(user, standing),
      onUncheckable: () => this.#letTry(user),
    });
    person.conversation.onChange(() => this.#changed());
    const { last } = person;
    if (last && !last.id && last.de === user) person.conversation.receive(last); // history may lack it (C-72)
    return person.conversation;
  }

  /** Whether the reader wrote it; if the reader's name is unknown: whether the other user did not. */
  isMine(message, con) {
    return this.me === null ? message.de !== con : message.de === this.me;
  }

  /** Users with messages, the latest first, then users who are only online. */
  get listed() {
    return [...this.#people.values()]
      .filter((person) => person.user !== this.me && (person.last || person.online))
      .sort((one, other) => (other.last?.fecha ?? 0) - (one.last?.fecha ?? 0) || one.user.localeCompare(other.user));
  }

  get all() {
    return this.#people.values();
  }

  /** The number of loaded conversations with unread messages. */
  get unread() {
    return [...this.#people.values()].filter((person) => person.unread > 0).length;
  }

  onLost() {
    for (const { conversation } of this.#people.values()) conversation?.onLost();
  }

  /** Send pending messages again, in all conversations. */
  resend() {
    for (const { conversation } of this.#people.values()) conversation?.outbox.resend();
  }

  /** Load the first page of conversations and the users online: at each connection. */
  async load() {
    await this.#loadPage();
    await this.#loadOnline();
    this.loaded = true;
    this.#changed();
  }

  /** Load the next page. Concurrent calls share one request. */
  async loadMore() {
    if (!this.hasMore) return;
    this.#loadingMore ??= this.#loadPage(this.#pagedTo).finally(() => (this.#loadingMore = null));
    await this.#loadingMore;
  }

  /** If all loaded conversations are read, load more until one is unread, up to MOST_SEARCHED conversations. */
  findUnread() {
    this.#loadingMore ??= this.#loadUntilUnread().finally(() => (this.#loadingMore = null));
  }

  /** Load the conversations with users whose name begins with `prefix`. */
  search(prefix) {
    this.#sought = prefix;
    if (prefix) this.#searching ??= this.#search().finally(() => (this.#searching = null));
  }

  /** A message that the server pushed. Resolves to the person whose conversation it belongs to. */
  async received(message) {
    if (message.para && message.para !== this.me) await this.askRole(message.de);
    const con = this.conOf(message);
    if (con === null) return null;
    const person = this.get(con);
    person.last = { fecha: Date.now(), ...message };
    if (message.de === con) person.unread++;
    else if (message.de !== this.me) person.unread = 0; // a colleague has answered
    // A thread that was never opened takes a message without id when it is opened.
    if (message.id || person.conversation) this.conversationWith(con).receive(message);
    this.#changed();
    return person;
  }

  /** A message that the reader sent from another tab. */
  sent(message) {
    const person = this.get(message.para);
    person.last = { de: this.me, ...message };
    this.conversationWith(message.para).receive({ de: this.me, ...message });
    this.#changed();
  }

  /** The reader has just sent `words` in this tab; not acknowledged yet. */
  wrote(user, words) {
    this.get(user).last = { de: this.me, para: user, mensaje: words, fecha: Date.now() };
    this.#changed();
  }

  /** Load conversations, and counts if the answer has them. Null without an answer. */
  async fetch(range) {
    const answer = await this.#socket.askPatiently("conversaciones", range);
    for (const entry of answer?.conversaciones ?? []) this.#learn(entry);
    if (answer?.cuentas) {
      this.#knowsRoles = true;
      this.onCounts(answer.cuentas);
    }
    this.#changed();
    return answer;
  }

  /** In a team, ask whether `user` is an admin: an admin's message belongs to the conversation of its addressee. */
  async askRole(user) {
    if (!this.#knowsRoles || user === this.me || this.get(user).role !== undefined) return;
    await this.askStanding(user);
  }

  /** Ask for presence, role and case of `user`. Returns whether the server has answered. */
  async askStanding(user) {
    const standing = await this.#socket.askPatiently("conversacion", { con: user });
    if (standing) this.#learnStanding(user, standing);
    return standing !== null;
  }

  presence({ user, en_linea: online, visto: seen }) {
    const person = this.get(user);
    this.#presenceChanged.add(user);
    person.setPresence(online, seen);
    if (online && this.#knowsRoles && person.role === undefined) this.#reloadOnlineSoon();
    this.#changed();
  }

  /** Read up to `hasta`: by the other user (`de`), or by the reader in another tab (`con`). */
  wasRead({ de, con, hasta }) {
    if (de !== undefined) this.#people.get(de)?.conversation?.wasRead(hasta);
    const person = this.#people.get(con);
    if (!person?.unread || (person.last?.id && isAfter(person.last.id, hasta))) return;
    person.unread = 0;
    this.#changed();
  }

  // Internals.

  /** The user whose conversation a message belongs to, whichever admin wrote it. */
  conOf({ de, para = null }) {
    if (de === this.me) return para;
    return this.get(de).role === "admin" && para !== null && para !== this.me ? para : de;
  }

  #learn({ con, ultimo: last, no_leidos: unread, nombre = null, rol = null, caso }) {
    const person = this.get(con);
    Object.assign(person, { last, unread, name: nombre ?? person.name, role: rol });
    if (caso) this.onEntry(caso);
  }

  /** A user of unknown name came online: load the users online, at most once every RELOAD_ONLINE_MS. */
  #reloadOnlineSoon() {
    this.#reloadTimer ||= setTimeout(() => {
      this.#reloadTimer = 0;
      this.#loadOnline();
    }, RELOAD_ONLINE_MS);
  }

  #learnStanding(user, { en_linea: online, visto: seen, nombre = null, rol = null, conocido = seen !== null, caso }) {
    const person = this.get(user);
    Object.assign(person, { known: conocido, name: nombre ?? person.name, role: rol });
    if (caso) this.onEntry(caso);
    if (online !== undefined) this.presence({ user, en_linea: online, visto: seen });
    this.#changed();
  }

  /** The server refuses to tell of `user`: it answers the message itself. */
  #letTry(user) {
    this.get(user).known = true;
    this.#changed();
  }

  async #loadUntilUnread() {
    let answered = true;
    while (answered && this.hasMore && !this.unread && this.listed.length < MOST_SEARCHED)
      answered = await this.#loadPage(this.#pagedTo);
  }

  /** Load the page of conversations whose last message is before `id`. Returns whether the server has answered. */
  async #loadPage(id) {
    const answer = await this.fetch({ limite: PAGE, antes: id });
    const end = answer?.conversaciones.at(-1)?.ultimo.id ?? this.#pagedTo;
    // The first page is loaded again at each reconnection: its `hay_mas` is not that of the last loaded page.
    if (!answer || (this.#pagedTo && isAfter(end, this.#pagedTo))) return answer !== null;
    this.#pagedTo = end;
    this.hasMore = answer.hay_mas;
    this.#changed();
    return true;
  }

  /** A server without search ignores `buscar` and sends the first page, which does no harm. */
  async #search() {
    for (let asked = ""; this.#sought && asked !== this.#sought; ) {
      await new Promise((ask) => setTimeout(ask, SEARCH_PAUSE_MS));
      asked = this.#sought;
      await this.fetch({ limite: PAGE, buscar: asked });
    }
  }

  async #loadOnline() {
    const online = new Set();
    this.#presenceChanged.clear(); // a presence event may be newer than the answer
    for await (const { user, desde, nombre, rol } of usersOnline(this.#socket)) {
      const person = this.get(user);
      if (!this.#presenceChanged.has(user)) person.setPresence(true, desde);
      Object.assign(person, { name: nombre ?? person.name, role: this.#knowsRoles ? (rol ?? null) : undefined });
      online.add(user);
    }
    const isGone = ({ user }) => !online.has(user) && !this.#presenceChanged.has(user);
    for (const person of this.#people.values()) if (isGone(person)) person.setPresence(false, person.seen);
    this.#changed();
  }
}
