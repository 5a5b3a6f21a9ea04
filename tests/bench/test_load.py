"""The load generator counts correctly and detects every mistake of a server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bench import machine
from bench.load import ADMINS, BYSTANDERS, SENDER, Load, LoadError, Run, Workload
from bench.rig import People
from tests.bench.faulty import Fault, faulty

PEOPLE = People(admins=1, users=2)

MISTAKES = {
    Fault.LOST: "message 3 came where 2 was due: one is missing or out of order",
    Fault.DOUBLED: "message 2 came where 3 was due: doubled",
    Fault.SWAPPED: "message 3 came where 2 was due: one is missing or out of order",
    Fault.STRAY: "connection 2 got message 2, which was not for it",
    Fault.ECHOED: "connection 1 got message 2, which was not for it",
    Fault.DAMAGED: "message 2 is damaged",
    Fault.REFUSED: "message 2 was refused: 431000000002[{'ok':false",
    Fault.ACKED_TWICE: "an acknowledgement of message 2 that nobody awaits",
    Fault.FAILED: "did not expect 42['mensaje_error'",
    Fault.CUT: "the server closed connection 0: end of stream",
}

BAD_HANDSHAKES = {
    Fault.COMPRESSED: "the server compresses",
    Fault.MISKEYED: "wrong Sec-WebSocket-Accept",
    Fault.HASTY: "1 of 1 connections were closed before they were ready",
}


def _work(*, in_flight: int = 0, rate: float = 0.0, ack: bool = False) -> Workload:
    return Workload(para="a0", de="u0", seconds=0.1, in_flight=in_flight, rate=rate, ack=ack, patience_s=30.0)


def _drive(port: int, folder: Path, work: Workload) -> Run:
    tokens = folder / "tokens"
    PEOPLE.write_tokens(tokens)
    with Load("faulty", port, os.getpid(), tokens, machine.cores().load) as load:
        load.open(ADMINS, 0, 1)
        load.open(SENDER, 1, 1)
        load.open(BYSTANDERS, 2, 1)
        return load.run(work)


async def _run(fault: Fault, folder: Path, work: Workload) -> Run:
    async with faulty(fault) as port:
        return await asyncio.to_thread(_drive, port, folder, work)


@pytest.mark.parametrize("ack", [False, True])
async def test_a_closed_loop_ends_with_every_message_complete(tmp_path: Path, *, ack: bool) -> None:
    run = await _run(Fault.NONE, tmp_path, _work(in_flight=8, ack=ack))
    assert run.messages >= 8
    assert run.completed == run.deliveries == run.delivery_ns.count == run.complete_ns.count == run.messages
    assert run.acks == (run.messages if ack else 0)
    assert run.kept_up


async def test_an_open_loop_sends_at_its_rate(tmp_path: Path) -> None:
    run = await _run(Fault.NONE, tmp_path, _work(rate=200.0))
    assert run.messages == run.deliveries == 20
    assert run.delivery_ns.p50 <= run.delivery_ns.p99 <= run.delivery_ns.p999 <= run.delivery_ns.max
    assert run.lag_ns.count == 20


@pytest.mark.parametrize(("fault", "complaint"), MISTAKES.items(), ids=lambda value: getattr(value, "name", ""))
async def test_a_fault_ends_the_run_without_a_result(tmp_path: Path, fault: Fault, complaint: str) -> None:
    with pytest.raises(LoadError) as caught:
        await _run(fault, tmp_path, _work(in_flight=4, ack=True))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(("fault", "complaint"), BAD_HANDSHAKES.items(), ids=lambda value: getattr(value, "name", ""))
async def test_a_bad_handshake_ends_the_run(tmp_path: Path, fault: Fault, complaint: str) -> None:
    with pytest.raises(LoadError) as caught:
        await _run(fault, tmp_path, _work(in_flight=1))
    assert complaint in str(caught.value)


async def test_a_duplicate_after_the_last_message_is_detected(tmp_path: Path) -> None:
    """The third message is the last one here: its duplicate arrives when all messages are complete."""
    with pytest.raises(LoadError, match="doubled"):
        await _run(Fault.DOUBLED, tmp_path, _work(rate=30.0))
