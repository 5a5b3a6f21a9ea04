#!/bin/sh
# python-socketio sends a `Cookie` from `headers` only at the first connection. At an automatic reconnection this header
# is missing, and only this one: the others are sent as before. So a client that logs in by cookie works until its first
# reconnection, and is refused from then on.
#
# Seen with python-socketio 5.18.1, python-engineio 4.15.1 and aiohttp 3.14.5 on CPython 3.11, against socket.io 4.8.4 on
# Node.js 20.
#
# Needs python3 with venv, node and npm. Takes half a minute, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    python-socketio==5.18.1 python-engineio==4.15.1 aiohttp==3.14.5
npm --prefix "$folder" install --silent --no-audit --no-fund socket.io@4.8.4

cat > "$folder/run.mjs" <<'JAVASCRIPT'
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { Server } from "socket.io";

const [python, program] = process.argv.slice(2);

const http = createServer();
const server = new Server(http);
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const client = spawn(python, [program, http.address().port], { stdio: "inherit" });
for (const connection of ["first", "second"]) {
  const socket = await new Promise((done) => server.once("connection", done));
  const { cookie, "x-shop": shop } = socket.handshake.headers;
  console.log(`${connection} connection: Cookie ${cookie}, X-Shop ${shop}`);
  setTimeout(() => socket.conn.transport.socket.terminate(), 500); // once the client has its answer
}
client.kill();
process.exit();
JAVASCRIPT

cat > "$folder/run.py" <<'PYTHON'
import asyncio
import sys

import socketio


async def main():
    client = socketio.AsyncClient(reconnection_delay=0.1)
    headers = {"Cookie": "token=abc", "X-Shop": "1"}
    await client.connect(f"http://127.0.0.1:{sys.argv[1]}", headers, transports=["websocket"])
    await client.wait()


asyncio.run(asyncio.wait_for(main(), 60))
PYTHON

found=$(node "$folder/run.mjs" "$folder/venv/bin/python" "$folder/run.py")
expected="first connection: Cookie token=abc, X-Shop 1
second connection: Cookie undefined, X-Shop 1"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
