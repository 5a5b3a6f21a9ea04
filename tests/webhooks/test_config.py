"""Rule W-01: what a table [[webhook]] may not say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import load
from tests.webhooks.receiver import write_config

URL_FAULT = "[[webhook]]: url must be http://... or https://..."


@pytest.mark.parametrize(
    ("url", "more", "why"),
    [
        ("ftp://crm.example/", "", URL_FAULT),
        ("https://user:pass@crm.example/", "", URL_FAULT),
        ("https://crm.example/hook#part", "", URL_FAULT),
        ("https://crm.example/a b", "", URL_FAULT),
        ("https://crm.example/ñ", "", URL_FAULT),
        ("https://ñ.example/", "", URL_FAULT),
        ("https://crm.example/\\u007f", "", URL_FAULT),
        ("https://crm.example/\\r\\nX: 1", "", URL_FAULT),
        ("https://crm.example/", 'events = ["mensajes"]', "[[webhook]]: Invalid enum value 'mensajes'"),
        ("https://crm.example/", "events = []", "[[webhook]]: Expected `array` of length >= 1"),
        ("https://crm.example/", "timeout = 0", "[[webhook]]: Expected `float` > 0"),
        ("https://crm.example/", "parallel = 101", "[[webhook]]: Expected `int` <= 100"),
        ("https://crm.example/", "tries = 1", "[[webhook]]: Object contains unknown field `tries`"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(tmp_path: Path, url: str, more: str, why: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(why)):
        load({"config": str(write_config(tmp_path, url, more))}, {})


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://crm.example/a?b=%C3%B1&c={d}", "https://xn--nda.es/"])
def test_a_url_in_ascii_is_taken(tmp_path: Path, url: str) -> None:
    [hook] = load({"config": str(write_config(tmp_path, url, ""))}, {}).webhooks
    assert hook.url == url
    assert hook.events == ("mensaje",)  # presencia and the others only where they are named
    assert (hook.private, hook.private_addresses) == (False, False)
