from __future__ import annotations

import pytest

from chatd.auth.config import AuthConfig
from chatd.base.errors import ConfigError


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "ñ", '"a"', "a\n", "a,b"])
def test_a_name_that_no_cookie_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cookie"):
        AuthConfig(cookie=name)


@pytest.mark.parametrize("name", ["token", "__Host-token", "a.b_c~1"])
def test_a_valid_cookie_name_is_accepted(name: str) -> None:
    assert AuthConfig(cookie=name).cookie == name


def test_repr_does_not_contain_the_secret() -> None:
    assert "hush" not in repr(AuthConfig(jwt_secret="hush" * 10))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://login.example/keys", "write https"),
        ("http://192.168.1.5/keys", "write https"),
        ("ftp://login.example/keys", "is no URL"),
        ("login.example/keys", "is no URL"),
        ("https:///keys", "is no URL"),
        ("https://[::1/keys", "is no URL"),
        ("https://login.example:port/", "is no URL"),
        ("https://login.example/a b", "is no URL"),
        ("https://login.example/\r\nHost: x", "is no URL"),
        ("https://login.example/ñ", "is no URL"),
        ("https://ana:secret@login.example/keys", "no password"),
        ("https://login.example/keys#a", "no fragment"),
    ],
)
def test_the_url_of_the_keys_must_be_https(url: str, why: str) -> None:
    """J-01"""
    with pytest.raises(ConfigError, match=f"jwks_url: .*{why}"):
        AuthConfig(jwks_url=url)


@pytest.mark.parametrize("url", ["https://login.example/keys", "http://127.0.0.1:8080/keys", "http://[::1]/keys"])
def test_a_provider_on_this_machine_may_do_without_tls(url: str) -> None:
    """J-01"""
    assert AuthConfig(jwks_url=url).has_keys_of_others


def test_an_hmac_algorithm_is_refused_together_with_a_provider() -> None:
    """J-02"""
    with pytest.raises(ConfigError, match="jwt_algorithm: HS512 goes with a secret"):
        AuthConfig(jwks_url="https://login.example/keys", jwt_algorithm="HS512")
