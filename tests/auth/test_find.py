from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.config import AuthConfig
from chatd.auth.errors import AuthCode, AuthError
from chatd.auth.find import cookies, find_tokens

ALL = AuthConfig()
COOKIE_ONLY = AuthConfig(auth_token=False, bearer_token=False)


def found(cookie: str | None, authorization: str | None, payload: object, config: AuthConfig) -> list[str]:
    """The tokens alone."""
    return [one.token for one in find_tokens(cookie, authorization, payload, config)]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("token=t", "t"),
        ("token=t;", "t"),
        ("a=b; token=t; c=d", "t"),
        ("a=b;token=t;c=d", "t"),
        (' a=b ;\t token = t ;; ; broken; =x; "quoted"; k=v=w', "t"),
        ('broken; =x; "quoted"; k=v=w; token=t', "t"),
        ('a="b; token=t; c="', "t"),
        ('token="t"', "t"),
        ('token="t', '"t'),
        ("token=a=b==", "a=b=="),
        ("token=%41.%42", "%41.%42"),
        ("token=first; token=second", "first"),
        ("token=; token=second", "second"),
        ('token=""; token=second', "second"),
        ("Token=no; TOKEN=no; token=t", "t"),
        ("xtoken=no; tokenx=no; token=t", "t"),
        ("{json:'[1,2'}=3; a,b=c; token=t", "t"),
        ("ñ=ÿ; emoji=👩‍💻; token=t", "t"),
        ("a=\x00\x01; token=t", "t"),
        ("a=b; " * 50_000 + "token=t", "t"),
        (";" * 500_000 + "token=t", "t"),
        ("=" * 500_000 + ";token=t", "t"),
        ('"' * 500_000 + ";token=t", "t"),
    ],
    ids=lambda text: text[:40],
)
def test_the_cookie_is_found_among_malformed_ones(header: str, value: str) -> None:
    assert found(header, None, None, COOKIE_ONLY) == [value]


def test_the_name_of_the_cookie_is_a_setting() -> None:
    assert found("token=no; sesion.id=t", None, None, AuthConfig(cookie="sesion.id")) == ["t"]
    planted = "token=planted; __Secure-token=planted; __Host-token=t"
    assert found(planted, None, None, AuthConfig(cookie="__Host-token")) == ["t"]


@pytest.mark.parametrize(
    ("cookie", "payload", "authorization", "tokens"),
    [
        ("token=c", {"token": "a"}, "Bearer b", ["c", "a", "b"]),
        ("token=c; token=d", {"token": "a"}, None, ["c", "a"]),
        ("token=", {"token": "a"}, "Bearer b", ["a", "b"]),
        (None, {"token": "a"}, "Bearer b", ["a", "b"]),
        ("x=y", {"token": ""}, "Bearer b", ["b"]),
        (None, {"token": 7}, "Bearer b", ["b"]),
        (None, {"token": None}, "Bearer b", ["b"]),
        (None, None, "Bearer b", ["b"]),
        (None, "token", "Bearer b", ["b"]),
        (None, ["token"], "bearer  b ", ["b"]),
        (None, {}, "BEARER b", ["b"]),
        ("token=t", {"token": "a"}, "Bearer t", ["t", "a"]),
        ("token=t", {"token": "t"}, "Bearer t", ["t"]),
    ],
)
def test_the_cookie_comes_before_the_payload_and_the_payload_before_the_header(
    cookie: str | None, payload: object, authorization: str | None, tokens: list[str]
) -> None:
    """C-01, C-63: one of each source, without duplicates"""
    assert found(cookie, authorization, payload, ALL) == tokens


def test_each_token_has_the_name_of_its_source() -> None:
    """C-63"""
    places = find_tokens("jwt=c", "Bearer b", {"token": "a"}, AuthConfig(cookie="jwt"))
    assert [one.where for one in places] == ["the cookie jwt", "auth.token", "the header Authorization"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic b", "b", "Bearerb", "Token b"])
def test_other_authorization_schemes_are_ignored(authorization: str | None) -> None:
    with pytest.raises(AuthError) as caught:
        found(None, authorization, None, ALL)
    assert caught.value.code == AuthCode.TOKEN_MISSING


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (ALL, ["auth.token", "Authorization"]),
        (AuthConfig(bearer_token=False), ["auth.token"]),
        (AuthConfig(auth_token=False), ["Authorization"]),
        (COOKIE_ONLY, []),
    ],
)
def test_a_disabled_source_is_not_read_and_not_suggested(config: AuthConfig, named: list[str]) -> None:
    with pytest.raises(AuthError) as caught:
        found(
            None,
            "Bearer b" if not config.bearer_token else None,
            {"token": "a"} if not config.auth_token else None,
            config,
        )
    assert [word for word in ("auth.token", "Authorization") if word in caught.value.message] == named


def test_the_error_of_a_missing_token_names_the_cookies_without_their_values() -> None:
    header = 'sid=SECRET1; broken-SECRET2; =SECRET3; "SECRET4"; k=SECRET5=SECRET6; <b>=SECRET7; sid=SECRET8'
    with pytest.raises(AuthError) as caught:
        found(header, None, None, AuthConfig(cookie="jwt"))
    assert caught.value.code == AuthCode.TOKEN_MISSING
    assert "in the cookie jwt" in caught.value.message
    assert "(cookies seen: sid, k, ?b?)" in caught.value.message
    assert "SECRET" not in caught.value.message


def test_the_error_of_a_missing_token_names_a_few_cookies() -> None:
    header = "; ".join(f"{letter * 1000}=v" for letter in "abcdefghijkl")
    with pytest.raises(AuthError) as caught:
        found(header, None, None, ALL)
    seen = ", ".join(letter * 32 for letter in "abcdefgh")
    assert caught.value.message.endswith(f"(cookies seen: {seen}, ...).")


def test_the_error_of_a_missing_token_says_that_there_were_no_cookies() -> None:
    with pytest.raises(AuthError, match=r"\(no cookies came\)"):
        found(None, None, None, ALL)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_header_gives_a_token_or_a_short_printable_error(header: str) -> None:
    try:
        (said,) = found(header, None, None, COOKIE_ONLY)
    except AuthError as error:
        said = error.message if error.code == AuthCode.TOKEN_MISSING else ""
        said = said if re.fullmatch(r"[ -~]{1,500}", said) else ""
    assert said


@given(neighbours=st.lists(st.text().map(lambda text: text.replace(";", ""))), at=st.integers(min_value=0))
def test_no_other_cookie_hides_the_token(neighbours: list[str], at: int) -> None:
    neighbours = [piece for piece in neighbours if piece.partition("=")[0].strip(" \t") != "token"]
    pieces = [*neighbours[: at % (len(neighbours) + 1)], "token=t", *neighbours[at % (len(neighbours) + 1) :]]
    assert found(";".join(pieces), None, None, COOKIE_ONLY) == ["t"]


@given(st.text())
def test_names_of_cookies_are_never_empty_and_come_from_the_header(header: str) -> None:
    for name, value in cookies(header):
        assert name
        assert name in header
        assert value in header
