// A Node.js node as in a company's cluster: socket.io with @socket.io/redis-adapter, a room for each user, and an emitter.
//
//   node node_neighbour.mjs PATH-OF-REDIS
//
// Takes commands as orders.mjs reads them, and prints its port when it is ready. `call` runs application code: each step
// of `chain` is a property or a method with its arguments.

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { obey } from "./orders.mjs";
import { pack, unpack } from "./values.mjs";

async function connected() {
  const client = createClient({ socket: { path: process.argv[2] } });
  client.on("error", () => {}); // the client reconnects by itself
  await client.connect();
  return client;
}

const [publisher, subscriber, apart] = [await connected(), await connected(), await connected()];
const http = createServer();
const io = new Server(http, { adapter: createAdapter(publisher, subscriber) });
const emitter = new Emitter(apart);

io.on("connection", (socket) => {
  const { user, rol } = socket.handshake.auth;
  socket.join(`user:${user}`);
  if (rol === "admin") socket.join("admins");
  socket.on("mensaje_privado", ({ para, mensaje }, ack) => {
    const rooms = rol === "admin" ? [`user:${para}`] : [`user:${para}`, "admins"];
    io.to(rooms).emit("mensaje_recibido", { de: user, mensaje });
    ack?.({ ok: true });
  });
});

const OBJECTS = { io, emitter, adapter: io.of("/").adapter };

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value?.handshake === undefined) return value;
  const { id, handshake, rooms, data } = value; // a socket of this node, or of another
  return { id, handshake, rooms, data };
}

const ORDERS = {
  async call({ on, chain }) {
    let value = OBJECTS[on];
    for (const [name, ...args] of chain)
      value = typeof value[name] === "function" ? value[name](...args.map(unpack)) : value[name];
    value = await value;
    return Object.values(OBJECTS).includes(value) || value === true ? null : pack(plain(value));
  },
  async publish({ channel, data }) {
    return await apart.publish(channel, Buffer.from(data, "base64"));
  },
  async pid() {
    return process.pid;
  },
  async heard() {
    return await apart.sendCommand(["PUBSUB", "NUMSUB", "socket.io-request#/#"]);
  },
};

await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
await obey(ORDERS, http.address().port);
