// A browser sends no click if what was pressed has been replaced, so an element is not drawn while it is pressed.

const ENDS = ["pointerup", "pointercancel", "contextmenu"]; // a drag cancels; a menu may take the release

export class Press {
  #isDown = false;
  #isLate = false;
  #draw;

  /** `draw` is called after a release if a call of `postpones` was true meanwhile. */
  constructor(element, draw) {
    this.#draw = draw;
    element.addEventListener("pointerdown", () => (this.#isDown = true));
    for (const end of ENDS) window.addEventListener(end, () => setTimeout(() => this.#end())); // the click comes first
  }

  /** Whether to draw later. */
  postpones() {
    this.#isLate ||= this.#isDown;
    return this.#isDown;
  }

  #end() {
    const isLate = this.#isLate;
    this.#isDown = this.#isLate = false;
    if (isLate) this.#draw();
  }
}
