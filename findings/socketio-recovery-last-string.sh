#!/bin/sh
# With connection state recovery, socket.io-client stores the last argument of ANY event as its position, if it is a
# string and the client has a private session id. The server adds positions only to events that it keeps, so a volatile
# event whose last argument is a string overwrites the position: the next recovery fails, and all missed events are lost.
# The same event with an object as last argument does no harm.
#
# Seen with socket.io 4.8.4 and socket.io-client 4.8.3 on Node.js 20.
#
# Needs node and npm. Takes a few seconds, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund socket.io@4.8.4 socket.io-client@4.8.3

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";

async function run(last) {
  const http = createServer();
  const server = new Server(http, { connectionStateRecovery: {} });
  await new Promise((done) => http.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${http.address().port}`;
  const client = io(url, { transports: ["websocket"], reconnectionDelay: 100 });
  const heard = (event) => new Promise((done) => client.once(event, done));
  await heard("connect");
  const [socket] = [...server.sockets.sockets.values()];
  socket.emit("message", 1);
  await heard("message");
  socket.volatile.emit("typing", last);
  await heard("typing");
  const back = heard("connect");
  client.io.engine.transport.ws.terminate();
  await back;
  console.log(`a volatile event that ends in ${JSON.stringify(last)}: recovered ${client.recovered}`);
  client.close();
  server.close();
}

await run({ user: "ana" });
await run("ana");
JAVASCRIPT

found=$(node "$folder/run.mjs")
expected="a volatile event that ends in {\"user\":\"ana\"}: recovered true
a volatile event that ends in \"ana\": recovered false"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
