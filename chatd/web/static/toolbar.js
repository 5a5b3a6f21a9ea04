// The icons of the console's buttons, and the buttons of notifications, sound and help.

import { byId, icon } from "./dom.js";
import { notifications, sound } from "./notices.js";

const ICONS = [
  ["back", "back"], ["live-back", "back"], ["notify", "bell"], ["sound", "sound"],
  ["mail", "mail"], ["print", "print"], ["mark-unread", "unread"],
];

export function toolbar() {
  for (const [id, name] of ICONS) byId(id).replaceChildren(icon(name));
  byId("composer").querySelector("button").replaceChildren(icon("send"));
  byId("help").addEventListener("click", () => byId("keys").showModal());
  byId("notify").addEventListener("click", async () => {
    await notifications.toggle();
    showPressed();
    byId("notify-denied").hidden = !notifications.denied;
  });
  byId("sound").addEventListener("click", () => {
    sound.toggle();
    showPressed();
  });
  showPressed();
}

function showPressed() {
  byId("sound").setAttribute("aria-pressed", String(sound.on));
  byId("notify").setAttribute("aria-pressed", String(notifications.on));
}
