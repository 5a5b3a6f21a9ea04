// Asks for confirmation before sending to a user whom another admin is answering, or to an unknown user.
// While the server has not told whether the user is known, the message waits for its answer.

import { byId, make } from "./dom.js";
import { shownName } from "./names.js";
import { onLanguage, text } from "./texts.js";

const ANSWER_MS = 5_000;

export class AskFirst {
  #form;
  #asked = make("div", { class: "ask-first", role: "alert", hidden: true });
  #agreed = new Set(); // keys of confirmed questions: each is asked once
  #team;
  #people;
  #user = null;
  #pending = null;
  #waiting = 0; // the timer of a message that waits for the server's answer

  constructor(form, team, people) {
    this.#form = form;
    this.#team = team;
    this.#people = people;
    form.before(this.#asked);
    people.onChange(() => this.#look());
    byId("box").addEventListener("input", () => this.#stopWaiting()); // the text is not the one that was sent
    onLanguage(() => this.#pending && this.#ask(this.#pending));
  }

  /** The conversation with `user` is opened. */
  show(user) {
    this.#user = user;
    this.clear();
  }

  /** Returns whether the text in the box may be sent; if not, it stays there and the question is shown. */
  allows() {
    const reason = this.#reason;
    if (reason === null || this.#agreed.has(reason.key)) {
      this.clear();
      return true;
    }
    if (reason.mayWait) this.#wait();
    else this.#ask(reason);
    return false;
  }

  clear() {
    this.#stopWaiting();
    this.#pending = null;
    this.#asked.hidden = true;
  }

  /** Send the text in the box when the server has answered; without an answer in time, ask. */
  #wait() {
    this.#waiting ||= setTimeout(() => {
      this.#waiting = 0;
      this.#ask(this.#unchecked);
    }, ANSWER_MS);
  }

  #look() {
    if (!this.#waiting || this.#reason?.mayWait) return;
    this.#stopWaiting();
    this.#form.requestSubmit();
  }

  #stopWaiting() {
    clearTimeout(this.#waiting);
    this.#waiting = 0;
  }

  /** Why to ask before a message is sent, or null. */
  get #reason() {
    const user = this.#user;
    const rival = this.#team.rivalOn(user);
    if (rival !== null) return { key: `rival ${rival} ${user}`, words: text("team.rival", { who: shownName(this.#people.get(rival).title) }) };
    if (this.#people.get(user).isStranger) return { key: `unknown ${user}`, words: text("team.unknown", { user: shownName(user) }) };
    return this.#people.get(user).isUnchecked ? this.#unchecked : null;
  }

  get #unchecked() {
    const user = this.#user;
    return { key: `unchecked ${user}`, words: text("team.unchecked", { user: shownName(user) }), mayWait: true };
  }

  #ask(reason) {
    this.#pending = reason;
    this.#asked.replaceChildren(
      make("span", {}, reason.words),
      make("button", { type: "button", class: "plain yes", onclick: () => this.#agree(reason) }, text("team.sendAnyway")),
      make("button", { type: "button", class: "plain no", onclick: () => this.#decline() }, text("team.dontSend")),
    );
    this.#asked.hidden = false;
  }

  #agree({ key }) {
    this.#agreed.add(key);
    this.clear();
    this.#form.requestSubmit();
    byId("box").focus();
  }

  #decline() {
    this.clear();
    byId("box").focus();
  }
}
