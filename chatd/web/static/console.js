// The console: builds list, thread and live view, and connects their events.

import { AskFirst } from "./askfirst.js";
import { Attention } from "./attention.js";
import { Canned } from "./canned.js";
import { CaseBar, waited } from "./casebar.js";
import { Colleagues } from "./colleagues.js";
import { composer } from "./composer.js";
import { announce, avatar, byId, icon, markCurrent } from "./dom.js";
import { Drafts } from "./drafts.js";
import { filterButtons } from "./filters.js";
import { listenToKeys } from "./keys.js";
import { LiveView } from "./live.js";
import { ListView, addressOf, messageIn, userIn, wholeName } from "./list.js";
import { shownName } from "./names.js";
import { mailSwitch } from "./mailswitch.js";
import { Notes } from "./notes.js";
import { badgeTitle, notifications, sound } from "./notices.js";
import { connectionBanner, languageSwitch, loginAddress, refusalText, serverPath, showClosing, whoAmI } from "./page.js";
import { People } from "./people.js";
import { ReadMarks } from "./readmarks.js";
import { Receipts } from "./receipts.js";
import { ChatSocket, State, UNTIL_LOGIN } from "./socket.js";
import { Team } from "./team.js";
import { briefly, fillTexts, onLanguage, onNewDay, text, timeOf } from "./texts.js";
import { TextHits } from "./texthits.js";
import { ThreadView } from "./thread.js";
import { TypingHeard, TypingSender } from "./typing.js";

const socket = new ChatSocket(serverPath());
const people = new People(socket);
const receipts = new Receipts(socket);
const readMarks = new ReadMarks(socket, people, receipts);
const typingSender = new TypingSender(socket);
const typing = new TypingHeard(() => {
  list.render();
  showTyping();
});
const colleagues = new Colleagues(() => showTyping());
const list = new ListView(byId("list"), byId("search"), people, typing, byId("list-news"), new TextHits(socket, () => list.render()));
const attention = new Attention(markRead);
const thread = new ThreadView(byId("messages"), { onSeen: () => attention.look() });
const live = new LiveView(socket, people);
const team = new Team(socket, people);
const caseBar = new CaseBar(byId("thread").querySelector(".thread-head"), team, people);
const notes = new Notes(byId("thread").querySelector("div.thread"), socket, team, people);
const canned = new Canned(byId("composer"), socket, team);
const mail = mailSwitch(socket, byId("mail"));
const askFirst = new AskFirst(byId("composer"), reasonToAsk);
const banner = connectionBanner(socket);
const WAITS_AGAIN_MS = 30_000;
let open = null; // the user whose thread is open
let drafts = null; // until the server has named the reader

// Events from the server.

socket
  .on("state", async (state) => {
    showPresence();
    if (state === State.ONLINE) await begin();
    else if (state !== State.CONNECTING) onLost();
    if (state === State.REFUSED) showRefusal();
  })
  .on("mensaje_recibido", async (message) => {
    live.onMessage(message);
    const person = await people.received(message);
    if (!person || message.de !== person.user) return;
    typing.heard({ de: person.user, activo: false });
    call(person.user, message.mensaje);
  })
  .on("mensaje_enviado", (message) => people.sent(message))
  .on("presencia", (news) => people.presence(news))
  .on("escribiendo", async (news) => {
    await people.askRole(news.de);
    (isColleagues(news) ? colleagues : typing).heard(news);
  })
  .on("leido", (news) => people.wasRead(news));

function onLost() {
  people.onLost();
  team.onLost();
}

/** Load what the page lacks: everything at the first connection, what was missed at each later one. */
async function begin() {
  const asked = whoAmI(socket);
  const loading = people.load(); // first, so that the list shows its first row early
  const me = await asked;
  if (!socket.online) return; // the next connection begins again
  if (me && people.me !== null && me.user !== people.me) {
    location.reload(); // another user has logged in: do not show them these messages
    return;
  }
  if (me && me.rol !== "admin") {
    showClosed(text("notAdmin"), text("notAdminHint", { user: shownName(me.user) }), byId("closed-link"));
    return;
  }
  people.setReader(me?.user ?? null);
  if (me) people.get(me.user).name = me.name; // the server may not have stored it yet
  drafts ??= new Drafts(me?.user ?? "");
  list.hasDraft = (user) => drafts.to(user) !== "";
  byId("whoami").title = byId("whoami").textContent = me ? `${shownName(me.name)} · ${shownName(me.user)}` : "";
  showDesk();
  await loading;
  await Promise.all([canned.load(), notes.load(), mail(), team.refresh()]);
  if (open !== null) await people.conversationWith(open).refresh();
  people.resend();
}

function call(user, words) {
  const looking = open === user && attention.isThere && thread.atEnd;
  if (!looking) announce(text("announce", { who: shownName(user), text: words }));
  else announce(words);
  if (!looking) sound.play();
  if (!attention.isThere) notifications.show(user, words, () => (location.hash = addressOf(user)));
}

/** After a session has ended its loaded messages stay visible until the next login; no new ones arrive. */
function showRefusal() {
  const mayLogIn = UNTIL_LOGIN.has(socket.refusal?.code);
  showClosed(text("state.refused"), refusalText(socket.refusal), byId("closed-retry"), { keepDesk: mayLogIn && drafts !== null });
  byId("closed-login").hidden = !mayLogIn || loginAddress() === "";
}

// Views.

/** Show a sentence instead of the desk, or above it; `wayOut` is the link or button below it. */
function showClosed(title, hint, wayOut, { keepDesk = false } = {}) {
  byId("desk").hidden = !keepDesk;
  showClosing(keepDesk);
  byId("closed-title").textContent = title;
  byId("closed-hint").textContent = hint;
  for (const id of ["closed-retry", "closed-link", "closed-login"]) byId(id).hidden = byId(id) !== wayOut;
  byId("closed-title").focus();
}

function showDesk() {
  const focused = byId("closed").contains(document.activeElement);
  byId("closed").hidden = true;
  byId("desk").hidden = false;
  route();
  if (!focused) return;
  if (open === null) byId("tab-list").focus();
  else focusThread();
}

/** Show the view that the address names: `#/with/USER`, `#/live`, or else the list alone. */
function route() {
  if (drafts === null) return; // begin() calls this again
  const wanted = userIn(location.hash);
  const toLive = location.hash === "#/live";
  byId("desk").dataset.pane = toLive || wanted !== null ? "main" : "list";
  byId("empty").hidden = toLive || wanted !== null;
  byId("thread").hidden = wanted === null;
  byId("live").hidden = !toLive;
  markCurrent(byId("tab-live"), toLive, "page");
  markCurrent(byId("tab-list"), !toLive, "page");
  const cameFrom = linkToPane();
  if (toLive) live.show();
  else live.hide();
  if (wanted !== open) openThread(wanted);
  else if (wanted !== null) goToMessage(Promise.resolve());
  if (wanted === null) keepFocus(toLive ? byId("live-title") : cameFrom);
}

/** The link to the open pane; null if only the list is shown. */
function linkToPane() {
  if (live.visible) return byId("tab-live");
  return open === null ? null : list.linkTo(open) ?? byId("tab-list");
}

/** Focus `next` if the focused element is hidden now. */
function keepFocus(next) {
  const { activeElement } = document;
  if (activeElement === document.body || !activeElement.checkVisibility()) next?.focus();
}

function openThread(user) {
  if (open !== null) typingSender.set(open, false);
  open = null; // filling the box with a draft must not send "typing"
  fillBox(user === null ? "" : drafts.to(user));
  open = user;
  list.current = user;
  list.render();
  if (user === null) {
    thread.show(null);
    return;
  }
  list.linkTo(user)?.scrollIntoView({ block: "nearest" });
  const conversation = people.conversationWith(user);
  thread.show(conversation);
  showWho();
  showPresence();
  showTyping();
  askFirst.clear();
  caseBar.show(user);
  notes.show(user);
  attention.start();
  goToMessage(conversation.loaded ? conversation.findNew() : conversation.refresh());
  focusThread();
}

/** Go to the message that the address names, once the thread is loaded. */
async function goToMessage(there) {
  const [id, user] = [messageIn(location.hash), open];
  await there;
  if (id !== null && user === open) await thread.toMessage(id);
}

function focusThread() {
  if (window.matchMedia("(min-width: 721px)").matches) byId("box").focus();
  else byId("thread-name").focus();
}

function fillBox(words) {
  const box = byId("box");
  box.value = words;
  box.dispatchEvent(new Event("input")); // the composer grows with it
}

function showWho() {
  if (open === null) return;
  const name = byId("thread-name");
  name.textContent = shownName(people.get(open).title);
  name.title = wholeName(people.get(open));
  byId("thread-avatar").replaceChildren(avatar(open));
  byId("box-label").textContent = text("messageTo", { user: shownName(people.get(open).title) });
}

/** Whether nobody of this name was ever here. */
function isStranger(user) {
  return !people.get(user).known && !people.conversationWith(user).messages.length;
}

/** Show nothing without a connection: presence is unknown then. */
function showPresence() {
  if (open === null) return;
  const { online, seen } = people.get(open);
  const gone = seen === null ? text("offline") : text("lastSeen", { when: briefly(seen) });
  const away = isStranger(open) ? text("team.unknown", { user: shownName(open) }) : gone;
  const said = online ? text("online") : away;
  const { name } = people.get(open);
  const who = name !== null && name !== open ? `${shownName(open)} · ` : "";
  byId("thread-presence").textContent = socket.online ? who + said : "";
  byId("thread-avatar").dataset.online = String(online);
}

function showTyping() {
  const colleague = open === null ? null : colleagues.writingTo(open);
  const own = open !== null && typing.isTyping(open) ? text("typing") : "";
  byId("typing").textContent = colleague === null ? own : text("team.writes", { who: shownName(people.get(colleague).title) });
}

/** Mark the open thread as read if the reader has looked at its end. */
function markRead() {
  if (open === null || !thread.atEnd) return;
  const person = people.get(open);
  if (person.conversation?.loaded) receipts.read(person.conversation);
  if (!person.unread) return;
  person.unread = 0;
  people.changed();
}

people.onChange(() => {
  showWho();
  showPresence();
  attention.look();
  people.findUnread();
  const unread = unreadText();
  byId("unread").hidden = unread === "";
  byId("unread").textContent = unread;
  byId("all-read").hidden = unread === "";
  badgeTitle(unread);
});

/** "3", or "3+" if not all conversations are loaded; empty if all are read. */
function unreadText() {
  const { unread, hasMore } = people;
  return unread ? `${unread}${hasMore ? "+" : ""}` : "";
}

// Actions of the reader.

/** The reason to ask for confirmation before a message is sent, or null. */
function reasonToAsk() {
  const rival = team.rivalOn(open);
  if (rival !== null) return { key: `rival ${rival} ${open}`, words: text("team.rival", { who: shownName(people.get(rival).title) }) };
  if (isStranger(open)) return { key: `unknown ${open}`, words: text("team.unknown", { user: shownName(open) }) };
  return null;
}

// The views of a team.

/** Whether the message is from another admin to a user. */
function isColleagues({ de, para }) {
  return people.get(de).role === "admin" && para !== people.me;
}

list.view = (persons) => team.view(persons);
list.which = () => `${team.filter} ${team.byWaiting}`;
list.loadMore = () => team.loadMore();
list.facts = ({ user }) => {
  const { atiende, espera } = team.caseOf(user) ?? {};
  const facts = {};
  if (espera !== undefined) facts.waits = waited(espera);
  if (atiende !== undefined) facts.claimed = team.isMine(user) ? text("you") : shownName(people.get(atiende).title);
  return facts;
};
setInterval(() => team.isThere && list.render(), WAITS_AGAIN_MS);
thread.bubbles.titleOf = (user) => people.get(user).title;
thread.bubbles.isSomebody = (user) => user !== people.me && (people.get(user).role === "admin" || people.get(user).last !== null || people.get(user).online);
filterButtons(byId("list"), team);
team.onChange(() => list.render());

composer(byId("composer"), {
  mayLeave: () => askFirst.allows(),
  onSend: (words) => {
    const conversation = people.conversationWith(open);
    conversation.outbox.send(words);
    people.wrote(open, words);
    thread.toEnd();
  },
  onTyping: (active) => {
    if (open === null) return;
    drafts.keep(open, byId("box").value);
    typingSender.set(open, active);
  },
});

window.addEventListener("hashchange", route);
byId("list").addEventListener("click", ({ target }) => {
  const link = target.closest("a");
  const isHere = link?.hash === location.hash; // the browser fires no hashchange then
  if (isHere) goToMessage(Promise.resolve());
  if (isHere || link?.ariaCurrent) focusThread();
});
for (const id of ["back", "live-back"]) byId(id).addEventListener("click", () => (location.hash = "#/"));

/** Mark as unread, and close the conversation: while it is open, it would be marked as read again. */
async function markUnread(user) {
  if (user === null || !(await readMarks.unread(user))) return;
  announce(text("markedUnread", { who: shownName(people.get(user).title) }));
  if (user === open) location.hash = "#/";
}

async function allRead() {
  await readMarks.allRead();
  if (!people.unread) announce(text("allAreRead"));
}

listenToKeys(list, {
  markUnread: (user) => markUnread(user ?? open),
  print: () => thread.print(),
  allRead,
});

byId("to-date").addEventListener("change", ({ target }) => target.value && thread.toDate(Date.parse(`${target.value}T00:00`)));
byId("print").addEventListener("click", () => thread.print());
byId("mark-unread").addEventListener("click", () => markUnread(open));
byId("all-read").addEventListener("click", async () => {
  await allRead();
  if (document.activeElement === document.body) list.focus(); // the button is hidden now
});
byId("skip").addEventListener("click", () => (open === null ? list.focus() : focusThread()));
byId("closed-retry").addEventListener("click", () => socket.start());
byId("help").addEventListener("click", () => byId("keys").showModal());
byId("notify").addEventListener("click", async () => {
  await notifications.toggle();
  showNotify();
  byId("notify-denied").hidden = !notifications.denied;
});

byId("sound").addEventListener("click", () => {
  sound.toggle();
  showNotify();
});

function showNotify() {
  byId("sound").setAttribute("aria-pressed", String(sound.on));
  byId("notify").setAttribute("aria-pressed", String(notifications.on));
}

// Texts and icons: drawn at start and when the language changes.

function draw() {
  for (const [id, name] of [["back", "back"], ["live-back", "back"], ["notify", "bell"], ["sound", "sound"], ["mail", "mail"], ["print", "print"], ["mark-unread", "unread"]])
    byId(id).replaceChildren(icon(name));
  byId("composer").querySelector("button").replaceChildren(icon("send"));
  showNotify();
}

onLanguage(() => {
  banner();
  list.redraw();
  thread.redraw();
  showWho();
  showPresence();
  showTyping();
  if (live.visible) live.show();
});
onNewDay(() => {
  list.render();
  thread.render();
  showPresence();
});
languageSwitch(byId("language"));
fillTexts();
byId("closed-login").href = loginAddress();
draw();
socket.start();
setTimeout(() => timeOf(Date.now())); // the first use of Intl.DateTimeFormat is slow: do it before the first row needs it
