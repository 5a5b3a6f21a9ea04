"""The origins that may connect, and the CORS headers of the answers."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.daemon.config import Config, refuse_any_origin
from chatd.engineio.config import EngineConfig
from chatd.engineio.origin import OriginPolicy, refusal_message
from chatd.engineio.request import Request, by_name, parse_request

LISTED = OriginPolicy(("https://chat.example", "https://*.example.com"), credentials=True)
ANY = OriginPolicy(("*",), credentials=False)
NONE = OriginPolicy((), credentials=True)


def request(origin: str | None, method: str = "GET", host: str = "chatd.example", **headers: str) -> Request:
    lines = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
    if origin is not None:
        lines.append((b"origin", origin.encode("latin-1")))
    return parse_request(method.encode(), b"/socket.io/", by_name(lines), "")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example", True),
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://chatd.example", True),
        ("http://chatd.example", True),
        (None, True),
        ("http://chat.example", False),
        ("https://chat.example:8443", False),
        ("https://chat.example.evil", False),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("https://evilexample.com", False),
        ("https://evil/.example.com", False),
        ("https://evil:1@a.example.com", False),
        ("https://evil#.example.com", False),
        ("https://evil?.example.com", False),
        ("https://a.example.com.evil", False),
        ("https://evil\\.example.com", False),
        ("https://evil%2f.example.com", False),
        ("https://evil;.example.com", False),
        ("https://evil&.example.com", False),
        ("https://evil .example.com", False),
        ("https://evil\t.example.com", False),
        ("https://evil!a.example.com", False),
        ("https://evil,a.example.com", False),
        ("https://evil_a.example.com", False),
        ("https://[::1].example.com", False),
        ("https://a..example.com", False),
        ("https://A.example.com", False),
        ("https://\xe9vil.example.com", False),
        ("https://xn--vil-9la.example.com", True),
        ("https://1-2.example.com", True),
        ("null", False),
        ("", False),
        ("https://chat.example, https://evil", False),
        ("https://chat.exampl\xf1", False),
    ],
)
def test_only_listed_origins_and_the_own_origin_may_connect(origin: str | None, allowed: bool) -> None:
    """E-14"""
    assert LISTED.allows(request(origin)) is allowed


def test_without_a_list_only_the_own_origin_may_connect() -> None:
    """E-14"""
    assert NONE.allows(request("http://chatd.example:8000", host="chatd.example:8000"))
    assert not NONE.allows(request("http://chatd.example:9000", host="chatd.example:8000"))
    assert not NONE.allows(request("http://evil.example"))


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://chat.example", "chat.example", True),
        ("https://chat.example", "chat.example:443", True),
        ("http://chat.example", "chat.example:80", True),
        ("https://chat.example:8443", "chat.example:8443", True),
        ("https://chat.example", "Chat.Example", True),
        ("http://[::1]:8400", "[::1]:8400", True),
        ("https://chat.example", "chat.example:80", False),
        ("http://chat.example", "chat.example:443", False),
        ("https://chat.example", "chat.example:8443", False),
        ("https://chat.example:8443", "chat.example", False),
        ("ftp://chat.example", "chat.example", False),
        ("capacitor://chat.example", "chat.example", False),
        ("chat.example", "chat.example", False),
        ("https://", "", False),
        ("null", "null", False),
    ],
)
def test_the_host_header_names_the_own_origin(origin: str, host: str, ours: bool) -> None:
    """E-14: a browser omits the default port, a proxy may write it"""
    assert NONE.allows(request(origin, host=host)) is ours


@pytest.mark.parametrize(("origin", "ours"), [("https://chatd.example", True), ("http://chatd.example", False)])
def test_a_http_origin_is_not_the_own_origin_of_a_server_with_tls(origin: str, ours: bool) -> None:
    """E-14"""
    assert NONE.allows(msgspec.structs.replace(request(origin), secure=True)) is ours


@pytest.mark.parametrize(
    ("policy", "site", "allowed"),
    [
        (NONE, None, True),
        (NONE, "same-origin", True),
        (NONE, "none", True),
        (NONE, "same-site", False),
        (NONE, "cross-site", False),
        (NONE, "cross-site, same-origin", False),
        (NONE, "", False),
        (LISTED, "same-site", False),
        (LISTED, "cross-site", False),
        (ANY, "cross-site", True),
        (ANY, "same-site", True),
    ],
)
def test_a_cross_site_request_needs_an_origin(policy: OriginPolicy, site: str | None, allowed: bool) -> None:
    """E-45: an `<img>` sends no Origin"""
    said = {} if site is None else {"sec-fetch-site": site}
    assert policy.allows(request(None, **said)) is allowed


@pytest.mark.parametrize(("mode", "allowed"), [("cors", True), ("no-cors", False), ("navigate", False)])
def test_a_web_view_without_an_origin_is_no_web_page(mode: str, allowed: bool) -> None:
    """E-45: Chromium with --disable-web-security, as Electron's webSecurity: false; others send Origin with cors"""
    said = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode}
    assert NONE.allows(request(None, **said)) is allowed


def test_a_request_with_an_origin_is_judged_by_it_alone() -> None:
    """E-45"""
    assert LISTED.allows(request("https://chat.example", **{"sec-fetch-site": "cross-site"}))
    assert not LISTED.allows(request("https://evil.example", **{"sec-fetch-site": "same-origin"}))


@pytest.mark.parametrize(
    ("said", "allowed"),
    [({}, False), ({"sec-fetch-site": "same-origin"}, True), ({"sec-fetch-site": "cross-site"}, False)],
)
def test_an_origin_may_be_required_unless_the_request_is_same_origin(said: dict[str, str], allowed: bool) -> None:
    """E-14"""
    policy = OriginPolicy((), credentials=True, required=True)
    assert policy.allows(request(None, **said)) is allowed
    assert policy.allows(request("https://chatd.example")) is True
    assert "require_origin" in refusal_message(request(None))


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_a_star_admits_every_origin(origin: str | None) -> None:
    """E-14"""
    assert ANY.allows(request(origin))


@given(st.text(st.characters(max_codepoint=255)))
def test_no_other_text_matches_a_listed_origin(origin: str) -> None:
    """E-14"""
    assert not OriginPolicy(("https://chat.example",), credentials=True).allows(request(origin, host="chatd.example"))


def test_a_listed_origin_is_repeated_in_the_answer() -> None:
    """E-14"""
    assert LISTED.headers(request("https://chat.example")) == [
        (b"Access-Control-Allow-Origin", b"https://chat.example"),
        (b"Vary", b"Origin"),
        (b"Access-Control-Allow-Credentials", b"true"),
    ]


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_an_unlisted_origin_is_not_repeated_in_the_answer(origin: str | None) -> None:
    """E-14"""
    assert dict(LISTED.headers(request(origin))) == {b"Vary": b"Origin", b"Access-Control-Allow-Credentials": b"true"}


def test_a_star_is_answered_by_a_star_unless_cookies_are_allowed() -> None:
    """E-14: browsers refuse `*` together with credentials"""
    assert ANY.headers(request("http://page")) == [(b"Access-Control-Allow-Origin", b"*")]
    with_cookies = dict(OriginPolicy(("*",), credentials=True).headers(request("http://page")))
    assert with_cookies[b"Access-Control-Allow-Origin"] == b"http://page"


def test_without_a_list_there_are_no_cors_headers() -> None:
    """E-14"""
    assert NONE.headers(request("http://page")) == []
    assert not NONE.is_preflight(request("http://page", "OPTIONS"))


def test_a_preflight_is_allowed_the_requested_method_and_headers() -> None:
    """E-14"""
    asked = request("https://chat.example", "OPTIONS", **{"access-control-request-headers": "x-a,x-b"})
    assert LISTED.is_preflight(asked)
    headers = LISTED.preflight_headers(asked)
    assert (b"Access-Control-Allow-Headers", b"x-a,x-b") in headers
    assert (b"Vary", b"Access-Control-Request-Headers") in headers
    assert (b"Access-Control-Allow-Methods", b"GET,HEAD,PUT,PATCH,POST,DELETE") in headers
    plain = LISTED.preflight_headers(request("https://chat.example", "OPTIONS"))
    assert b"Access-Control-Allow-Headers" not in dict(plain)


def test_the_answer_does_not_contain_the_list_of_origins() -> None:
    """E-14"""
    asked = request("http://page", host="chatd.example")
    assert (
        refusal_message(asked)
        == "origin http://page may not connect; start chatd with --origin http://page to allow it"
    )
    assert LISTED.log_message(asked) == (
        f"{refusal_message(asked)} (listed: https://chat.example, https://*.example.com; "
        "this server: (any scheme)://chatd.example)"
    )
    assert "(listed: none; this server: https://chatd.example)" in NONE.log_message(
        msgspec.structs.replace(asked, secure=True)
    )
    assert "an Origin" in refusal_message(request(None, **{"sec-fetch-site": "cross-site"}))
    assert len(LISTED.log_message(request("http://" + "x" * 10_000, host="y" * 10_000))) < 1_500


@pytest.mark.parametrize(
    "origin",
    ["null", "https://shop.example", "file://", "capacitor://localhost", "https://shop.example:443", "http://A"],
)
def test_chatd_starts_with_the_advised_setting(origin: str) -> None:
    """E-14"""
    told = refusal_message(request(origin))
    _, advised, flags = told.partition("--origin ")
    if not advised:
        assert "cannot be allowed" in told
        return
    allowed = EngineConfig(origin=(flags.split()[0],), insecure_any_origin="--insecure-any-origin" in flags)
    refuse_any_origin(Config(engineio=allowed))
    assert OriginPolicy(allowed.origin, credentials=True).allows(request(origin))
