// Notes about the user of the open conversation, folded above the thread. Only admins see them.

import { make } from "./dom.js";
import { shownName } from "./names.js";
import { briefly, onLanguage, text } from "./texts.js";

export class Notes {
  #socket;
  #team;
  #people;
  #user = null;
  #notes = new Map(); // by id
  #unkept = new Map(); // by user: what was written and not kept
  #writing = false;
  #drawn = "";
  #count = make("span", { class: "count" });
  #title = make("span");
  #list = make("ol", { class: "note-list" });
  #box = make("textarea", { rows: "2", maxlength: "10000" });
  #save = make("button", { type: "submit", class: "plain" });
  #fold;

  constructor(before, socket, team, people) {
    this.#socket = socket;
    this.#team = team;
    this.#people = people;
    const form = make("form", { onsubmit: (event) => this.#write(event) }, this.#box, this.#save);
    this.#fold = make("details", { class: "notes", hidden: true }, make("summary", {}, this.#title, " ", this.#count), this.#list, form);
    before.before(this.#fold);
    socket.on("nota", (note) => note.con === this.#user && this.#add([note]));
    team.onChange(() => this.#draw());
    people.onChange(() => this.#draw());
    onLanguage(() => {
      this.#drawn = "";
      this.#draw();
    });
  }

  /** Show the notes about `user`. */
  async show(user) {
    if (user === this.#user) return;
    if (this.#user !== null) this.#unkept.set(this.#user, this.#box.value);
    this.#user = user;
    this.#notes.clear();
    this.#box.value = this.#unkept.get(user) ?? "";
    this.#fold.open = this.#box.value !== "";
    this.#draw();
    await this.load();
  }

  /** Load the notes again after a reconnection. */
  async load() {
    const user = this.#user;
    if (user === null || !this.#team.isThere) return;
    const answer = await this.#socket.askOrNull("notas", { con: user, limite: 100 });
    if (answer && user === this.#user) this.#add(answer.notas);
  }

  #add(notes) {
    for (const note of notes) this.#notes.set(note.id, note);
    this.#draw();
  }

  /** A note that was not stored stays in the box. */
  async #write(event) {
    event.preventDefault();
    const [con, texto] = [this.#user, this.#box.value.trim()];
    if (!texto || this.#writing) return;
    this.#writing = true;
    const answer = await this.#socket.askOrNull("nota", { con, texto });
    this.#writing = false;
    if (answer === null) return;
    if (con !== this.#user) this.#unkept.delete(con);
    else if (this.#box.value.trim() === texto) this.#box.value = "";
  }

  #draw() {
    this.#fold.hidden = !this.#team.isThere || this.#user === null || this.#people.get(this.#user).role === "admin";
    this.#title.textContent = text("team.notes");
    this.#count.textContent = this.#notes.size ? String(this.#notes.size) : "";
    this.#save.textContent = text("team.keepNote");
    this.#box.setAttribute("aria-label", text("team.newNote"));
    this.#box.placeholder = text("team.newNote");
    const notes = [...this.#notes.values()];
    const drawn = JSON.stringify(notes.map((note) => [note.id, this.#authorOf(note)]));
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#list.replaceChildren(...notes.map((note) => this.#row(note)));
  }

  #authorOf({ de }) {
    return shownName(this.#people.get(de).title);
  }

  #row(note) {
    return make("li", {}, make("p", { dir: "auto" }, note.texto), make("span", { class: "meta" }, `${this.#authorOf(note)} · ${briefly(note.fecha)}`));
  }
}
