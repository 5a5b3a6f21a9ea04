// Whether somebody looks at this page: it is visible and has the focus. What is read was before somebody's eyes for a
// second: walking past it is not reading it.

const LONG_ENOUGH_MS = 1_000;

export class Attention {
  #timer = 0;
  #onLooked;
  #hasFocus;

  /** `onLooked` is called when somebody has looked for a second; `hasFocus` returns whether the page has the focus. */
  constructor(onLooked, hasFocus = () => document.hasFocus()) {
    this.#onLooked = onLooked;
    this.#hasFocus = hasFocus;
    for (const event of ["focus", "blur", "pageshow"]) window.addEventListener(event, () => this.start());
    document.addEventListener("visibilitychange", () => this.start());
    this.start();
  }

  get isThere() {
    return !document.hidden && this.#hasFocus();
  }

  /** What is to be seen is another from now on: the second begins again. */
  start() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.look();
  }

  /** There is more to be seen. */
  look() {
    if (this.#timer || !this.isThere) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.isThere) this.#onLooked();
    }, LONG_ENOUGH_MS);
  }
}
