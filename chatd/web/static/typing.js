// Typing notices: sent at most every few seconds while the reader types; received ones expire after a few seconds.

const REPEAT_MS = 4_000;
const BELIEVED_MS = 8_000;

/** Tells `para()` that the reader is typing. */
export class TypingSender {
  #socket;
  #toldAt = 0;
  #told = null;

  constructor(socket) {
    this.#socket = socket;
  }

  set(para, active) {
    if (this.#told !== null && (this.#told !== para || !active)) this.#stop();
    if (!active || (this.#told === para && Date.now() - this.#toldAt < REPEAT_MS)) return;
    this.#toldAt = Date.now();
    this.#told = para;
    this.#socket.tell("escribiendo", { para, activo: true });
  }

  #stop() {
    this.#socket.tell("escribiendo", { para: this.#told, activo: false });
    this.#told = null;
  }
}

/** The users who are typing; `onChange` is called when they change. */
export class TypingHeard {
  #until = new Map();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  heard({ de, activo }) {
    clearTimeout(this.#until.get(de));
    this.#until.delete(de);
    if (activo) this.#until.set(de, setTimeout(() => this.heard({ de, activo: false }), BELIEVED_MS));
    this.#onChange(de);
  }

  isTyping(user) {
    return this.#until.has(user);
  }

  get anybody() {
    return this.#until.size > 0;
  }
}
