// The console: builds list, thread and live view, and connects their events.

import { AskFirst } from "./askfirst.js";
import { Attention } from "./attention.js";
import { Canned } from "./canned.js";
import { CaseBar } from "./casebar.js";
import { showNotAdmin, showRefusal } from "./closed.js";
import { Colleagues } from "./colleagues.js";
import { composer } from "./composer.js";
import { announce, byId, markCurrent } from "./dom.js";
import { Drafts } from "./drafts.js";
import { listenToKeys } from "./keys.js";
import { LiveView } from "./live.js";
import { ListView, addressOf, messageIn, userIn } from "./list.js";
import { shownName } from "./names.js";
import { mailSwitch } from "./mailswitch.js";
import { Notes } from "./notes.js";
import { notifications, sound } from "./notices.js";
import { connectionBanner, languageSwitch, loginAddress, serverPath, whoAmI } from "./page.js";
import { People } from "./people.js";
import { ReadMarks } from "./readmarks.js";
import { Receipts } from "./receipts.js";
import { ChatSocket, State } from "./socket.js";
import { Team } from "./team.js";
import { showTeam } from "./teamlist.js";
import { fillTexts, onLanguage, onNewDay, text, timeOf } from "./texts.js";
import { TextHits } from "./texthits.js";
import { ThreadView } from "./thread.js";
import { ThreadHead } from "./threadhead.js";
import { toolbar } from "./toolbar.js";
import { TypingHeard, TypingSender } from "./typing.js";
import { showUnread } from "./unread.js";

const socket = new ChatSocket(serverPath());
const people = new People(socket);
const receipts = new Receipts(socket);
const readMarks = new ReadMarks(socket, people, receipts);
const typingSender = new TypingSender(socket);
const typing = new TypingHeard(() => {
  list.render();
  head.drawTyping();
});
const colleagues = new Colleagues(() => head.drawTyping());
const list = new ListView(byId("list"), byId("search"), people, typing, byId("list-news"), new TextHits(socket, () => list.render()));
const attention = new Attention(markRead);
const thread = new ThreadView(byId("messages"), { onSeen: () => attention.look() });
const head = new ThreadHead(socket, people, typing, colleagues);
const live = new LiveView(socket, people);
const team = new Team(socket, people);
const caseBar = new CaseBar(byId("thread").querySelector(".thread-head"), team, people);
const notes = new Notes(byId("thread").querySelector("div.thread"), socket, team, people);
const canned = new Canned(byId("composer"), socket, team);
const mail = mailSwitch(socket, byId("mail"));
const askFirst = new AskFirst(byId("composer"), team, people);
const banner = connectionBanner(socket);
let open = null; // the user whose thread is open
let drafts = null; // until the server has named the reader

// Events from the server.

socket
  .on("state", async (state) => {
    head.drawPresence();
    if (state === State.ONLINE) await begin();
    else if (state !== State.CONNECTING) onLost();
    if (state === State.REFUSED) showRefusal(socket.refusal, drafts !== null);
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

/** Whether the message is from another admin to a user. */
function isColleagues({ de, para }) {
  return people.get(de).role === "admin" && para !== people.me;
}

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
    showNotAdmin(me.user);
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

// Views.

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
    head.show(null);
    return;
  }
  list.linkTo(user)?.scrollIntoView({ block: "nearest" });
  const conversation = people.conversationWith(user);
  thread.show(conversation);
  head.show(user);
  askFirst.show(user);
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
  head.drawName();
  head.drawPresence();
  attention.look();
  people.findUnread();
  showUnread(people);
});

showTeam(list, team, people);
thread.bubbles.titleOf = (user) => people.get(user).title;
thread.bubbles.isSomebody = (user) => user !== people.me && (people.get(user).role === "admin" || people.get(user).last !== null || people.get(user).online);

// Actions of the reader.

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

// Texts.

onLanguage(() => {
  banner();
  list.redraw();
  thread.redraw();
  head.draw();
  if (live.visible) live.show();
});
onNewDay(() => {
  list.render();
  thread.render();
  head.drawPresence();
});
languageSwitch(byId("language"));
fillTexts();
byId("closed-login").href = loginAddress();
toolbar();
socket.start();
setTimeout(() => timeOf(Date.now())); // the first use of Intl.DateTimeFormat is slow: do it before the first row needs it
