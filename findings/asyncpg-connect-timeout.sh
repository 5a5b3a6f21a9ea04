#!/bin/sh
# asyncpg's `timeout` applies to all hosts of the URL together. If the first host accepts the connection or drops its
# packets, and never answers, it uses up the timeout: asyncpg does not try the second host, which works. In libpq
# `connect_timeout` applies to each host; asyncpg's documentation only says "connection timeout in seconds". A host that
# refuses the connection costs no time, so a failover test with a stopped server does not show this; a power loss does.
#
# Seen with asyncpg 0.32.0 on CPython 3.11.
#
# Needs python3 with venv. Takes half a minute, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check asyncpg==0.32.0

cat > "$folder/run.py" <<'PYTHON'
"""Two hosts: the first is silent, or nobody listens there; the second notes who comes, and closes."""
import asyncio
import socket
import time

import asyncpg

TIMEOUT_S = 2


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def connect(first, second):
    tried = []

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    async def noting(reader, writer):
        tried.append(time.monotonic())
        writer.close()

    servers = [await asyncio.start_server(noting, "127.0.0.1", second)]
    if first == "silent":
        servers.append(await asyncio.start_server(silent, "127.0.0.1", 0))
        port = servers[1].sockets[0].getsockname()[1]
    else:
        port = free_port()
    begun = time.monotonic()
    try:
        url = f"postgresql://user@127.0.0.1:{port},127.0.0.1:{second}/base?sslmode=disable"
        await asyncpg.connect(url, password="-", timeout=TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        kind = type(error).__name__
    took = round(time.monotonic() - begun)
    for server in servers:
        server.close()
    return f"the first host is {first}: {kind} after {took} s, connections to the second host: {min(len(tried), 1)}"


async def main():
    print(await connect("silent", free_port()))
    print(await connect("down", free_port()))


asyncio.run(main())
PYTHON

found=$("$folder/venv/bin/python" "$folder/run.py")
expected="the first host is silent: TimeoutError after 2 s, connections to the second host: 0
the first host is down: ConnectionDoesNotExistError after 0 s, connections to the second host: 1"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
