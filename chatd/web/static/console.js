// The console: puts list, thread and live view together, and says who hears of what.

import { avatar, byId, icon } from "./dom.js";
import { Drafts } from "./drafts.js";
import { LiveView } from "./live.js";
import { ListView, addressOf } from "./list.js";
import { badgeTitle, notifications } from "./notices.js";
import { connectionBanner, languageSwitch, refusalText, serverPath, whoAmI } from "./page.js";
import { People } from "./people.js";
import { Receipts } from "./receipts.js";
import { ChatSocket, State } from "./socket.js";
import { briefly, fillTexts, onLanguage, text } from "./texts.js";
import { ThreadView, announce, composer } from "./thread.js";
import { TypingHeard, TypingSender } from "./typing.js";

const socket = new ChatSocket(serverPath());
const people = new People(socket);
const receipts = new Receipts(socket);
const typingSender = new TypingSender(socket);
const typing = new TypingHeard(() => {
  list.render();
  showTyping();
});
const list = new ListView(byId("list"), byId("search"), people, typing);
const thread = new ThreadView(byId("messages"), { onSeen: markRead });
const live = new LiveView(socket);
const banner = connectionBanner(socket);
let open = null; // the user whose thread is open
let drafts = null; // until it is known who one is

// What the server says.

socket
  .on("state", async (state) => {
    if (state === State.ONLINE) await begin();
    else if (state === State.WAITING) people.onLost();
    else if (state === State.REFUSED) showClosed(text("state.refused"), refusalText(socket.refusal));
  })
  .on("mensaje_recibido", (message) => {
    live.saw(message);
    const person = people.received(message);
    if (!person || people.isMine(message, person.user)) return;
    typing.heard({ de: person.user, activo: false });
    call(person.user, message.mensaje);
  })
  .on("mensaje_enviado", (message) => people.sent(message))
  .on("presencia", (news) => people.presence(news))
  .on("escribiendo", (news) => typing.heard(news))
  .on("leido", (news) => people.wasRead(news));

/** Whatever may have been missed, at the first connection and at each one after. */
async function begin() {
  const me = await whoAmI(socket);
  if (me && me.rol !== "admin") {
    showClosed(text("notAdmin"), text("notAdminHint", { user: me.user }), true);
    return;
  }
  people.belongTo(me?.user ?? null);
  drafts ??= new Drafts(me?.user ?? "");
  byId("whoami").textContent = me ? `${me.name} · ${me.user}` : "";
  byId("closed").hidden = true;
  byId("desk").hidden = false;
  route();
  await people.load();
  if (open !== null) await people.conversationWith(open).refresh();
  people.resend();
}

function call(user, words) {
  const looking = open === user && !document.hidden && thread.atEnd;
  if (!looking) announce(text("announce", { who: user, text: words }));
  else announce(words);
  notifications.show(user, words, () => (location.hash = addressOf(user)));
}

// What is shown.

function showClosed(title, hint, offerDemo = false) {
  byId("desk").hidden = true;
  byId("closed").hidden = false;
  byId("closed-title").textContent = title;
  byId("closed-hint").textContent = hint;
  byId("closed-link").hidden = !offerDemo;
}

/** Show what the address says: `#/with/USER`, `#/live`, or only the list. */
function route() {
  if (drafts === null) return; // begin() comes here
  const [, page, user] = location.hash.split("/");
  const wanted = page === "with" && user ? decodeURIComponent(user) : null;
  byId("desk").dataset.pane = page === "live" || wanted !== null ? "main" : "list";
  byId("empty").hidden = page === "live" || wanted !== null;
  byId("thread").hidden = wanted === null;
  byId("live").hidden = page !== "live";
  byId("tab-live").toggleAttribute("aria-current", page === "live");
  byId("tab-list").toggleAttribute("aria-current", page !== "live");
  if (page === "live") live.show();
  else live.hide();
  if (wanted !== open) openThread(wanted);
}

function openThread(user) {
  if (open !== null) typingSender.set(open, false);
  open = null; // whose draft is put into the box does not write
  fillBox(user === null ? "" : drafts.to(user));
  open = user;
  list.current = user;
  list.render();
  if (user === null) return;
  const conversation = people.conversationWith(user);
  byId("thread-name").textContent = user;
  byId("thread-avatar").replaceChildren(avatar(user));
  byId("box-label").textContent = text("messageTo", { user });
  thread.show(conversation);
  showPresence();
  showTyping();
  markRead();
  if (!conversation.loaded) conversation.refresh();
  if (window.matchMedia("(min-width: 721px)").matches) byId("box").focus();
  else byId("thread-name").focus();
}

function fillBox(words) {
  const box = byId("box");
  box.value = words;
  box.dispatchEvent(new Event("input")); // the composer grows with it
}

function showPresence() {
  if (open === null) return;
  const { online, seen } = people.get(open);
  const gone = seen === null ? text("offline") : text("lastSeen", { when: briefly(seen) });
  byId("thread-presence").textContent = online ? text("online") : gone;
  byId("thread-avatar").dataset.online = String(online);
}

function showTyping() {
  byId("typing").textContent = open !== null && typing.isTyping(open) ? text("typing") : "";
}

/** The open thread is read if it is before somebody's eyes, down to its end. */
function markRead() {
  if (open === null || document.hidden || !thread.atEnd) return;
  const person = people.get(open);
  if (person.conversation?.loaded) receipts.read(person.conversation);
  if (!person.unread) return;
  person.unread = 0;
  people.changed();
}

people.onChange(() => {
  showPresence();
  markRead();
  const { unread } = people;
  byId("unread").hidden = unread === 0;
  byId("unread").textContent = String(unread);
  badgeTitle(unread);
});

// What the reader does.

composer(byId("composer"), {
  onSend: (words) => {
    const conversation = people.conversationWith(open);
    conversation.send(words);
    people.wrote(open, words);
    thread.toEnd();
  },
  onTyping: (active) => {
    if (open === null) return;
    drafts.keep(open, byId("box").value);
    typingSender.set(open, active);
  },
});

document.addEventListener("visibilitychange", markRead);
window.addEventListener("hashchange", route);
for (const id of ["back", "live-back"]) byId(id).addEventListener("click", () => (location.hash = "#/"));

document.addEventListener("keydown", (event) => {
  const writing = event.target.matches("input, textarea, select");
  if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    const user = list.neighbour(event.key === "ArrowUp" ? -1 : 1);
    if (user !== null) location.hash = addressOf(user);
  } else if (event.key === "/" && !writing) byId("search").focus();
  else if (event.key === "?" && !writing) byId("keys").showModal();
  else if (event.key === "Escape" && event.target === byId("box")) byId("list").querySelector("[aria-current]")?.focus();
  else if (["ArrowUp", "ArrowDown"].includes(event.key) && byId("list").contains(event.target)) walk(event);
  else return;
  event.preventDefault();
});

function walk(event) {
  const row = event.target.closest("li");
  const next = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
  if (next) next.querySelector("a")?.focus();
  else if (event.key === "ArrowUp") byId("search").focus();
}

byId("help").addEventListener("click", () => byId("keys").showModal());
byId("notify").addEventListener("click", async () => {
  await notifications.ask();
  showNotify();
});

function showNotify() {
  const button = byId("notify");
  button.setAttribute("aria-pressed", String(notifications.on));
  if (notifications.denied) button.title = text("notificationsDenied");
}

// Texts and pictures, once and in another language.

function draw() {
  for (const [id, name] of [["back", "back"], ["live-back", "back"], ["notify", "bell"]])
    byId(id).replaceChildren(icon(name));
  byId("composer").querySelector("button").replaceChildren(icon("send"));
  showNotify();
}

onLanguage(() => {
  banner();
  list.redraw();
  thread.redraw();
  showPresence();
  showTyping();
  if (live.visible) live.show();
});
languageSwitch(byId("language"));
fillTexts();
draw();
socket.start();
