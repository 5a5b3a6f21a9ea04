// How a page calls somebody who looks elsewhere: its title, and notifications of the desktop.

import { Place, keep, remembered } from "./kept.js";
import { shownName } from "./names.js";

const OWN_TITLE = document.title;
const KEPT_AS = "chatd.notifications";

let wanted = remembered(Place.BROWSER, KEPT_AS, true); // the reader may want none where the browser allows them

/** What is unread, in front of the title. */
export function badgeTitle(unread) {
  document.title = unread ? `(${unread}) ${OWN_TITLE}` : OWN_TITLE;
}

export const notifications = {
  get possible() {
    return "Notification" in window;
  },
  get on() {
    return wanted && this.possible && Notification.permission === "granted";
  },
  get denied() {
    return !this.possible || Notification.permission === "denied";
  },
  /** On or off, as far as the browser allows; it may ask the reader, and so this may only be called from a click. */
  async toggle() {
    wanted = !this.on;
    keep(Place.BROWSER, KEPT_AS, wanted);
    if (wanted && this.possible) await Notification.requestPermission();
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
