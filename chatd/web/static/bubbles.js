// Draws one message: its bubble, its author and addressee, and how far it has come.

import { announce, byId, icon, make } from "./dom.js";
import { isAfter } from "./messages.js";
import { moment } from "./moments.js";
import { shownName } from "./names.js";
import { Fate } from "./outbox.js";
import { text, timeOf } from "./texts.js";
import { bubble } from "./words.js";

const WHY = {
  mensaje_too_long: "tooLong",
  para_invalid: "noSuchName",
  rate_limited: "rateLimited",
  store_busy: "notStored",
  store_full: "notStored",
  store_exhausted: "notStored",
  store_rejected: "notStored",
  store_unavailable: "notStored",
};
const AGAIN_MAY_HELP = new Set(["rate_limited", "store_busy", "store_full", "store_unavailable"]); // C-13

/** Why a message was refused: in the reader's language if there is a text for the code, else the server's words. */
function reasonOf({ error: { code, reason } }) {
  return code in WHY ? text(WHY[code]) : `${text("failed")}. ${reason}`;
}

export class Bubbles {
  #showAuthors;
  isSomebody = () => false; // whether a name is a person's, not the site's name for all admins
  titleOf = (user) => user; // the display name of a user

  constructor(showAuthors) {
    this.#showAuthors = showAuthors;
  }

  /** The row of a message. */
  row(message, { con }) {
    const author = message.mine ? text("you") : shownName(this.titleOf(message.de ?? ""));
    const isColleagues = !message.mine && con !== null && message.de !== con;
    const to = this.#addressee(message, con);
    const shown = ((this.#showAuthors || isColleagues) && !message.mine) || to !== "";
    return make(
      "li",
      { class: `message${message.mine ? " mine" : ""}${isColleagues ? " colleague" : ""}` },
      make("span", { class: shown ? "author" : "author sr-only" }, `${author}${shown ? "" : ": "}`, make("span", { class: "to" }, to)),
      ...bubble(message.mensaje),
      make("span", { class: "meta" }, moment(message.fecha, timeOf(message.fecha))),
    );
  }

  /** The addressee of a message, if it is neither the other user of the conversation nor the reader. */
  #addressee({ mine, de, para }, con) {
    if (mine || con === null || de !== con || !para || !this.isSomebody(para)) return "";
    return ` → ${shownName(this.titleOf(para))}`;
  }
}

/** Show in the row of the reader's own message whether it is stored, delivered, read or refused. */
export function mark(row, message, conversation) {
  const read = message.id && conversation.readUpto && !isAfter(message.id, conversation.readUpto);
  const delivered = message.fate === Fate.STORED && message.fecha <= conversation.lastOnline() && !conversation.isWithOneself;
  const states = read ? ["read"] : delivered ? [Fate.STORED, "delivered"] : [message.fate];
  const state = states.at(-1);
  const drawn = `${states.join(" ")} ${message.error?.code ?? ""}`;
  if (row.dataset.mark === drawn) return;
  if (state === Fate.FAILED && row.dataset.mark?.startsWith(Fate.SENDING)) announce(`${text("failed")}: ${reasonOf(message)}`);
  row.dataset.mark = drawn;
  const marks = state === Fate.FAILED
    ? failure(message, conversation.outbox)
    : [icon(state, text(state)), make("span", { class: "sr-only" }, text(state))];
  row.querySelector(".meta").replaceChildren(moment(message.fecha, timeOf(message.fecha)), ...marks);
}

function failure(message, outbox) {
  const again = AGAIN_MAY_HELP.has(message.error.code);
  return [
    icon("warning"),
    make("span", {}, reasonOf(message)),
    again ? remedy("retry", () => outbox.retry(message)) : "",
    remedy("discard", () => outbox.discard(message)),
  ];
}

/** A button that removes itself when pressed; the focus goes to the box. */
function remedy(name, mend) {
  const onclick = () => {
    mend();
    byId("box").focus();
  };
  return make("button", { type: "button", class: `remedy ${name}`, onclick }, text(name));
}
