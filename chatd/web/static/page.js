// What console and widget do alike at the beginning: where the server is, the banner, the languages, who one is.

import { announce, byId, make } from "./dom.js";
import { State } from "./socket.js";
import { LANGUAGES, currentLanguage, hasText, setLanguage, text } from "./texts.js";

const SETTLED = new Set([State.ONLINE, State.REFUSED, State.STOPPED]); // the rest is for the banner
const SHOWN_AFTER_MS = 700; // a connection that comes at once needs no banner

export function serverPath() {
  return document.querySelector("meta[name=chatd-path]").content;
}

/** Where this site logs people in, as its setting says; empty without one. */
export function loginAddress() {
  return document.querySelector("meta[name=chatd-login]").content;
}

/** Show why the page is closed: as the whole of it, or as a banner over what can still be read. */
export function showClosing(asBanner) {
  const closed = byId("closed");
  closed.hidden = false;
  closed.toggleAttribute("data-over", asBanner);
  closed.parentElement.role = asBanner ? null : "main"; // a page has one main part
}

/** Show what `socket` is doing, while it is not simply there. Returns what shows it in another language. */
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

/** Why a socket that was refused may not come in, in a sentence. */
export function refusalText(refusal) {
  const key = `refused.${refusal?.code}`;
  return hasText(key) ? text(key) : text("refused.other");
}

/** Who the token says one is: `{user, name, rol}`; null where the server does not tell. */
export async function whoAmI(socket) {
  return socket.askOrNull("quien_soy");
}

export function languageSwitch(select) {
  select.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) =>
    make("option", { value: code, lang: code, selected: code === currentLanguage() }, name)));
  select.addEventListener("change", () => setLanguage(select.value));
}
