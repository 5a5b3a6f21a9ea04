// The team's canned replies. `/` at the beginning of the box lists them; the chosen reply replaces the text in the box.

import { arrange, make } from "./dom.js";
import { onLanguage, text } from "./texts.js";

const MOST_SHOWN = 8;

export class Canned {
  #socket;
  #team;
  #box;
  #replies = new Map(); // by shortcut
  #choices = make("ul", { class: "canned", id: "canned", role: "listbox", hidden: true });
  #editor = make("dialog", { class: "canned-editor" });
  #rows = make("ul");
  #shortcut;
  #words;
  #shown = [];
  #chosen = 0;

  constructor(form, socket, team) {
    this.#socket = socket;
    this.#team = team;
    this.#box = form.querySelector("textarea");
    form.before(this.#choices);
    document.body.append(this.#editor);
    socket.on("respuesta", (reply) => this.#learn(reply));
    this.#box.addEventListener("input", () => this.#look());
    this.#box.addEventListener("blur", () => this.#hide());
    form.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
    onLanguage(() => this.#hide());
  }

  /** Load all replies, page by page; called at each connection. */
  async load() {
    if (!this.#team.isThere) return;
    const replies = new Map();
    for (let after = undefined; ; ) {
      const page = await this.#socket.askOrNull("respuestas", after === undefined ? {} : { despues: after });
      if (!page) return;
      for (const reply of page.respuestas) replies.set(reply.atajo, reply);
      if (!page.hay_mas) break;
      after = page.respuestas.at(-1).atajo;
    }
    this.#replies = replies;
  }

  #learn({ atajo, texto }) {
    if (texto === null) this.#replies.delete(atajo);
    else this.#replies.set(atajo, { atajo, texto });
    if (this.#editor.open) this.#drawRows();
  }

  // The list above the box.

  #look() {
    const wanted = /^\/([\p{L}\p{N}_-]*)$/u.exec(this.#box.value)?.[1].toLowerCase();
    if (wanted === undefined || !this.#team.isThere) {
      this.#hide();
      return;
    }
    this.#shown = [...this.#replies.values()]
      .filter(({ atajo, texto }) => atajo.toLowerCase().startsWith(wanted) || (wanted && texto.toLowerCase().includes(wanted)))
      .sort((one, other) => one.atajo.localeCompare(other.atajo))
      .slice(0, MOST_SHOWN);
    this.#chosen = 0;
    if (wanted && !this.#shown.length) this.#hide(); // no reply: an ordinary message
    else this.#draw();
  }

  #draw() {
    const rows = this.#shown.map((reply, place) => make(
      "li",
      { role: "option", id: `canned-${place}`, "aria-selected": String(place === this.#chosen), onmousedown: (event) => this.#take(event, reply) },
      make("strong", {}, `/${reply.atajo}`), " ", make("span", { dir: "auto" }, reply.texto),
    ));
    const edit = make(
      "li",
      { role: "option", class: "edit", id: `canned-${rows.length}`, "aria-selected": String(this.#chosen === rows.length), onmousedown: (event) => this.#take(event, null) },
      text("team.editReplies"),
    );
    arrange(this.#choices, [...rows, edit]);
    this.#choices.setAttribute("aria-label", text("team.replies"));
    this.#choices.hidden = false;
    this.#box.setAttribute("aria-controls", "canned");
    this.#box.setAttribute("aria-activedescendant", `canned-${this.#chosen}`);
  }

  #hide() {
    this.#choices.hidden = true;
    this.#box.removeAttribute("aria-activedescendant");
  }

  #onKey(event) {
    if (this.#choices.hidden || event.isComposing) return;
    const last = this.#shown.length;
    if (event.key === "ArrowDown") this.#chosen = Math.min(last, this.#chosen + 1);
    else if (event.key === "ArrowUp") this.#chosen = Math.max(0, this.#chosen - 1);
    else if (event.key === "Escape") this.#hide();
    else if (event.key === "Enter" || event.key === "Tab") this.#take(event, this.#shown[this.#chosen] ?? null);
    else return;
    if (!this.#choices.hidden) this.#draw();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Replace the text in the box by `reply`; null opens the dialog with all replies. */
  #take(event, reply) {
    event.preventDefault();
    this.#hide();
    this.#box.value = reply?.texto ?? "";
    this.#box.dispatchEvent(new Event("input"));
    if (reply === null) this.#edit();
  }

  // The dialog in which replies are edited.

  #edit() {
    const field = (tag, name, label, limits) => make(tag, { name, required: true, "aria-label": text(label), placeholder: text(label), ...limits });
    this.#shortcut = field("input", "atajo", "team.shortcut", { maxlength: "32", pattern: "[\\p{L}\\p{N}_\\-]+" });
    this.#words = field("textarea", "texto", "team.replyText", { maxlength: "2000", rows: "3" });
    this.#editor.setAttribute("aria-label", text("team.replies"));
    this.#editor.replaceChildren(
      make("h2", {}, text("team.replies")),
      this.#rows,
      make("form", { onsubmit: (event) => this.#save(event) }, this.#shortcut, this.#words, make("button", { type: "submit", class: "plain" }, text("team.keepReply"))),
      make("form", { method: "dialog" }, make("button", { class: "plain" }, text("close"))),
    );
    this.#drawRows();
    this.#editor.showModal();
  }

  /** Only the rows: what is being written below them stays when a colleague changes a reply. */
  #drawRows() {
    const sorted = [...this.#replies.values()].sort((one, other) => one.atajo.localeCompare(other.atajo));
    this.#rows.replaceChildren(...sorted.map((reply) =>
      make("li", {},
        make("button", { type: "button", class: "plain change", onclick: () => this.#fill(reply) }, `/${reply.atajo}`),
        make("span", { dir: "auto" }, reply.texto),
        make("button", { type: "button", class: "plain delete", onclick: () => this.#delete(reply) }, text("team.deleteReply")))));
  }

  #fill({ atajo, texto }) {
    this.#shortcut.value = atajo;
    this.#words.value = texto;
  }

  /** A deleted reply goes into an empty form, from which it can be kept again. */
  #delete(reply) {
    if (!this.#shortcut.value && !this.#words.value) this.#fill(reply);
    this.#socket.askOrNull("respuesta", { atajo: reply.atajo, texto: null });
  }

  async #save(event) {
    event.preventDefault();
    const reply = { atajo: this.#shortcut.value, texto: this.#words.value.trim() };
    if (await this.#socket.askOrNull("respuesta", reply)) this.#fill({ atajo: "", texto: "" });
  }
}
