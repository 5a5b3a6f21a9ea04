"""Random mutations of corpus inputs, for machines without a coverage-guided fuzzer."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

WORDS: Final = [
    *(b"0", b"-1", b"1e999", b"18446744073709551616", b"4", b"b", b"2probe", b"5", b"\x1e", b"[", b"]", b"{", b"}"),
    *(b'"', b",", b"\\ud800", b"\xed\xa0\x80", b"\xff", b"\x00", b"\r\n", b"\r\n\r\n", b"; ", b"=", b"%00", b"&sid="),
    *(b"~SID~", b"~CUT~", b"~NEW~", b"\x81\x80\x00\x00\x00\x00", b"\x88\x80\x00\x00\x00\x00"),
    *(b"\x01\x80\x00\x00\x00\x00", b"null", b"NaN"),
    *(b'{"_placeholder":true,"num":0}', b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"x" * 300),
]  # fmt: skip

Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _flip(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _insert(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(WORDS) + data[at:]


def _remove(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    return data[:start] + data[end:]


def _repeat(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    return data[:end] + data[start:end] * dice.choice([1, 2, 50]) + data[end:]


def _splice(dice: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = dice.choice(others)
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]


CHANGES: Final[Sequence[Change]] = [_flip, _flip, _insert, _insert, _remove, _repeat, _splice]
MAX_BYTES: Final = 4_096


def mutated(dice: random.Random, corpus: Sequence[bytes]) -> bytes:
    """One of `corpus`, changed a few times."""
    data = dice.choice(corpus)
    for _ in range(dice.choice([1, 1, 2, 3, 8])):
        data = dice.choice(CHANGES)(dice, data, corpus)[:MAX_BYTES]
    return data
