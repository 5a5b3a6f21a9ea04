// Freezes a list while the mouse is over it or the focus is in it: its order, and rows that would have left it. Counts the
// conversations that would have moved to the top.

import { text } from "./texts.js";

export class Hold {
  #list;
  #news;
  #pointed = false;
  #shown = null; // the frozen list
  #which = ""; // which list that is
  #since = 0; // date of the newest message when the order was frozen

  /** `news` is the button with the number of conversations with news; `render` draws the list. */
  constructor(list, news, render) {
    this.#list = list;
    this.#news = news;
    const point = (pointed) => ({ pointerType }) => {
      if (pointerType !== "mouse") return; // touch has no hover
      this.#pointed = pointed;
      if (!this.#isHeld) render();
    };
    list.addEventListener("pointerenter", point(true));
    list.addEventListener("pointerleave", point(false));
    list.addEventListener("focusout", () => setTimeout(() => this.#isHeld || render()));
    news.addEventListener("click", () => {
      this.release();
      render();
      list.scrollTop = 0;
    });
  }

  /** `people` in the order in which to show them; `which` names the list: another one is never frozen. */
  arrange(people, which) {
    if (!this.#isHeld || which !== this.#which) this.#shown = null;
    this.#which = which;
    const before = this.#shown;
    if (before === null) this.#since = Math.max(0, ...people.map(dateOf));
    this.#shown = before === null ? people : [...new Set([...before, ...people])];
    this.#say(before === null ? 0 : people.filter((person) => dateOf(person) > this.#since).length);
    return this.#shown;
  }

  /** Show the list as it is at the next `arrange`, even if the mouse is over it. */
  release() {
    this.#shown = null;
  }

  get #isHeld() {
    return this.#pointed || this.#list.contains(document.activeElement);
  }

  #say(count) {
    this.#news.hidden = count === 0;
    if (count) this.#news.textContent = text("newAbove", { count });
  }
}

function dateOf({ last }) {
  return last?.fecha ?? 0;
}
