// Node: socket.io on its default engine, which is the `ws` package. perMessageDeflate is off, as by default.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { install, settings } from "./rules.mjs";

const { port, secret, pingInterval } = settings();
// Whatever is not for socket.io, such as /healthz, is answered at once.
const http = createServer((_, response) => response.end("ok"));
// The values of the documentation, which are also the defaults. Off unless asked for, as in socket.io itself.
const recovery = { maxDisconnectionDuration: 120_000, skipMiddlewares: true };
const io = new Server(http, {
  pingInterval,
  perMessageDeflate: false,
  serveClient: false,
  ...(process.env.RECOVERY === "on" && { connectionStateRecovery: recovery }),
});
// Nothing is stored unless there is a database.
const store = process.env.DB && (await import("./sqlite.mjs")).open(process.env.DB);
install(io, secret, store);
http.listen({ host: "127.0.0.1", port, backlog: 4096 });
