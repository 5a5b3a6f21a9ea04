// Bun: socket.io on @socket.io/bun-engine, which uses the WebSocket server that is built into Bun.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { install, settings } from "./rules.mjs";

const { port, secret, pingInterval } = settings();
const io = new Server();
const engine = new Engine({ path: "/socket.io/", pingInterval });
io.bind(engine);
install(io, secret);

const { fetch, websocket } = engine.handler();
Bun.serve({
  hostname: "127.0.0.1",
  port,
  fetch,
  // Bun's own idle timeout must be longer than the ping interval, which the runner sets high; 960 s is the maximum.
  websocket: { ...websocket, perMessageDeflate: false, idleTimeout: 960 },
});
