// Node: socket.io on its default engine, which is the `ws` package. perMessageDeflate is off, as by default.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { install, settings } from "./rules.mjs";

const { port, secret, pingInterval } = settings();
// Requests that are not for socket.io, such as /healthz, are answered at once.
const http = createServer((_, response) => response.end("ok"));
// The values of the documentation, which are also the defaults. Off unless asked for, as in socket.io itself.
const recovery = { maxDisconnectionDuration: 120_000, skipMiddlewares: true };
// One of several nodes: `ADAPTER` connects it with the others, its number is the prefix of its sids.
const { ADAPTER, REDIS_URL, NODE_NUMBER } = process.env;
const adapter = ADAPTER && (await (await import("./adapters.mjs")).ADAPTERS[ADAPTER](REDIS_URL));
const io = new Server(http, {
  pingInterval,
  perMessageDeflate: false,
  serveClient: false,
  ...(process.env.RECOVERY === "on" && { connectionStateRecovery: recovery }),
  ...(adapter && { adapter }),
});
if (NODE_NUMBER) io.engine.generateId = () => `${NODE_NUMBER}.${randomBytes(15).toString("base64url")}`;
// Messages are stored only if there is a database.
const store = process.env.DB && (await import("./sqlite.mjs")).open(process.env.DB);
install(io, secret, store);
http.listen({ host: "127.0.0.1", port, backlog: 4096 });
