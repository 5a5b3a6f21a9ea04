from __future__ import annotations

import pytest

from chatd.auth.config import AuthConfig
from chatd.errors import ConfigError


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "ñ", '"a"', "a\n", "a,b"])
def test_a_name_that_no_cookie_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cookie"):
        AuthConfig(cookie=name)


@pytest.mark.parametrize("name", ["token", "__Host-token", "a.b_c~1"])
def test_names_that_cookies_have(name: str) -> None:
    assert AuthConfig(cookie=name).cookie == name


def test_the_secret_is_not_in_what_gets_printed() -> None:
    assert "hush" not in repr(AuthConfig(jwt_secret="hush" * 10))
