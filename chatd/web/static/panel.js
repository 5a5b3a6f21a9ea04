// The panel of the widget: the reader's conversation with the site. It runs in an iframe, see widget.js.

import { Attention } from "./attention.js";
import { composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { announce, byId, icon } from "./dom.js";
import { Drafts } from "./drafts.js";
import { mailSwitch } from "./mailswitch.js";
import { shownName } from "./names.js";
import { connectionBanner, languageSwitch, loginAddress, refusalText, serverPath, showClosing, whoAmI } from "./page.js";
import { Receipts } from "./receipts.js";
import { Signatures } from "./signatures.js";
import { SiteOptions } from "./siteoptions.js";
import { ChatSocket, State, UNTIL_LOGIN } from "./socket.js";
import { fillTexts, onLanguage, onNewDay, soon, text } from "./texts.js";
import { ThreadView } from "./thread.js";
import { TypingHeard, TypingSender } from "./typing.js";
import { Unsent } from "./unsent.js";

// Why the panel shows a sentence instead of the conversation, until a connection loads it.
const Closed = Object.freeze({ NOT: "not", REFUSED: "refused", ADMIN: "admin" });

const LONGEST_TIMER_MS = 3_600_000; // timers over 24 days fire at once, and timers stop while a device sleeps

const site = new SiteOptions(location.search, loginAddress());
const { para } = site; // the addressee; every admin gets the messages

const socket = new ChatSocket(serverPath());
const mail = mailSwitch(socket, byId("mail"));
const receipts = new Receipts(socket);
const typingSender = new TypingSender(socket);
const typing = new TypingHeard(showTyping);
const mine = new Set(); // ids of sent messages, for a server that does not name the reader
let me = null;
let unsent = null; // until the server has named the reader
let drafts = null;
let whyClosed = Closed.NOT;
let shown = window.parent === window;
let parentHasFocus = false;
let unread = 0;
let helloTimer = 0;

const conversation = new Conversation(socket, {
  con: null,
  para,
  isMine: (message) => (me === null ? message.para === para || mine.has(message.id) : message.de === me),
  onPending: (pending) => unsent?.keep(para, pending),
});
const attention = new Attention(markRead, () => parentHasFocus || document.hasFocus());
const thread = new ThreadView(byId("messages"), { onSeen: () => attention.look(), showAuthors: true });
const signatures = new Signatures(socket, () => thread.redraw());
const banner = connectionBanner(socket);

socket
  .on("state", (state) => {
    if (state === State.ONLINE) begin();
    else if (state !== State.CONNECTING) conversation.onLost();
    if (state === State.REFUSED) showClosed(Closed.REFUSED);
  })
  .on("mensaje_recibido", (message) => {
    conversation.receive({ ...message, para: message.para ?? me });
    typing.heard({ de: message.de, activo: false });
    announce(text("announce", { who: shownName(signatures.nameOf(message.de)), text: message.mensaje }));
    if (!isSeen()) setUnread(unread + 1);
  })
  .on("mensaje_enviado", (message) => conversation.receive({ de: me, ...message }))
  .on("escribiendo", (news) => typing.heard(news))
  .on("leido", ({ de, hasta }) => (de === undefined ? setUnread(0) : conversation.wasRead(hasta)));

async function begin() {
  const who = await whoAmI(socket);
  if (me !== null && who && who.user !== me) {
    location.reload(); // another user has logged in: do not show them these messages
    return;
  }
  me = who?.user ?? me;
  if (who?.rol === "admin") {
    socket.stop();
    showClosed(Closed.ADMIN);
    return;
  }
  showTalk();
  restoreUnsent();
  await conversation.refresh();
  await Promise.all([showHello(), mail()]);
  const counted = await countUnread();
  if (counted !== null) setUnread(isSeen() ? 0 : counted);
  attention.look();
}

/** Take over unsent messages and the draft of an earlier page. */
function restoreUnsent() {
  if (drafts === null) {
    drafts = new Drafts(me ?? "");
    const box = byId("box");
    if (box.value) keepDraft();
    else box.value = drafts.to(para);
    box.dispatchEvent(new Event("input")); // the composer grows with it
  }
  if (me === null || unsent !== null) return;
  unsent = new Unsent(me);
  conversation.outbox.restore(unsent.to(para));
}

function keepDraft() {
  drafts?.keep(para, byId("box").value);
}

/** Show the greeting, or that no admin is online. */
async function showHello() {
  const hello = byId("hello");
  hello.textContent = site.greeting || text("widget.hello");
  if (await isAttended()) return;
  hello.textContent = site.away || whenAnswered() || text("widget.away");
}

/** When the site answers, by its opening hours, in the reader's time zone; null without hours. Redraws when that changes. */
function whenAnswered() {
  if (site.hours === null) return null;
  const { open, until } = site.hours.at(Date.now());
  clearTimeout(helloTimer);
  helloTimer = setTimeout(() => socket.online && showHello(), Math.min(until - Date.now(), LONGEST_TIMER_MS));
  return text(open ? "widget.awayUntil" : "widget.awayFrom", { when: soon(until) });
}

/** Whether an admin is online; true if the server does not tell (C-78). */
async function isAttended() {
  const answer = await socket.askOrNull("atencion");
  return answer === null || answer.atendido;
}

async function countUnread() {
  const answer = await socket.askOrNull("no_leidos");
  return answer && Object.values(answer.no_leidos).reduce((sum, count) => sum + count, 0);
}

function isSeen() {
  return shown && attention.isThere && thread.atEnd;
}

function markRead() {
  if (!isSeen()) return;
  receipts.read(conversation);
  setUnread(0);
}

function setUnread(count) {
  unread = count;
  tellParent({ unread, words: text("widget.unread", { count }) });
}

function showTyping() {
  byId("typing").textContent = typing.anybody ? text("typing") : "";
}

function showTalk() {
  if (whyClosed === Closed.NOT) return;
  const focused = byId("closed").contains(document.activeElement);
  whyClosed = Closed.NOT;
  byId("closed").hidden = true;
  byId("talk").hidden = false;
  if (focused) byId("box").focus();
}

function showClosed(why) {
  const focused = whyClosed === Closed.NOT && document.hasFocus(); // else the embedding page has the focus
  whyClosed = why;
  const mayLogIn = why === Closed.REFUSED && UNTIL_LOGIN.has(socket.refusal?.code);
  const keepTalk = mayLogIn && drafts !== null; // the loaded messages stay visible
  byId("talk").hidden = !keepTalk;
  showClosing(keepTalk);
  byId("closed-retry").hidden = why !== Closed.REFUSED;
  byId("closed-link").hidden = why !== Closed.ADMIN;
  byId("closed-login").hidden = !mayLogIn || !site.login;
  sayWhy();
  if (focused) byId("closed-title").focus();
}

function sayWhy() {
  const refused = whyClosed === Closed.REFUSED;
  const loggedOut = refused && socket.refusal?.code === "token_missing";
  const title = loggedOut ? "widget.loggedOut" : refused ? "state.refused" : "widget.notUser";
  byId("closed-title").textContent = text(title);
  if (loggedOut) byId("closed-hint").textContent = site.loggedOut || text(site.login ? "widget.logInFirst" : "refused.token_missing");
  else byId("closed-hint").textContent = refused ? refusalText(socket.refusal) : text("widget.notUserHint", { user: me });
}

// The embedding page: gets the number of unread messages and requests to close, and sends whether it shows the iframe.

function tellParent(news) {
  if (window.parent !== window) window.parent.postMessage({ chatd: news }, "*");
}

window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || typeof data?.chatd?.shown !== "boolean") return;
  const wasShown = shown;
  shown = data.chatd.shown;
  parentHasFocus = data.chatd.hasFocus === true;
  attention.start();
  if (!shown || wasShown) return;
  if (socket.online) showHello();
  thread.toEnd();
  byId("box").focus();
});
byId("closed-retry").addEventListener("click", () => socket.start());
byId("close").addEventListener("click", () => tellParent({ close: true }));
document.addEventListener("keydown", (event) => event.key === "Escape" && tellParent({ close: true }));

composer(byId("composer"), {
  onSend: (words) => {
    conversation.outbox.send(words);
    thread.toEnd();
  },
  onTyping: (active) => {
    keepDraft();
    typingSender.set(para, active);
  },
});
conversation.onChange(() => attention.look());
conversation.onChange(() => signatures.lookUp(conversation.messages));
thread.bubbles.titleOf = (user) => signatures.nameOf(user);

onLanguage(() => {
  banner();
  thread.redraw();
  showTyping();
  showTitle();
  if (socket.online) showHello();
  tellParent({ labels: labels() });
  if (whyClosed !== Closed.NOT) sayWhy();
});

function labels() {
  return { open: text("widget.open"), close: text("widget.close"), title: site.title || text("widget.title") };
}

function showTitle() {
  byId("title").textContent = site.title || text("widget.title");
  document.title = byId("title").textContent;
}

onNewDay(() => thread.render());
byId("close").replaceChildren(icon("close"));
byId("mail").replaceChildren(icon("mail"));
byId("close").hidden = window.parent === window;
byId("composer").querySelector("button").replaceChildren(icon("send"));
languageSwitch(byId("language"));
fillTexts();
showTitle();
site.paint(document.documentElement);
if (site.login) byId("closed-login").href = site.login;
tellParent({ labels: labels(), ready: true });
thread.show(conversation);
socket.start();
