#!/bin/sh
# The sharded adapter of socket.io publishes each room on its own channel, so that a node receives only its own rooms.
# A room whose name has exactly 20 characters is mistaken for a socket id, and is published on the channel of all nodes.
# No message is lost, but rooms named by a fixed-length id, such as 20 characters of base64url (15 random bytes), get no
# benefit from the adapter.
#
# Seen with @socket.io/redis-adapter 8.3.0, socket.io 4.8.4 and redis 5.12.1 on Node.js 20, Redis 7.0.15.
#
# Needs node, npm and redis-server 7. Takes a few seconds, leaves nothing behind. Fails if any of this is not so.
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
import { createShardedAdapter } from "@socket.io/redis-adapter";

async function redis() {
  const client = createClient({ socket: { path: process.argv[2] } });
  return client.on("error", () => {}).connect();
}

const publisher = await redis();
const server = new Server(createServer(), { adapter: createShardedAdapter(publisher, await redis()) });
const publish = publisher.sPublish.bind(publisher);
let channel;
publisher.sPublish = (name, message) => publish((channel = name), message);
for (const room of ["1234567890123456789", "12345678901234567890", "123456789012345678901"]) {
  server.to(room).emit("news");
  console.log(`${room.length} characters: ${channel}`);
}
process.exit();
JAVASCRIPT

found=$(node "$folder/run.mjs" "$folder/redis")
expected="19 characters: socket.io#/#1234567890123456789#
20 characters: socket.io#/#
21 characters: socket.io#/#123456789012345678901#"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
