// The list of conversations, with its search.

import { Hold } from "./hold.js";
import { arrange, avatar, icon, make, markCurrent } from "./dom.js";
import { moment } from "./moments.js";
import { shownName } from "./names.js";
import { Press } from "./press.js";
import { briefly, text } from "./texts.js";

const NEAR_PX = 200;
const NEAR_ROWS = 5;

export class ListView {
  #list;
  #search;
  #people;
  #typing;
  #hits;
  #rows = new Map();
  #hitRows = new Map(); // by message
  #hold;
  #press;
  current = null;
  view = (persons) => persons; // filters and orders the listed people
  which = () => ""; // names what the view shows
  facts = () => ({}); // further texts of a row, by CSS class
  hasDraft = () => false; // takes a user
  loadMore = () => this.#people.loadMore(); // what the view lacks

  /** `hits` are the messages that contain the searched words. */
  constructor(list, search, people, typing, news, hits) {
    this.#list = list;
    this.#hold = new Hold(list, news, () => this.render());
    this.#press = new Press(list, () => this.render());
    this.#search = search;
    this.#people = people;
    this.#typing = typing;
    this.#hits = hits;
    search.addEventListener("input", () => this.#seek());
    search.addEventListener("keydown", (event) => this.#onKey(event));
    list.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    // Clear the search after the browser has followed the link: clearing moves the row.
    list.addEventListener("click", ({ target }) => target.closest("a") && setTimeout(() => this.clear()));
    people.onChange(() => this.render());
  }

  /** The people to show, in order. */
  get shown() {
    const wanted = folded(this.#wanted);
    const found = this.#people.listed.filter(({ user, name }) => folded(`${user}\n${name ?? ""}`).includes(wanted));
    return wanted ? found : this.view(found);
  }

  render() {
    if (this.#press.postpones()) return;
    const shown = this.#hold.arrange(this.shown, this.which());
    const today = new Date().toDateString();
    const rows = shown.map((person) => this.#row(person, today));
    const wanted = this.#wanted;
    if (wanted && wanted !== this.#people.me && !shown.some((person) => person.user === wanted)) rows.push(this.#offer(wanted));
    if (!rows.length && this.#people.loaded) rows.push(make("li", { class: "note" }, text(wanted ? "nobodyFound" : "nobodyYet")));
    if (wanted) rows.push(...this.#found());
    arrange(this.#list, rows);
    this.#setTabStop();
  }

  /** Roving tabindex: Tab stops at one row, the open one or the first; arrow keys move from there. */
  #setTabStop() {
    const links = [...this.#list.querySelectorAll("a")];
    const stop = links.find((link) => link === document.activeElement) ?? links.find((link) => link.ariaCurrent) ?? links[0];
    for (const link of links) if (link.tabIndex !== (link === stop ? 0 : -1)) link.tabIndex = link === stop ? 0 : -1;
  }

  /** The user before (-1) or after (1) the open one. */
  async neighbour(step) {
    const last = this.#place + step;
    const more = last >= this.shown.length - NEAR_ROWS ? this.loadMore() : null;
    if (last >= this.shown.length) await more;
    const { shown } = this;
    const place = this.#place;
    return shown[place < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, place + step))]?.user ?? null;
  }

  /** The link to `user`; null if it is not shown. */
  linkTo(user) {
    const row = this.#rows.get(user)?.row;
    return row?.isConnected ? row.firstElementChild : null;
  }

  /** The user whose row contains `element`; null outside the list. */
  userAt(element) {
    return this.#list.contains(element) ? userIn(element.closest("a")?.hash ?? "") : null;
  }

  focus() {
    this.#list.querySelector("a[tabindex='0']")?.focus();
  }

  /** End the search: show everybody again. */
  clear() {
    if (!this.#search.value) return;
    this.#search.value = "";
    this.#seek();
    this.#list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  redraw() {
    this.#rows.clear();
    this.#hitRows.clear();
    this.#list.replaceChildren();
    this.render();
  }

  // Internals.

  get #place() {
    return this.shown.findIndex((person) => person.user === this.current);
  }

  get #wanted() {
    return this.#search.value.trim();
  }

  #seek() {
    this.#hold.release();
    this.#people.search(this.#wanted);
    this.#hits.seek(this.#wanted);
    this.#hitRows.clear();
    this.render();
  }

  #row(person, today) {
    const typing = this.#typing.isTyping(person.user);
    const state = JSON.stringify([person.last?.mensaje, person.last?.fecha, person.unread, person.online, person.failed,
                                  typing, person.user === this.current, this.#drafts(person), today, person.name,
                                  person.role, this.facts(person)]);
    const known = this.#rows.get(person.user);
    if (known?.state === state) return known.row;
    const row = known?.row ?? make("li", {}, make("a", { href: addressOf(person.user) }));
    this.#fill(row.firstElementChild, person, typing);
    this.#rows.set(person.user, { row, state });
    return row;
  }

  /** Whether to show "draft" in the row of `user`; not for the open conversation, whose box shows the draft. */
  #drafts({ user }) {
    return user !== this.current && this.hasDraft(user);
  }

  #fill(link, person, typing) {
    const { user, last, unread, online, failed } = person;
    link.classList.toggle("unread", unread > 0);
    markCurrent(link, user === this.current, "true");
    link.replaceChildren(
      make("span", { class: "face", "data-online": String(online) }, avatar(user)),
      make("span", { class: "lines" },
        make("span", { class: "name", dir: "auto", title: wholeName(person) }, shownName(person.title), role(person), online ? make("span", { class: "sr-only" }, ` (${text("online")})`) : null),
        typing ? make("span", { class: "snippet typing-now" }, text("typing")) : this.#snippet(person)),
      make("span", { class: "side-facts" },
        last ? moment(last.fecha, briefly(last.fecha)) : null,
        ...Object.entries(this.facts(person)).map(([kind, words]) => make("span", { class: kind, title: words }, words)),
        failed ? make("span", { class: "failed", title: text("failed") }, icon("warning"), make("span", { class: "sr-only" }, text("failed"))) : null,
        unread ? make("span", { class: "badge" }, unread > 99 ? "99+" : String(unread), make("span", { class: "sr-only" }, ` ${text("unread", { count: "" })}`)) : null),
    );
  }

  #snippet({ user, name, last }) {
    const who = name !== null && name !== user ? `${shownName(user)} · ` : "";
    if (!last) return make("span", { class: "snippet presence" }, who + text("online"));
    if (this.#drafts({ user })) return make("span", { class: "snippet draft", dir: "auto" }, `${text("draft")}: ${last.mensaje}`.slice(0, 140));
    const author = last.de !== user && !this.#people.isMine(last, user) ? `${shownName(this.#people.get(last.de).title)}: ` : "";
    const prefix = this.#people.isMine(last, user) ? `${text("you")}: ` : author;
    return make("span", { class: "snippet", dir: "auto" }, (who + prefix + last.mensaje).slice(0, 140));
  }

  /** A row that offers to write to a user who is not in the list. */
  #offer(user) {
    return make("li", {}, make("a", { href: addressOf(user) },
      make("span", { class: "face" }, avatar(user)),
      make("span", { class: "lines" }, make("span", { class: "name" }, text("writeTo", { user: shownName(user) })))));
  }

  /** The rows of the messages that contain the searched words. */
  #found() {
    const { found, hasMore } = this.#hits;
    if (!found.length) return [];
    const more = make("button", { type: "button", class: "plain", onclick: () => this.#hits.more() }, text("olderHits"));
    return [
      make("li", { class: "note hits" }, text("inMessages")),
      ...found.map((message) => this.#hitRow(message)),
      ...(hasMore ? [make("li", { class: "note" }, more)] : []),
    ];
  }

  /** Reuse the row of a message: it may have the focus. */
  #hitRow(message) {
    if (!this.#hitRows.has(message.id)) this.#hitRows.set(message.id, this.#hit(message));
    return this.#hitRows.get(message.id);
  }

  #hit(message) {
    const { de, fecha, mensaje, id } = message;
    const con = this.#people.conOf(message);
    const author = this.#people.isMine(message, con) ? text("you") : shownName(this.#people.get(de).title);
    return make("li", {}, make("a", { href: addressOf(con, id), class: "hit" },
      make("span", { class: "face" }, avatar(con)),
      make("span", { class: "lines" },
        make("span", { class: "name", dir: "auto", title: wholeName(this.#people.get(con)) }, shownName(this.#people.get(con).title)),
        make("span", { class: "snippet", dir: "auto" }, `${author}: ${mensaje}`.slice(0, 140))),
      make("span", { class: "side-facts" }, moment(fecha, briefly(fecha)))));
  }

  #onKey(event) {
    if (event.key === "Enter") this.#openFirst();
    else if (event.key === "Escape") {
      this.clear();
      this.#search.blur();
    } else if (event.key === "ArrowDown") this.#list.querySelector("a")?.focus();
    else return;
    event.preventDefault();
  }

  /** Open the user with exactly this name, else the first row. Synchronous: the next keys are meant for the box. */
  #openFirst() {
    (this.linkTo(this.#wanted) ?? this.#list.querySelector("a"))?.click();
  }

  #onScroll() {
    const left = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight;
    if (left < NEAR_PX) this.loadMore();
  }
}

/** `words` without case and accents. */
function folded(words) {
  return words.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}

function role({ role: rol }) {
  return rol === "admin" ? make("span", { class: "role" }, text("team.admin")) : null;
}

/** The tooltip of a name that may be cut. */
export function wholeName({ user, name }) {
  return name !== null && name !== user ? `${shownName(name)} · ${shownName(user)}` : shownName(user);
}

/** The address of the thread with `user`, at message `id` if given. */
export function addressOf(user, id = null) {
  const thread = `#/with/${encodeURIComponent(user.toWellFormed())}`; // some keyboards type half a surrogate pair at a time
  return id === null ? thread : `${thread}/${id}`;
}

/** The message id in such an address; null if there is none. */
export function messageIn(address) {
  return /^#\/with\/[^/]+\/(\d+)$/.exec(address)?.[1] ?? null;
}

/** The user in such an address; null if there is none that can be read. */
export function userIn(address) {
  const [, page, user] = address.split("/");
  try {
    return page === "with" && user ? decodeURIComponent(user) : null;
  } catch {
    return null; // not from addressOf
  }
}
