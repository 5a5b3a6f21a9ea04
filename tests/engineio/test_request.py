"""Parsing of requests, and the order of the checks that refuse them."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.engineio.request import (
    MAX_QUERY_FIELDS,
    KnownSession,
    Refusal,
    Request,
    by_name,
    parse_request,
    refusal,
    version_fault,
)

ABSENT, UNKNOWN, POLLING, WEBSOCKET = KnownSession

UPGRADE = (b"upgrade", b"websocket")


def request(query: str, method: str = "GET", *headers: tuple[bytes, bytes]) -> Request:
    return parse_request(method.encode(), b"/engine.io/?" + query.encode(), by_name(headers), "127.0.0.1")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/socket.io/?EIO=4&transport=polling", "/socket.io/", {"EIO": "4", "transport": "polling"}),
        ("/socket.io/", "/socket.io/", {}),
        ("/socket.io/?", "/socket.io/", {}),
        ("/?EIO=3&EIO=4", "/", {"EIO": "4"}),
        ("/?EIO=4&EIO=3", "/", {"EIO": "3"}),
        ("/?a=%C3%B1&b=x+y&c=%20", "/", {"a": "ñ", "b": "x y", "c": " "}),
        ("/?a=%FF&b=%zz", "/", {"a": "\ufffd", "b": "%zz"}),
        ("/?flag&empty=&=nameless", "/", {"flag": "", "empty": "", "": "nameless"}),
        ("/?a=b?c=d", "/", {"a": "b?c=d"}),
        ("/?__proto__=1&constructor=2", "/", {"__proto__": "1", "constructor": "2"}),
        ("http://host/socket.io/?EIO=4", "http://host/socket.io/", {"EIO": "4"}),
        ("*", "*", {}),
    ],
)
def test_a_target_is_a_path_and_a_query_whose_last_value_of_a_name_counts(
    target: str, path: str, query: dict[str, str]
) -> None:
    """E-10"""
    parsed = parse_request(b"GET", target.encode(), {}, "")
    assert (parsed.path, dict(parsed.query)) == (path, query)
    assert parsed.query_string == target.partition("?")[2]


def test_a_query_has_a_bounded_number_of_fields() -> None:
    """E-10"""
    fields = [f"f{number}={number}" for number in range(MAX_QUERY_FIELDS)]
    assert len(request("&".join(fields)).query) == MAX_QUERY_FIELDS
    with pytest.raises(ValueError, match="fields"):
        request("&".join([*fields, "more=1"]))


@given(st.text("ab=&;%+3 ñ", max_size=30))
def test_a_query_is_split_as_the_standard_library_splits_it(query: str) -> None:
    """E-10"""
    target = b"/?" + query.encode("latin-1")
    assert parse_request(b"GET", target, {}, "").query == dict(parse_qsl(query, keep_blank_values=True))


@given(st.binary(), st.sampled_from([b"GET", b"POST"]))
def test_any_target_is_parsed_or_refused(target: bytes, method: bytes) -> None:
    """E-10"""
    with contextlib.suppress(ValueError):
        parsed = parse_request(method, target, {}, "")
        refusal(parsed, ABSENT)
        version_fault(parsed)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(), max_size=8))
def test_any_field_is_read_back(fields: dict[str, str]) -> None:
    """E-10"""
    with contextlib.suppress(UnicodeEncodeError):
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields.items())
        assert dict(request(query).query) == fields


def test_the_values_of_a_header_are_joined() -> None:
    headers = [(b"cookie", b"a=1"), (b"x-a", b"1"), (b"cookie", b"b=2"), (b"x-a", b"2"), (b"x-b", b"\xf1")]
    asked = request("", "GET", *headers)
    assert asked.header(b"cookie") == "a=1; b=2"
    assert asked.header(b"x-a") == "1, 2"
    assert asked.header(b"x-b") == "ñ"
    assert asked.header(b"x-c") is None


@pytest.mark.parametrize(
    ("why", "status", "body"),
    [
        (Refusal.TRANSPORT_UNKNOWN, 400, {"code": 0, "message": "Transport unknown"}),
        (Refusal.SESSION_UNKNOWN, 400, {"code": 1, "message": "Session ID unknown"}),
        (Refusal.BAD_METHOD, 400, {"code": 2, "message": "Bad handshake method"}),
        (Refusal.BAD_REQUEST, 400, {"code": 3, "message": "Bad request"}),
        (Refusal.FORBIDDEN, 403, {"code": 4, "message": "Forbidden"}),
        (Refusal.UNSUPPORTED_VERSION, 400, {"code": 5, "message": "Unsupported protocol version"}),
    ],
)
def test_a_refusal_has_the_code_and_the_text_of_the_reference(
    why: Refusal, status: int, body: dict[str, object]
) -> None:
    """E-11"""
    assert why.status == status
    assert json.loads(why.body()) == body
    assert json.loads(why.body("no", "because")) == {**body, "message": "no", "detail": "because"}


@pytest.mark.parametrize(
    ("asked", "session", "why"),
    [
        (request("EIO=4&transport=polling"), ABSENT, None),
        (request("EIO=3&transport=polling"), ABSENT, None),
        (request("EIO=4&transport=websocket", "GET", UPGRADE), ABSENT, None),
        (request("EIO=4"), ABSENT, Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=abc"), UNKNOWN, Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=__proto__"), ABSENT, Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=webtransport"), ABSENT, Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=POLLING"), ABSENT, Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=3&transport=polling", "POST"), UNKNOWN, Refusal.SESSION_UNKNOWN),
        (request("EIO=3&transport=polling", "POST"), ABSENT, Refusal.BAD_METHOD),
        (request("EIO=4&transport=websocket", "POST", UPGRADE), ABSENT, Refusal.BAD_METHOD),
        (request("EIO=4&transport=websocket"), ABSENT, Refusal.BAD_REQUEST),
        (request("EIO=4&transport=polling", "GET", UPGRADE), ABSENT, Refusal.BAD_REQUEST),
        (request("EIO=4&transport=polling"), POLLING, None),
        (request("EIO=4&transport=polling", "POST"), POLLING, None),
        (request("EIO=4&transport=websocket", "GET", UPGRADE), POLLING, None),
        (request("EIO=4&transport=websocket", "GET", (b"upgrade", b"WebSocket")), POLLING, None),
        (request("EIO=4&transport=websocket", "GET", UPGRADE), WEBSOCKET, None),
        (request("EIO=4&transport=polling"), WEBSOCKET, Refusal.BAD_REQUEST),
        (request("EIO=4&transport=websocket"), WEBSOCKET, Refusal.BAD_REQUEST),
        (request("EIO=4&transport=websocket"), POLLING, Refusal.BAD_REQUEST),
        (request("EIO=3&transport=polling"), POLLING, Refusal.BAD_REQUEST),
        (request("transport=polling"), POLLING, Refusal.BAD_REQUEST),
        (request("transport=websocket", "GET", UPGRADE), POLLING, Refusal.BAD_REQUEST),
    ],
)
def test_checks_come_in_the_order_of_the_reference(asked: Request, session: KnownSession, why: Refusal | None) -> None:
    """E-12"""
    assert refusal(asked, session) is why


def test_only_revision_4_opens_a_session() -> None:
    """E-13"""
    assert version_fault(request("EIO=4")) is None


@pytest.mark.parametrize("query", ["EIO=3", "EIO=5", "EIO=04", "EIO=4.0", "EIO=", "EIO=%204", "", "eio=4"])
def test_the_refusal_of_another_revision_names_the_supported_clients(query: str) -> None:
    """E-13"""
    fault = version_fault(request(query))
    assert fault is not None
    assert "socket.io-client 3 or 4" in fault
