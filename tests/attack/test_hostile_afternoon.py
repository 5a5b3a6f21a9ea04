"""All attacks at once on a real daemon: slow headers, half-open sockets, thousands of sessions that never join,
readers that do not read, floods, storms and rubbish. Ten honest clients chat meanwhile and must not be affected.

There are three waves: after the third, the daemon may hold no more than after the second. The first fills the
allocator: of six waves it took 22 MB, and each of the others 0 to 6 MB.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.api.inside import write_keys
from tests.attack.page_attacks import write_config
from tests.attack.victim import Victim, victim
from tests.attack.witness import PAUSE_S, Notes, Witness, converse
from tests.chat.daemon import ROOT
from tests.conformance.wire import Client
from tests.conftest import number_of

ATTACKERS = ("tests.attack.hostile", "tests.attack.floods", "tests.attack.page_attacks")
ATTACKERS_OF_THE_API = "tests.attack.api_attacks"
PAIRS = 5
WAVES = 3

LIMITS = [
    *("--request-timeout", "1", "--connect-timeout", "2", "--upgrade-timeout", "1"),
    *("--ping-interval", "2", "--ping-timeout", "5"),
    *("--max-payload", "100000", "--max-queued", "65536"),
    *("--max-connections", "5000", "--max-connections-per-address", "5000", "--max-connections-per-user", "50"),
    *("--message-rate", "100", "--message-burst", "100"),
]

# No target: an upper bound for a machine that the attackers keep busy, which a stall of the daemon would exceed.
STALLED_S = 2.0

# Memory of the allocator's own; a thousand leaked sessions would be nearly twice as much.
GROWTH_MB = 10.0

AFTERMATH_S = 30.0


async def attack(client: Client, api: tuple[str, int], seconds: float) -> str:
    """Run all attackers at once; return how often each attack was made."""
    where = {**dict.fromkeys(ATTACKERS, (client.host, client.port)), ATTACKERS_OF_THE_API: api}
    made = await asyncio.gather(*(_attackers(module, *place, seconds) for module, place in where.items()))
    return ", ".join(f"{name} {count}" for some in made for name, count in sorted(some.items()))


async def _attackers(module: str, host: str, port: int, seconds: float) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, host, str(port), str(seconds)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    made: dict[str, int] = json.loads(printed)
    return made


async def quiet_again(chatd: Victim, sessions: int, descriptors: int, one: Witness, other: Witness) -> None:
    """Let two honest clients talk until every session of the attackers has ended; fail if that takes too long."""
    async with asyncio.timeout(AFTERMATH_S):
        while chatd.open_sessions > sessions or chatd.descriptors > descriptors:
            await one.write(other.name, "are they gone?")
            await asyncio.sleep(PAUSE_S)


@pytest.mark.timeout(150)
async def test_honest_clients_are_not_affected(db: Path, request: pytest.FixtureRequest) -> None:
    seconds, notes, memory_mb = number_of(request, "--hostile-seconds"), Notes(), []
    keys = write_keys(db.with_name("keys"))
    page = ["--config", str(write_config(db.parent)), "--email-claim", "email"]
    async with victim(db, *LIMITS, *page, "--api", "127.0.0.1:0", "--api-keys-file", str(keys)) as (chatd, client):
        users = [await Witness.enter(client, f"user-{number}", "user", notes) for number in range(PAIRS + 1)]
        admins = [await Witness.enter(client, f"admin-{number}", "admin", notes) for number in range(PAIRS + 1)]
        everybody = [*users, *admins]
        await users[0].write(admins[0].name, "hello")
        descriptors = chatd.descriptors
        memory_mb.append(chatd.memory_mb)
        for _ in range(WAVES):
            over = asyncio.Event()
            pairs = zip(users[1:], admins[1:], strict=True)
            talks = [asyncio.create_task(converse(user, admin, notes, over)) for user, admin in pairs]
            made = await attack(client, chatd.api, seconds / WAVES)
            over.set()
            await asyncio.gather(*talks)
            await quiet_again(chatd, len(everybody), descriptors, users[0], admins[0])
            memory_mb.append(chatd.memory_mb)
            print(made)
        print(notes.report())
        print(f"memory before, and after each wave: {', '.join(f'{mb:.1f} MB' for mb in memory_mb)}")
        print(f"logged: {dict(chatd.said)}")
        assert chatd.process.returncode is None
        assert chatd.faults == []
        for witness in everybody:
            await witness.leave()
    assert notes.lost == []
    assert notes.p99_s < STALLED_S
    assert memory_mb[-1] - memory_mb[-2] < GROWTH_MB
