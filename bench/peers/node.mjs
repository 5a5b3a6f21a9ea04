// Node: socket.io on its default engine, which is the `ws` package. perMessageDeflate is off, as by default.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { install, settings } from "./rules.mjs";

const { port, secret, pingInterval } = settings();
const http = createServer();
const io = new Server(http, { pingInterval, perMessageDeflate: false, serveClient: false });
install(io, secret);
http.listen({ host: "127.0.0.1", port, backlog: 4096 });
