"""N-34"""

from __future__ import annotations

import datetime

import msgspec
import pytest

from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.values import Bounds, Cleaner

BOUNDS = Bounds(max_bytes=1_000, max_depth=3, max_attachments=2, max_containers=5, max_values=10)


def clean(value: object) -> object:
    return Cleaner(BOUNDS).clean(value)


@pytest.mark.parametrize("value", [None, True, 0, -1, 2**63, 0.5, "ñ", [], {}, [{"a": ["b"]}], b"\x00"])
def test_json_values_are_unchanged(value: object) -> None:
    assert clean(value) == value


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xd6\xff\x3b\x9a\xca\x00", "2001-09-09T01:46:40.000Z"),
        (b"\xd7\xff\xec\x14\xfe\x00\x3b\x9a\xca\x00", "2001-09-09T01:46:40.990Z"),
        (b"\xc7\x0c\xff\x3b\x8b\x87\xc0" + b"\xff" * 8, "1969-12-31T23:59:59.999Z"),
        (bytes.fromhex("c70cff00000000fffffff8dd9bd900"), "0999-01-01T00:00:00.000Z"),
        (bytes.fromhex("c70cff00000000fffffff1886e0900"), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_date_is_encoded_as_in_javascript(data: bytes, text: str) -> None:
    assert clean(msgspec.msgpack.decode(data)) == text


def test_a_date_of_another_zone_is_converted_to_utc() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert clean(datetime.datetime(2026, 1, 1, 1, tzinfo=zone)) == "2025-12-31T23:00:00.000Z"


def test_nan_and_infinity_are_null() -> None:
    assert clean([float("nan"), float("inf"), -float("inf")]) == [None, None, None]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([[[[]]]], Fault.MAX_DEPTH),
        ([b"", b"", b""], Fault.MAX_ATTACHMENTS),
        ([[], [], [], [], []], Fault.CONTAINERS),
        (list(range(10)), Fault.CONTAINERS),
        ({1: 2}, Fault.UNREADABLE),
        (msgspec.msgpack.Ext(5, b""), Fault.UNREADABLE),
        ({"_placeholder": True, "num": 0}, Fault.EVENT),
    ],
)
def test_values_over_a_limit_or_outside_json_are_refused(value: object, fault: Fault) -> None:
    with pytest.raises(ForeignError) as caught:
        clean(value)
    assert caught.value.fault is fault


def test_limits_apply_to_all_arguments_together() -> None:
    cleaner = Cleaner(BOUNDS)
    for _ in range(5):
        cleaner.clean([])
    with pytest.raises(ForeignError):
        cleaner.clean([])
