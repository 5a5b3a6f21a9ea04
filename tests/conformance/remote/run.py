"""Runs the cases one after another, each on new connections."""

from __future__ import annotations

import asyncio
import dataclasses

from tests.conformance.remote import engineio, socketio
from tests.conformance.remote.target import PATIENCE_S, Case, Target
from tests.conformance.wire import ClosedError, RefusedUpgradeError


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    cases: int
    lines: list[str]


async def differences(target: Target) -> Found:
    """The differences of the server. Raises OSError if it cannot be reached, ValueError if it refuses the token."""
    await target.joined()
    cases = (*engineio.CASES, *socketio.CASES)
    lines = []
    for case in cases:
        here = await _see(case, target)
        if here != case.expected:
            lines.append(f"{case.rule}  {case.about}: {here} (chatd: {case.expected})")
        await target.client.aclose()
    return Found(len(cases), lines)


async def _see(case: Case, target: Target) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await case.see(target)
    except TimeoutError:
        return "silence"
    except AssertionError as error:
        return f"something else: {error}"
    except (ClosedError, asyncio.IncompleteReadError, ConnectionResetError):
        return "cut off"
    except RefusedUpgradeError as refused:
        return f"an upgrade is refused: {refused.answer.status}"
