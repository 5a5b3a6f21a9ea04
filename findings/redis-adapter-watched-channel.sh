#!/bin/sh
# A passive subscriber of @socket.io/redis-adapter's request channel breaks the adapter. A node asks Redis for the number
# of subscribers (PUBSUB NUMSUB) and waits for as many answers; a passive one, such as a redis-cli opened for debugging,
# is counted and does not answer. Then fetchSockets and broadcasts with acknowledgement fail on every node after the
# timeout, without the answers that arrived. A pattern subscription (PSUBSCRIBE) is not counted and does no harm.
#
# Seen with @socket.io/redis-adapter 8.3.0, socket.io 4.8.4 and redis 5.12.1 on Node.js 20, Redis 7.0.15.
#
# Needs node, npm and redis-server. Takes ten seconds, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
redis=
trap 'test -z "$redis" || kill "$redis"; rm -rf "$folder"' EXIT
npm --prefix "$folder" install --silent --no-audit --no-fund socket.io@4.8.4 redis@5.12.1 @socket.io/redis-adapter@8.3.0
redis-server --version | cut -d" " -f1-3
redis-server --port 0 --unixsocket "$folder/redis" --save "" >/dev/null &
redis=$!

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { createServer } from "node:http";
import { createClient } from "redis";
import { Server } from "socket.io";
import { createAdapter } from "@socket.io/redis-adapter";

const CHANNEL = "socket.io-request#/#";

async function redis() {
  return createClient({ socket: { path: process.argv[2] } }).on("error", () => {}).connect();
}

async function node() {
  const adapter = createAdapter(await redis(), await redis(), { requestsTimeout: 2000 });
  return new Server(createServer(), { adapter });
}

const [first] = [await node(), await node()];
const looking = await redis();
while ((await looking.pubSubNumSub([CHANNEL]))[CHANNEL] !== 2);

async function ask(who) {
  const answer = await first.fetchSockets().then((sockets) => `${sockets.length} sockets`, (error) => error.message);
  console.log(`${who}: ${answer}`);
}

await ask("two nodes");
await looking.subscribe(CHANNEL, () => {});
await ask("and one that looks");
await looking.unsubscribe(CHANNEL);
await looking.pSubscribe(`${CHANNEL}*`, () => {});
await ask("and one that looks by a pattern");
process.exit();
JAVASCRIPT

found=$(node "$folder/run.mjs" "$folder/redis")
expected="two nodes: 0 sockets
and one that looks: timeout reached while waiting for fetchSockets response
and one that looks by a pattern: 0 sockets"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
