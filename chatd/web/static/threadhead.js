// The head of the open thread: the user's name and picture, presence, and who is typing. Also labels the message box.

import { avatar, byId } from "./dom.js";
import { wholeName } from "./list.js";
import { shownName } from "./names.js";
import { briefly, text } from "./texts.js";

export class ThreadHead {
  #socket;
  #people;
  #typing;
  #colleagues;
  #user = null;

  constructor(socket, people, typing, colleagues) {
    this.#socket = socket;
    this.#people = people;
    this.#typing = typing;
    this.#colleagues = colleagues;
  }

  /** Show this user; null if no thread is open. */
  show(user) {
    this.#user = user;
    this.draw();
  }

  draw() {
    this.drawName();
    this.drawPresence();
    this.drawTyping();
  }

  drawName() {
    if (this.#user === null) return;
    const person = this.#people.get(this.#user);
    const name = byId("thread-name");
    name.textContent = shownName(person.title);
    name.title = wholeName(person);
    byId("thread-avatar").replaceChildren(avatar(this.#user));
    byId("box-label").textContent = text("messageTo", { user: shownName(person.title) });
  }

  /** Show nothing without a connection: presence is unknown then. */
  drawPresence() {
    if (this.#user === null) return;
    const { online, seen, name, isStranger } = this.#people.get(this.#user);
    const gone = seen === null ? text("offline") : text("lastSeen", { when: briefly(seen) });
    const away = isStranger ? text("team.unknown", { user: shownName(this.#user) }) : gone;
    const said = online ? text("online") : away;
    const who = name !== null && name !== this.#user ? `${shownName(this.#user)} · ` : "";
    byId("thread-presence").textContent = this.#socket.online ? who + said : "";
    byId("thread-avatar").dataset.online = String(online);
  }

  drawTyping() {
    if (this.#user === null) return;
    const colleague = this.#colleagues.writingTo(this.#user);
    const own = this.#typing.isTyping(this.#user) ? text("typing") : "";
    byId("typing").textContent = colleague === null ? own : text("team.writes", { who: shownName(this.#people.get(colleague).title) });
  }
}
