// Clients of a chat of several nodes, each a real socket.io-client with its own connection, for
// bench/cluster/people.py.
//
//   node cluster.mjs <folder that holds node_modules> <name of the client's package>
//
// Orders are those of orders.mjs. Times are milliseconds of the machine's monotonic clock, which Python reads too.
// A node is the number before the dot of a sid.

import { createRequire } from "node:module";
import { obey } from "./orders.mjs";

const [folder, client] = process.argv.slice(2);
const { io } = createRequire(`${folder}/`)(client);

const LOOK_MS = 20;
const AGAIN = new Set(["store_unavailable", "store_rejected"]); // refusals that ask for another attempt
const now = () => Number(process.hrtime.bigint()) / 1e6;
const pause = (ms) => new Promise((again) => setTimeout(again, ms));
const nodeOf = (socket) => Number(socket.io.engine?.id?.split(".")[0] ?? 0);

let people = [];
let timers = [];
let ackTimeoutMs;
const sent = [];
const writing = [];
const refused = [];

const hears = (person, { user, rol, para }) => person.user === para || (rol !== "admin" && person.rol === "admin");

/** A client, once it is connected and has finished its upgrade, if any. */
async function enter(url, { user, rol, token, options, writes }, index) {
  const extraHeaders = { Cookie: `token=${token}` };
  const socket = io(url, { forceNew: true, rejectUnauthorized: false, extraHeaders, ...options });
  const person = { index, user, rol, writes, socket, connects: [], heard: [], texts: new Set(), owed: [] };
  socket.on("connect", () => person.connects.push([now(), socket.recovered === true]));
  socket.on("mensaje_recibido", ({ mensaje, id }) => {
    person.heard.push([now(), mensaje, nodeOf(socket), id?.toString() ?? null]);
    person.texts.add(mensaje);
  });
  await new Promise((settle) => socket.once("connect", settle));
  const { engine } = socket.io;
  if (engine.transport.name === "polling" && engine.transports.includes("websocket"))
    await new Promise((settle) => engine.once("upgrade", settle));
  return person;
}

/** Send a message until it is acknowledged or refused for good. */
async function insist(person, message) {
  const { para, text } = message;
  for (;;) {
    message.sendings += 1;
    const asked = person.socket.timeout(ackTimeoutMs);
    const answer = await asked.emitWithAck("mensaje_privado", { para, mensaje: text, cid: text }).catch(() => null);
    if (answer?.ok) return Object.assign(message, { acked: now(), id: answer.id, node: nodeOf(person.socket) });
    if (answer && !AGAIN.has(answer.error.code)) return refused.push([text, answer.error.code]);
    await pause(LOOK_MS);
  }
}

/** Send a new message at once, whatever the state of earlier ones. */
function say(person) {
  const { user, rol, index } = person;
  const text = `${index}-${sent.length}`;
  const message = { writer: index, user, rol, para: person.writes.para, text, due: now(), acked: null, id: null, node: 0, sendings: 0 };
  sent.push(message);
  for (const each of people) if (hears(each, message)) each.owed.push(text);
  writing.push(insist(person, message));
}

/** The number of the first `count` messages that a client has not received yet. */
function missing(person, count) {
  person.owed = person.owed.filter((text) => !person.texts.has(text));
  return person.owed.filter((text) => Number(text.split("-")[1]) < count).length;
}

const ORDERS = {
  /** Connect one client after the other, so that a balancer spreads them. */
  async open({ url, people: all, ackTimeoutMs: timeout }) {
    ackTimeoutMs = timeout;
    for (const each of all) people.push(await enter(url, each, people.length));
    return people.map(({ socket }) => nodeOf(socket));
  },
  start() {
    for (const person of people) if (person.writes) timers.push(setInterval(() => say(person), person.writes.everyMs));
  },
  /** Stop sending; the answer comes when all messages are acknowledged, or after `patienceMs`. */
  async stop({ patienceMs }) {
    timers.splice(0).forEach(clearInterval);
    await Promise.race([Promise.all(writing), pause(patienceMs)]);
  },
  /** Wait until all sent messages have arrived, or none has for `quietMs`; return the number of missing deliveries. */
  async caughtUp({ quietMs }) {
    const count = sent.length;
    let lacking = Infinity;
    for (let since = now(); lacking > 0 && now() - since < quietMs; await pause(LOOK_MS)) {
      const left = people.reduce((sum, person) => sum + missing(person, count), 0);
      if (left < lacking) [lacking, since] = [left, now()];
    }
    return lacking;
  },
  nodes() {
    return people.map(({ socket }) => (socket.connected ? nodeOf(socket) : 0));
  },
  report() {
    return { sent, refused, people: people.map(({ connects, heard }) => ({ connects, heard })) };
  },
};

await obey(ORDERS);
