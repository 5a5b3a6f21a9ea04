// Freezes the order of a list while the mouse is over it or the focus is in it, and counts the conversations that would
// have moved to the top.

import { text } from "./texts.js";

export class Hold {
  #list;
  #news;
  #pointed = false;
  #order = null; // the frozen order of users
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

  /** `people` in the order in which to show them. */
  arrange(people) {
    if (!this.#isHeld) this.#order = null;
    const order = this.#order;
    this.#order = null;
    const shown = order === null ? people : this.#asBefore(order, people);
    if (order === null) this.#since = Math.max(0, ...people.map(dateOf));
    this.#order = shown.map(({ user }) => user);
    this.#say(order === null ? 0 : people.filter((person) => dateOf(person) > this.#since).length);
    return shown;
  }

  /** Use the current order at the next `arrange`, even if the mouse is over the list. */
  release() {
    this.#order = null;
  }

  get #isHeld() {
    return this.#pointed || this.#list.contains(document.activeElement);
  }

  /** `people` in the frozen order, new ones at the end. */
  #asBefore(order, people) {
    const place = new Map(order.map((user, at) => [user, at]));
    const at = ({ user }) => place.get(user) ?? order.length;
    return people.toSorted((one, other) => at(one) - at(other));
  }

  #say(count) {
    this.#news.hidden = count === 0;
    if (count) this.#news.textContent = text("newAbove", { count });
  }
}

function dateOf({ last }) {
  return last?.fecha ?? 0;
}
