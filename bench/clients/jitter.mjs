// One sender and many subscribers, each a real socket.io-client with its own connection, for bench/crowd.py.
//
//   node jitter.mjs <folder that holds node_modules> <name of the client's package>
//
// Orders are those of orders.mjs. Times are milliseconds of the machine's monotonic clock, which Python reads too.
// A message's text is its number.

import { createRequire } from "node:module";
import { obey } from "./orders.mjs";

const [folder, client] = process.argv.slice(2);
const { io } = createRequire(`${folder}/`)(client);

const EVERYBODY_S = 30; // how long the last one may take
const now = () => Number(process.hrtime.bigint()) / 1e6;

let sender;
let timer;
let subscribers = [];
const sent = []; // [time, number] of each message, when it was handed to the client
const refused = []; // what was acknowledged with anything but ok

const cookie = (token) => ({ extraHeaders: { Cookie: `token=${token}` } });

/** A socket and its record: connects as [time, recovered], messages as [time, number]. */
function subscribe(url, token, number, options) {
  const socket = io(url, { forceNew: true, query: { subscriber: number }, ...cookie(token), ...options });
  const heard = { connects: [], messages: [], errors: 0 };
  socket.on("connect", () => heard.connects.push([now(), socket.recovered === true]));
  socket.on("connect_error", () => heard.errors++);
  // An offset may follow; a message of another sender counts as damaged.
  socket.on("mensaje_recibido", ({ de, mensaje }) => heard.messages.push([now(), de === "sender" ? Number(mensaje) : -1]));
  return { socket, heard };
}

function send(para) {
  const number = sent.length;
  sent.push([now(), number]);
  const message = { para, mensaje: String(number), cid: `message-${number}` };
  return new Promise((settle) =>
    sender.emit("mensaje_privado", message, (error, answer) => {
      if (error || !answer.ok) refused.push([number, String(error ?? JSON.stringify(answer.error))]);
      settle();
    }),
  );
}

/** Poll until `met` holds for all; return the number for which it does not hold after `seconds`. */
async function everybody(met, seconds = EVERYBODY_S) {
  const deadline = now() + 1000 * seconds;
  const missing = () => subscribers.filter((one) => !met(one)).length;
  while (missing() > 0 && now() < deadline) await new Promise((again) => setTimeout(again, 20));
  return missing();
}

let acknowledged = [];

const ORDERS = {
  /** Connect all; the answer is the number of failed clients. */
  async open({ url, senderUrl, senderToken, tokens, options }) {
    // One at a time, resent until it is acknowledged, with an id by which a server can detect duplicates.
    sender = io(senderUrl, { forceNew: true, retries: 1000, ackTimeout: 2000, ...cookie(senderToken), ...options });
    subscribers = tokens.map((token, number) => subscribe(url, token, number, options));
    await new Promise((settle) => sender.once("connect", settle));
    return everybody(({ socket }) => socket.connected);
  },
  start({ para, everyMs }) {
    timer = setInterval(() => acknowledged.push(send(para)), everyMs);
  },
  /** Stop sending; the answer comes when every message is acknowledged. */
  async stop() {
    clearInterval(timer);
    await Promise.all(acknowledged);
    return sent.length;
  },
  /** Send one more when all are connected: a message that a subscriber has not received before it is lost. */
  async last({ para }) {
    const away = await everybody(({ socket }) => socket.connected);
    await send(para);
    const number = sent.length - 1;
    const deaf = await everybody(({ heard }) => heard.messages.at(-1)?.[1] === number);
    return { away, deaf };
  },
  report() {
    return { sent, refused, subscribers: subscribers.map(({ heard }) => heard) };
  },
};

await obey(ORDERS);
