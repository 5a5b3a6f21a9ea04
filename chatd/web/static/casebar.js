// The case of the open conversation: its assignee, how long its user has waited, and the actions on it.

import { byId, make } from "./dom.js";
import { shownName } from "./names.js";
import { briefly, onLanguage, text } from "./texts.js";

const AGAIN_MS = 15_000;

/** The time since `ms`, in the largest unit that fits. */
export function waited(ms, now = Date.now()) {
  const minutes = Math.floor(Math.max(0, now - ms) / 60_000);
  if (minutes < 1) return text("team.now");
  if (minutes < 60) return text("team.minutes", { count: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? text("team.hours", { count: hours }) : text("team.days", { count: Math.floor(hours / 24) });
}

export class CaseBar {
  #team;
  #people;
  #bar = make("div", { class: "case", role: "status", hidden: true });
  #user = null;
  #drawn = "";

  constructor(head, team, people) {
    this.#team = team;
    this.#people = people;
    head.after(this.#bar);
    team.onChange(() => this.draw());
    people.onChange(() => this.draw());
    onLanguage(() => this.draw());
    setInterval(() => this.draw(), AGAIN_MS);
  }

  show(user) {
    this.#user = user;
    this.draw();
  }

  draw() {
    const one = this.#user === null ? undefined : this.#team.caseOf(this.#user);
    this.#bar.hidden = !one || this.#people.get(this.#user).role === "admin";
    if (this.#bar.hidden) return;
    const words = this.#words(one);
    const actions = this.#actions(one);
    const state = JSON.stringify([this.#user, words, actions.map(([name]) => name)]);
    if (state === this.#drawn) return; // redrawing would take the focus from a button
    this.#drawn = state;
    this.#bar.dataset.state = one.estado;
    this.#bar.replaceChildren(
      make("span", { class: "case-who" }, words),
      ...actions.map(([name, act]) => make("button", { type: "button", class: `plain ${name}`, onclick: () => this.#act(act) }, text(`team.${name}`))),
    );
  }

  #words(one) {
    const facts = [];
    if (one.estado === "resuelto") facts.push(text("team.resolvedBy", { who: one.cerro ? this.#nameOf(one.cerro) : "—", when: briefly(one.cerrado) }));
    else if (this.#team.isMine(one.con)) facts.push(text("team.mine"));
    else facts.push(one.atiende ? text("team.theirs", { who: this.#nameOf(one.atiende) }) : text("team.nobody"));
    if (one.espera !== undefined) facts.push(text("team.waits", { time: waited(one.espera) }));
    return facts.join(" · ");
  }

  #actions(one) {
    const { con } = one;
    const resolve = ["resolve", () => this.#team.resolve(con, this.#people.conversationWith(con).lastId)];
    if (one.estado === "resuelto") return [["reopen", () => this.#team.claim(con)]];
    if (this.#team.isMine(con)) return [["release", () => this.#team.release(con)], resolve];
    return [one.atiende ? ["takeOver", () => this.#team.claim(con, true)] : ["claim", () => this.#team.claim(con)], resolve];
  }

  #nameOf(user) {
    return shownName(this.#people.get(user).title);
  }

  async #act(act) {
    byId("box").focus(); // the pressed button is removed
    await act();
  }
}
