// The list of conversations, with its search.

import { arrange, avatar, make } from "./dom.js";
import { briefly, text } from "./texts.js";

const NEAR_PX = 200;

export class ListView {
  #list;
  #search;
  #people;
  #typing;
  #rows = new Map();
  current = null;

  constructor(list, search, people, typing) {
    this.#list = list;
    this.#search = search;
    this.#people = people;
    this.#typing = typing;
    search.addEventListener("input", () => this.render());
    search.addEventListener("keydown", (event) => this.#onKey(event));
    list.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    people.onChange(() => this.render());
  }

  /** Those who are shown, in order. */
  get shown() {
    const wanted = this.#wanted.toLocaleLowerCase();
    return this.#people.listed.filter((person) => person.user.toLocaleLowerCase().includes(wanted));
  }

  render() {
    const { shown } = this;
    const rows = shown.map((person) => this.#row(person));
    const wanted = this.#wanted;
    if (wanted && wanted !== this.#people.me && !shown.some((person) => person.user === wanted)) rows.push(this.#offer(wanted));
    if (!rows.length && this.#people.loaded) rows.push(make("li", { class: "note" }, text(wanted ? "nobodyFound" : "nobodyYet")));
    arrange(this.#list, rows);
  }

  /** The one before (-1) or behind (1) the one that is open. */
  neighbour(step) {
    const { shown } = this;
    const place = shown.findIndex((person) => person.user === this.current);
    return shown[place < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, place + step))]?.user ?? null;
  }

  redraw() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.render();
  }

  // The inside.

  get #wanted() {
    return this.#search.value.trim();
  }

  #row(person) {
    const typing = this.#typing.isTyping(person.user);
    const state = JSON.stringify([person.last?.mensaje, person.last?.fecha, person.unread, person.online, typing,
                                  person.user === this.current]);
    const known = this.#rows.get(person.user);
    if (known?.state === state) return known.row;
    const row = known?.row ?? make("li", {}, make("a", { href: addressOf(person.user) }));
    this.#fill(row.firstElementChild, person, typing);
    this.#rows.set(person.user, { row, state });
    return row;
  }

  #fill(link, person, typing) {
    const { user, last, unread, online } = person;
    link.classList.toggle("unread", unread > 0);
    link.toggleAttribute("aria-current", user === this.current);
    if (user === this.current) link.setAttribute("aria-current", "true");
    const prefix = last && this.#people.isMine(last, user) ? `${text("you")}: ` : "";
    const said = last ? prefix + last.mensaje : text("online");
    link.replaceChildren(
      make("span", { class: "face", "data-online": String(online) }, avatar(user)),
      make("span", { class: "lines" },
        make("span", { class: "name", dir: "auto" }, user, online ? make("span", { class: "sr-only" }, ` (${text("online")})`) : null),
        typing ? make("span", { class: "snippet typing-now" }, text("typing"))
               : make("span", { class: "snippet", dir: "auto" }, said.slice(0, 140))),
      make("span", { class: "side-facts" },
        last ? make("time", {}, briefly(last.fecha)) : null,
        unread ? make("span", { class: "badge" }, unread > 99 ? "99+" : String(unread), make("span", { class: "sr-only" }, ` ${text("unread", { count: "" })}`)) : null),
    );
  }

  /** Somebody who is not in the list can be written to all the same. */
  #offer(user) {
    return make("li", {}, make("a", { href: addressOf(user) },
      make("span", { class: "face" }, avatar(user)),
      make("span", { class: "lines" }, make("span", { class: "name" }, text("writeTo", { user })))));
  }

  #onKey(event) {
    if (event.key === "Enter") this.#list.querySelector("a")?.click();
    else if (event.key === "Escape") {
      this.#search.value = "";
      this.render();
      this.#search.blur();
    } else if (event.key === "ArrowDown") this.#list.querySelector("a")?.focus();
    else return;
    event.preventDefault();
  }

  #onScroll() {
    const left = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight;
    if (left < NEAR_PX) this.#people.loadMore();
  }
}

export function addressOf(user) {
  return `#/with/${encodeURIComponent(user)}`;
}
