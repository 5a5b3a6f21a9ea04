// Start-up code shared by console and widget: server path, connection banner, languages, name of the reader.

import { announce, byId, make } from "./dom.js";
import { State } from "./socket.js";
import { LANGUAGES, currentLanguage, hasText, setLanguage, text } from "./texts.js";

const SETTLED = new Set([State.ONLINE, State.REFUSED, State.STOPPED]); // the banner shows the other states
const SHOWN_AFTER_MS = 700; // no banner for a connection that opens sooner

export function serverPath() {
  return document.querySelector("meta[name=chatd-path]").content;
}

/** The address of the operator's login page, from the setting; empty without one. */
export function loginAddress() {
  return document.querySelector("meta[name=chatd-login]").content;
}

/** Show why the page is closed: instead of its content, or as a banner above it. */
export function showClosing(asBanner) {
  const closed = byId("closed");
  closed.hidden = false;
  closed.toggleAttribute("data-over", asBanner);
  closed.parentElement.role = asBanner ? null : "main"; // a page has one role=main
}

/** Show the state of `socket` while it is not online. Returns the function that redraws the banner. */
export function connectionBanner(socket) {
  const banner = byId("banner");
  let timer = 0;
  let wasOnline = false;
  const show = () => {
    banner.textContent = text(`state.${socket.state}`);
    document.body.toggleAttribute("data-away", socket.state !== State.ONLINE);
    banner.dataset.mood = socket.state === State.CONNECTING && !wasOnline ? "quiet" : "bad";
  };
  socket.on("state", (state) => {
    clearTimeout(timer);
    if (state === State.ONLINE && !banner.hidden && wasOnline) announce(text("reconnected"));
    if (state === State.ONLINE) wasOnline = true;
    if (SETTLED.has(state)) banner.hidden = true;
    else if (banner.hidden) timer = setTimeout(() => (banner.hidden = false), wasOnline ? 0 : SHOWN_AFTER_MS);
    show();
  });
  return show;
}

/** A sentence that says why the server refused the connection. */
export function refusalText(refusal) {
  const key = `refused.${refusal?.code}`;
  return hasText(key) ? text(key) : text("refused.other");
}

/** The reader as the token names them: `{user, name, rol}`; null if the server does not tell. */
export async function whoAmI(socket) {
  return socket.askOrNull("quien_soy");
}

export function languageSwitch(select) {
  select.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) =>
    make("option", { value: code, lang: code, selected: code === currentLanguage() }, name)));
  select.addEventListener("change", () => setLanguage(select.value));
}
