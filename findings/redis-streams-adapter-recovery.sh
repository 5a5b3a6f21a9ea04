#!/bin/sh
# Recovery through @socket.io/redis-streams-adapter differs in two ways from the documentation of connection state
# recovery. (1) A volatile event that the client received before the cut is delivered again: it is in the stream that is
# replayed, but carried no position. (2) All rooms share one stream, trimmed to about 10,000 entries: after as many events
# to rooms without the client, the client's position is no longer in the stream, and it is not recovered, however short
# its outage was.
#
# Seen with @socket.io/redis-streams-adapter 0.3.1, socket.io 4.8.4, socket.io-client 4.8.3 and redis 5.12.1 on
# Node.js 20, Redis 7.0.15.
#
# Needs node, npm and redis-server. Takes ten seconds, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
redis=
trap 'test -z "$redis" || kill "$redis"; rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund socket.io@4.8.4 socket.io-client@4.8.3 redis@5.12.1 @socket.io/redis-streams-adapter@0.3.1
redis-server --version | cut -d" " -f1-3
redis-server --port 0 --unixsocket "$folder/redis" --save "" >/dev/null &
redis=$!

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { createAdapter } from "@socket.io/redis-streams-adapter";

const redis = await createClient({ socket: { path: process.argv[2] } }).on("error", () => {}).connect();

async function run(others) {
  await redis.flushAll();
  const http = createServer();
  const server = new Server(http, { adapter: createAdapter(redis), connectionStateRecovery: {} });
  await new Promise((done) => http.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${http.address().port}`;
  const client = io(url, { transports: ["websocket"], reconnectionDelay: 2000, randomizationFactor: 0 });
  const heard = [];
  client.onAny((event, number) => heard.push(`${event} ${number}`));
  const once = (event) => new Promise((done) => client.once(event, done));
  await once("connect");
  server.emit("message", 1);
  await once("message");
  server.volatile.emit("typing", 2);
  await once("typing");
  const back = once("connect");
  client.io.engine.transport.ws.terminate();
  await once("disconnect");
  for (let number = 0; number < others; number++) server.to("another room").emit("message", number);
  server.emit("message", 3);
  await back;
  while (client.recovered && !heard.includes("message 3")) await once("message");
  console.log(`${others} events for another room meanwhile: recovered ${client.recovered}, heard ${heard.join(", ")}`);
  client.close();
  server.close();
}

await run(0);
await run(10500);
process.exit();
JAVASCRIPT

found=$(node "$folder/run.mjs" "$folder/redis")
expected="0 events for another room meanwhile: recovered true, heard message 1, typing 2, typing 2, message 3
10500 events for another room meanwhile: recovered false, heard message 1, typing 2"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
