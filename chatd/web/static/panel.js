// The panel of the widget: one's own conversation with whoever answers. It lives in a frame, see widget.js.

import { Conversation } from "./conversation.js";
import { byId, icon } from "./dom.js";
import { connectionBanner, languageSwitch, refusalText, serverPath, whoAmI } from "./page.js";
import { Receipts } from "./receipts.js";
import { ChatSocket, RefusedError, State, UnansweredError } from "./socket.js";
import { fillTexts, onLanguage, text } from "./texts.js";
import { ThreadView, announce, composer } from "./thread.js";
import { TypingHeard, TypingSender } from "./typing.js";
import { Unsent } from "./unsent.js";

const options = new URLSearchParams(location.search);
const para = options.get("para") || "soporte"; // every admin gets it, whoever that is

const socket = new ChatSocket(serverPath());
const receipts = new Receipts(socket);
const typingSender = new TypingSender(socket);
const typing = new TypingHeard(showTyping);
const mine = new Set(); // ids, for a server that does not say who one is
let me = null;
let unsent = null; // until it is known who one is
let shown = window.parent === window;
let unread = 0;

const conversation = new Conversation(socket, {
  con: null,
  para,
  isMine: (message) => (me === null ? message.para === para || mine.has(message.id) : message.de === me),
  onPending: (pending) => unsent?.keep(para, pending),
});
const thread = new ThreadView(byId("messages"), { onSeen: markRead, showAuthors: true });
const banner = connectionBanner(socket);

socket
  .on("state", (state) => {
    if (state === State.ONLINE) begin();
    else if (state === State.WAITING) conversation.onLost();
    byId("closed").hidden = state !== State.REFUSED;
    byId("talk").hidden = state === State.REFUSED;
    if (state === State.REFUSED) showRefusal();
  })
  .on("mensaje_recibido", (message) => {
    conversation.receive({ ...message, para: message.para ?? me });
    typing.heard({ de: message.de, activo: false });
    announce(text("announce", { who: message.de, text: message.mensaje }));
    if (!isSeen()) setUnread(unread + 1);
  })
  .on("mensaje_enviado", (message) => conversation.receive({ de: me, ...message }))
  .on("escribiendo", (news) => typing.heard(news))
  .on("leido", ({ de, hasta }) => (de === undefined ? setUnread(0) : conversation.wasRead(hasta)));

async function begin() {
  me = (await whoAmI(socket))?.user ?? me;
  takeUp();
  await conversation.refresh();
  const counted = await countUnread();
  if (counted !== null) setUnread(isSeen() ? 0 : counted);
  markRead();
}

/** What an earlier page could not send. */
function takeUp() {
  if (me === null || unsent !== null) return;
  unsent = new Unsent(me);
  conversation.restore(unsent.to(para));
}

async function countUnread() {
  try {
    const { no_leidos: counts } = await socket.ask("no_leidos");
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  } catch (error) {
    if (error instanceof RefusedError || error instanceof UnansweredError) return null;
    throw error;
  }
}

function isSeen() {
  return shown && !document.hidden && thread.atEnd;
}

function markRead() {
  if (!isSeen()) return;
  receipts.read(conversation);
  setUnread(0);
}

function setUnread(count) {
  unread = count;
  tellParent({ unread });
}

function showTyping() {
  byId("typing").textContent = typing.anybody ? text("typing") : "";
}

function showRefusal() {
  byId("closed-title").textContent = text("state.refused");
  byId("closed-hint").textContent = refusalText(socket.refusal);
}

// The page around: it is told how many messages wait and when to close, and says whether it shows the frame.

function tellParent(news) {
  if (window.parent !== window) window.parent.postMessage({ chatd: news }, "*");
}

window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || typeof data?.chatd?.shown !== "boolean") return;
  shown = data.chatd.shown;
  if (!shown) return;
  thread.toEnd();
  byId("box").focus();
});
document.addEventListener("visibilitychange", markRead);
byId("close").addEventListener("click", () => tellParent({ close: true }));
document.addEventListener("keydown", (event) => event.key === "Escape" && tellParent({ close: true }));

composer(byId("composer"), {
  onSend: (words) => {
    conversation.send(words);
    thread.toEnd();
  },
  onTyping: (active) => typingSender.set(para, active),
});
conversation.onChange(markRead);

onLanguage(() => {
  banner();
  thread.redraw();
  showTyping();
  tellParent({ labels: labels() });
  if (socket.state === State.REFUSED) showRefusal();
});

function labels() {
  return { open: text("widget.open"), close: text("widget.close"), title: text("widget.title") };
}

byId("close").replaceChildren(icon("close"));
byId("close").hidden = window.parent === window;
byId("composer").querySelector("button").replaceChildren(icon("send"));
languageSwitch(byId("language"));
fillTexts();
tellParent({ labels: labels(), ready: true });
thread.show(conversation);
socket.start();
