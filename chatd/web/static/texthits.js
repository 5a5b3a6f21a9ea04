// Full-text search in messages, if the server has the index. Has no DOM code.

const PAUSE_MS = 300; // fast typing sends one request
const LEAST = 2; // characters
const PAGE = 20;
const PAGES_AT_ONCE = 5; // a page may be empty although more follow

export class TextHits {
  #socket;
  #changed;
  #sought = "";
  #timer = 0;
  #missing = false; // the server does not have the event
  #next = null;
  found = []; // newest first

  /** `changed` is called when the hits have changed. */
  constructor(socket, changed) {
    this.#socket = socket;
    this.#changed = changed;
  }

  get hasMore() {
    return this.#next !== null;
  }

  seek(words) {
    if (words === this.#sought) return;
    this.#sought = words;
    this.found = [];
    this.#next = null;
    clearTimeout(this.#timer);
    if (words.length >= LEAST && !this.#missing) this.#timer = setTimeout(() => this.#ask(words, undefined), PAUSE_MS);
  }

  async more() {
    if (this.hasMore) await this.#ask(this.#sought, this.#next);
  }

  async #ask(words, before) {
    let next = before;
    for (let pages = 0; pages < PAGES_AT_ONCE && next !== null; pages++) {
      const answer = await this.#page(words, next);
      if (answer === null || words !== this.#sought) return;
      next = answer.sigue;
      this.found = [...this.found, ...answer.encontrados];
      if (answer.encontrados.length) break;
    }
    this.#next = next;
    this.#changed();
  }

  #page(words, before) {
    const asked = { texto: words, limite: PAGE, antes: before };
    return this.#socket.askOrNull("buscar", asked, (code) => (this.#missing = code === "unknown_event"));
  }
}
