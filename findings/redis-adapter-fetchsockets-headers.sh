#!/bin/sh
# fetchSockets on one node makes every other node publish the whole handshake of its sockets in Redis: all request
# headers, including the login cookie, and `auth`. Callers mostly want ids and rooms, which the documentation shows. Any
# subscriber of the response channel, such as a dashboard or a log, gets valid credentials.
#
# Seen with @socket.io/redis-adapter 8.3.0, socket.io 4.8.4, socket.io-client 4.8.3 and redis 5.12.1 on Node.js 20,
# Redis 7.0.15.
#
# Needs node, npm and redis-server. Takes a few seconds, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
redis=
trap 'test -z "$redis" || kill "$redis"; rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund socket.io@4.8.4 socket.io-client@4.8.3 redis@5.12.1 @socket.io/redis-adapter@8.3.0
redis-server --version | cut -d" " -f1-3
redis-server --port 0 --unixsocket "$folder/redis" --save "" >/dev/null &
redis=$!

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { createAdapter } from "@socket.io/redis-adapter";

async function redis() {
  return createClient({ socket: { path: process.argv[2] } }).on("error", () => {}).connect();
}

async function node() {
  const http = createServer();
  await new Promise((done) => http.listen(0, "127.0.0.1", done));
  return [http, new Server(http, { adapter: createAdapter(await redis(), await redis()) })];
}

const [[http], [, other]] = [await node(), await node()];
const looking = await redis();
while ((await looking.pubSubNumSub(["socket.io-request#/#"]))["socket.io-request#/#"] !== 2);
const published = new Promise((done) => looking.pSubscribe("socket.io-response#/#*", done));
const client = io(`http://127.0.0.1:${http.address().port}`, {
  transports: ["websocket"],
  extraHeaders: { Cookie: "token=of-the-login" },
  auth: { token: "of-the-login" },
});
await new Promise((done) => client.once("connect", done));
console.log(`asked for: ${(await other.fetchSockets()).length} socket`);
const [{ handshake }] = JSON.parse(await published).sockets;
console.log(`in Redis: cookie ${handshake.headers.cookie}, auth ${JSON.stringify(handshake.auth)}`);
process.exit();
JAVASCRIPT

found=$(node "$folder/run.mjs" "$folder/redis")
expected="asked for: 1 socket
in Redis: cookie token=of-the-login, auth {\"token\":\"of-the-login\"}"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
