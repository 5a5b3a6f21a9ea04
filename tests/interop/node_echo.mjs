// The echo server of the interop tests on the reference implementation: `node node_echo.mjs PORT`, until it is killed.
import { Server } from "socket.io";

const io = new Server(Number(process.argv[2]), { host: "127.0.0.1" });
io.on("connection", (socket) => {
  socket.on("message-with-ack", (...args) => args.pop()(...args));
});
