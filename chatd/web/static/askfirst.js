// Asks for confirmation before sending to a user whom another admin is answering, or to an unknown user.

import { byId, make } from "./dom.js";
import { onLanguage, text } from "./texts.js";

export class AskFirst {
  #form;
  #asked = make("div", { class: "ask-first", role: "alert", hidden: true });
  #agreed = new Set(); // keys of confirmed questions: each is asked once
  #reasonFor;
  #pending = null;

  /** `reasonFor()` returns `{ key, words }` for the open conversation, or null if no question is needed. */
  constructor(form, reasonFor) {
    this.#form = form;
    this.#reasonFor = reasonFor;
    form.before(this.#asked);
    onLanguage(() => this.#pending && this.#ask(this.#pending));
  }

  /** Returns whether the text in the box may be sent; if not, it stays there and the question is shown. */
  allows() {
    const reason = this.#reasonFor();
    if (reason === null || this.#agreed.has(reason.key)) {
      this.clear();
      return true;
    }
    this.#ask(reason);
    return false;
  }

  clear() {
    this.#pending = null;
    this.#asked.hidden = true;
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
