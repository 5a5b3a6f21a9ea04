// Whether the reader looks at this page: it is visible and has the focus. A message counts as read after one second of
// that, so that stepping through conversations marks none as read.

const LONG_ENOUGH_MS = 1_000;

export class Attention {
  #timer = 0;
  #onLooked;
  #hasFocus;

  /** `onLooked` is called after one second of attention; `hasFocus` returns whether the page has the focus. */
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

  /** The page shows something else: restart the second. */
  start() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.look();
  }

  /** Something was added to the page: start the second, unless it is running. */
  look() {
    if (this.#timer || !this.isThere) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.isThere) this.#onLooked();
    }, LONG_ENOUGH_MS);
  }
}
