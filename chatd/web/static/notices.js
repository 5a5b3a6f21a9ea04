// How a page calls somebody who looks elsewhere: its title, and notifications of the desktop.

import { shownName } from "./names.js";

const OWN_TITLE = document.title;

/** What is unread, in front of the title. */
export function badgeTitle(unread) {
  document.title = unread ? `(${unread}) ${OWN_TITLE}` : OWN_TITLE;
}

export const notifications = {
  get possible() {
    return "Notification" in window;
  },
  get on() {
    return this.possible && Notification.permission === "granted";
  },
  get denied() {
    return !this.possible || Notification.permission === "denied";
  },
  /** Ask the reader; may only be called from a click. */
  async ask() {
    if (this.possible) await Notification.requestPermission();
  },
  /** Say who wrote what; a click on it brings the page up and calls `onClick`. */
  show(who, words, onClick) {
    if (!this.on || !document.hidden) return;
    const shown = new Notification(shownName(who), { body: words.slice(0, 160), tag: `chatd ${who}`, icon: "/chatd/icon.svg" });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
      onClick();
    });
  },
};
