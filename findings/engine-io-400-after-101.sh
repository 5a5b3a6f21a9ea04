#!/bin/sh
# engine.io does not refuse a WebSocket with another protocol revision than 4, such as that of socket.io-client 2 (EIO=3),
# in the handshake. It answers 101 and then writes an HTTP response with status 400 into the WebSocket stream, where a
# frame should be. The first letters, "HT", decode as a frame with a reserved bit, so clients report a broken WebSocket
# instead of the reason: `ws` on Node.js 20 says "Invalid WebSocket frame: RSV1 must be clear". By polling, the same
# client gets a readable 400.
#
# Seen with socket.io 4.8.4 (engine.io 6.6) and ws 8.18.3 on Node.js 20.
#
# Needs node and npm. Takes a few seconds, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund socket.io@4.8.4 ws@8.18.3

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";
import { connect } from "node:net";
import { Server } from "socket.io";
import WebSocket from "ws";

const http = createServer();
new Server(http);
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const { port } = http.address();

const polled = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=3&transport=polling`);
console.log(`polling: ${polled.status} ${await polled.text()}`);

const raw = connect(port, "127.0.0.1");
raw.write(
  "GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
);
let heard = "";
for await (const data of raw) heard += data;
const [handshake, ...behind] = heard.split("\r\n\r\n");
console.log(`WebSocket: ${handshake.split("\r\n")[0]}`);
console.log(`behind it: ${behind.join(" ").replaceAll("\r\n", ", ")}`);

const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=3&transport=websocket`);
socket.on("open", () => console.log("ws: open"));
socket.on("error", (error) => console.log(`ws: ${error.message}`));
socket.on("close", (code) => {
  console.log(`ws: close ${code}`);
  process.exit(0);
});
JAVASCRIPT

found=$(node "$folder/run.mjs")
expected='polling: 400 {"code":5,"message":"Unsupported protocol version"}
WebSocket: HTTP/1.1 101 Switching Protocols
behind it: HTTP/1.1 400 Bad Request, Connection: close, Content-type: text/html, Content-Length: 28 Unsupported protocol version
ws: open
ws: Invalid WebSocket frame: RSV1 must be clear
ws: close 1006'
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
