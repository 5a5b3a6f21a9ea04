// Clients that speak another protocol: node strangers.mjs URL
//
// socket.io-client 2 speaks revision 3 of Engine.IO, socket.io-msgpack-parser sends each packet as binary. One line of
// JSON: for each client and transport, every event until it gives up.

import { readFileSync } from "node:fs";

import { io } from "socket.io-client";
import old from "socket.io-client-2";
import msgpack from "socket.io-msgpack-parser";

const [url] = process.argv.slice(2);
const versionOf = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;

const CLIENTS = {
  "socket.io-client-2": (transports) => old(url, { transports, reconnection: false, forceNew: true }),
  "socket.io-msgpack-parser": (transports) => io(url, { transports, reconnection: false, forceNew: true, parser: msgpack }),
};

// The status of a refused poll. For a WebSocket the error depends on its implementation.
const statusOf = ({ message, description }) => (message === "xhr poll error" ? description : null);

function run(socket) {
  return new Promise((resolve) => {
    const told = [];
    const manager = socket.io;
    const end = (...words) => resolve([...told, words]);
    manager.on("open", () => told.push(["open"]));
    socket.on("connect", () => end("connect"));
    socket.on("connect_error", (error) => end("connect_error", error.message, statusOf(error)));
    manager.on("close", (reason) => end("close", reason?.message ?? reason));
  });
}

const found = {};
for (const [name, open] of Object.entries(CLIENTS)) {
  found[name] = { version: versionOf(name), told: {} };
  for (const transport of ["polling", "websocket"]) found[name].told[transport] = await run(open([transport]));
}
console.log(JSON.stringify({ runtime: `Node.js ${process.versions.node}`, found }));
process.exit(0);
