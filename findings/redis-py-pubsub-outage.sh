#!/bin/sh
# redis-py hides an outage from a subscriber. While Redis is down, `pubsub.listen()` neither raises nor ends: it reconnects
# and subscribes again by itself, and messages published meanwhile are lost. The only sign is a second subscription
# confirmation, which `ignore_subscribe_messages=True`, as in nearly every example, drops. So a program that must reload
# missed messages does not learn that it has to.
#
# Seen with redis 8.1.0 on CPython 3.11, Redis 7.0.15.
#
# Needs python3 with venv, and redis-server. Takes half a minute, leaves nothing behind. Fails if any of this is not so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0

cat > "$folder/run.py" <<'PYTHON'
"""A subscriber; a Redis that is killed and comes back; a publisher that goes on as soon as it can."""
import asyncio
import subprocess
import sys

from redis.asyncio import Redis
from redis.exceptions import RedisError

path = sys.argv[1]


async def publish(text):
    """How many have got it; None while Redis is away."""
    redis = Redis(unix_socket_path=path)
    try:
        return await redis.publish("news", text)
    except (OSError, RedisError):
        return None
    finally:
        await redis.aclose()


async def start():
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", ""], stdout=-3)
    while await publish("up") is None:
        await asyncio.sleep(0.01)
    return server


async def run(ignore):
    server = await start()
    subscriber = Redis(unix_socket_path=path).pubsub(ignore_subscribe_messages=ignore)
    await subscriber.subscribe("news")
    heard, kinds = asyncio.Queue(), []

    async def listen():
        async for message in subscriber.listen():
            kinds.append(message["type"])
            if message["type"] == "message":
                heard.put_nowait(message["data"])

    listening = asyncio.create_task(listen())
    await publish("before")
    await heard.get()
    server.kill()
    server.wait()
    server = await start()  # it has published "up", which no subscriber received
    while not await publish("after"):
        await asyncio.sleep(0.01)
    first = await heard.get()
    print(f"ignore_subscribe_messages={ignore}: heard {first.decode()} next, listen() goes on: {not listening.done()},",
          f"confirmations: {kinds.count('subscribe')}")
    listening.cancel()
    server.kill()
    server.wait()


async def main():
    await run(ignore=True)
    await run(ignore=False)


asyncio.run(asyncio.wait_for(main(), 60))
PYTHON

found=$("$folder/venv/bin/python" "$folder/run.py" "$folder/redis")
expected="ignore_subscribe_messages=True: heard after next, listen() goes on: True, confirmations: 0
ignore_subscribe_messages=False: heard after next, listen() goes on: True, confirmations: 2"
printf '%s\n' "$found"
if [ "$found" != "$expected" ]; then
    printf 'it was seen before as:\n%s\n' "$expected"
    exit 1
fi
