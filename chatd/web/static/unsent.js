// What was written and is not stored yet. It outlives its page: the next one of this tab sends it again, and by its cid
// it is stored once (C-21).

const KEPT_AS = "chatd.unsent";

/** Of one user, by addressee. Where the browser forbids pages to keep things, nothing outlives its page. */
export class Unsent {
  #key;
  #messages;

  constructor(user) {
    this.#key = `${KEPT_AS} ${user}`;
    this.#messages = new Map(remembered(this.#key));
  }

  /** To whom there is something. */
  get addressees() {
    return [...this.#messages.keys()];
  }

  /** In the order of their writing. */
  to(user) {
    return this.#messages.get(user) ?? [];
  }

  keep(user, messages) {
    if (messages.length) this.#messages.set(user, messages.map(({ cid, mensaje, fecha }) => ({ cid, mensaje, fecha })));
    else if (!this.#messages.delete(user)) return;
    try {
      if (this.#messages.size) sessionStorage.setItem(this.#key, JSON.stringify([...this.#messages]));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // then it lasts as long as the page
    }
  }
}

function remembered(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}
