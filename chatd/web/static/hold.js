// A list that stands still while somebody points at it or has the focus in it: what would move a row waits, and is counted.

import { text } from "./texts.js";

export class Hold {
  #list;
  #news;
  #pointed = false;
  #order = null; // of users, while it stands still
  #since = 0; // the date of the newest message then

  /** `news` is the button that says how many there are above; `render` draws the list in its order. */
  constructor(list, news, render) {
    this.#list = list;
    this.#news = news;
    const point = (pointed) => ({ pointerType }) => {
      if (pointerType !== "mouse") return; // a finger that has left is not over anything
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

  /** `people` in the order that is to be shown. */
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

  /** The next time in the order of the list, wherever the pointer is. */
  release() {
    this.#order = null;
  }

  get #isHeld() {
    return this.#pointed || this.#list.contains(document.activeElement);
  }

  /** Rows that are new stand at the end. */
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
