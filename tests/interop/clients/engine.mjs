// Runs a release of engine.io-client against an echo server: node engine.mjs engine.io-client URL
//
// Prints one line of JSON: the versions, and for each choice of transports what came back.

import { readFileSync } from "node:fs";

const [name, url] = process.argv.slice(2);
const engine = await import(name);
const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8"));
const BYTES = [0, 127, 128, 255];

// No bytes where the first transport is the WebSocket of Node.js: it delivers a Blob, which the client does not read.
const WAYS = {
  polling: () => new engine.Socket(url, { transports: ["polling"] }),
  WebSocket: () => new engine.Socket(url, { transports: ["websocket"] }),
  upgrade: () => new engine.Socket(url),
  "Fetch and WebSocket": () => new engine.Socket(url, { transports: [engine.Fetch, engine.WebSocket] }),
  // The tree-shakable form; 6.6.7 and 6.6.8 do not export it (see findings/).
  ...(engine.SocketWithoutUpgrade && {
    SocketWithoutUpgrade: () => new engine.SocketWithoutUpgrade(url, { transports: [engine.WebSocket] }),
  }),
};

function run(open, bytes) {
  return new Promise((resolve, reject) => {
    const socket = open();
    const came = [];
    const speak = () => {
      socket.send("ñandú 🦜");
      if (bytes) socket.send(new Uint8Array(BYTES));
    };
    socket.binaryType = "arraybuffer";
    socket.on("open", () => (socket.upgrades?.length && socket.opts.transports.length > 1 ? socket.on("upgrade", speak) : speak()));
    socket.on("error", reject);
    socket.on("message", (data) => {
      came.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
      if (came.length === (bytes ? 2 : 1)) socket.close();
    });
    socket.on("close", (reason) => resolve({ came, transport: socket.transport.name, reason }));
  });
}

const found = await Promise.all(Object.entries(WAYS).map(async ([way, open]) => [way, await run(open, way !== "SocketWithoutUpgrade")]));
console.log(JSON.stringify({ version, runtime: `Node.js ${process.versions.node}`, found: Object.fromEntries(found) }));
process.exit(0);
