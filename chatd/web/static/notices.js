// Alerts for a reader who is not looking at the page: its title, desktop notifications, a sound.

import { Place, keep, remembered } from "./kept.js";
import { shownName } from "./names.js";

const OWN_TITLE = document.title;
const KEPT_AS = "chatd.notifications";

let wanted = remembered(Place.BROWSER, KEPT_AS, true); // the reader may switch them off although the browser allows them

/** Put `unread` in front of the title. */
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
  /** Switch on or off, if the browser allows it. Call it from a click only: the browser may ask for permission. */
  async toggle() {
    wanted = !this.on;
    keep(Place.BROWSER, KEPT_AS, wanted);
    if (wanted && this.possible) await Notification.requestPermission();
  },
  /** Show a notification with author and text; a click on it focuses the page and calls `onClick`. */
  show(who, words, onClick) {
    if (!this.on) return;
    const shown = new Notification(shownName(who), { body: words.slice(0, 160), tag: `chatd ${who}`, icon: "/chatd/icon.svg" });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
      onClick();
    });
  },
};

const SOUND_KEPT_AS = "chatd.sound";
const LOUDNESS = 0.08;

let context = null; // browsers allow an AudioContext only after a click

export const sound = {
  on: remembered(Place.BROWSER, SOUND_KEPT_AS, false),
  toggle() {
    this.on = !this.on;
    keep(Place.BROWSER, SOUND_KEPT_AS, this.on);
    this.play();
  },
  /** Two short notes, the second higher. */
  play() {
    if (!this.on) return;
    context ??= new AudioContext();
    context.resume();
    for (const [place, hertz] of [660, 880].entries()) note(hertz, context.currentTime + place * 0.12);
  },
};

function note(hertz, at) {
  const gain = new GainNode(context, { gain: 0 });
  const tone = new OscillatorNode(context, { frequency: hertz });
  gain.gain.setValueAtTime(LOUDNESS, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.18);
  tone.connect(gain).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.2);
}
