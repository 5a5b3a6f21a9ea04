from __future__ import annotations

import pytest

from chatd.base.errors import ConfigError
from chatd.cluster.redis.address import RedisAddress, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache", RedisAddress("cache")),
        ("redis://cache:7000/3", RedisAddress("cache", 7000, database=3)),
        ("rediss://cache:7000/3", RedisAddress("cache", 7000, database=3, tls=True)),
        ("rediss://chat:secret@cache", RedisAddress("cache", user="chat", password="secret", tls=True)),
        ("redis://[::1]:7000", RedisAddress("::1", 7000)),
        ("redis://:pa%40ss@cache", RedisAddress("cache", password="pa@ss")),
        ("redis://chat:secret@cache/0", RedisAddress("cache", user="chat", password="secret")),
        ("unix:///run/redis/redis.sock", RedisAddress("", 0, "/run/redis/redis.sock")),
        ("unix:///run/redis.sock?db=2", RedisAddress("", 0, "/run/redis.sock", 2)),
        ("redis+sentinel://one/chat", RedisAddress(sentinels=(("one", 26379),), master="chat")),
        (
            "rediss+sentinel://one:7000,two/my%20chat/3",
            RedisAddress(database=3, tls=True, sentinels=(("one", 7000), ("two", 26379)), master="my chat"),
        ),
        (
            "redis+sentinel://chat:secret@one,two/chat",
            RedisAddress(user="chat", password="secret", sentinels=(("one", 26379), ("two", 26379)), master="chat"),
        ),
    ],
)
def test_an_address_is_parsed_from_a_url(url: str, address: RedisAddress) -> None:
    assert parse_address(url) == address


def test_the_password_of_a_file_is_that_of_the_url_s_user() -> None:
    """N-02"""
    assert parse_address("redis://chat@cache", "sec%72et") == RedisAddress("cache", user="chat", password="sec%72et")
    assert parse_address("unix://chat@/r.sock", "s") == RedisAddress("", 0, "/r.sock", user="chat", password="s")
    assert parse_address("redis://cache", "s") == RedisAddress("cache", user="default", password="s")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "http://cache",
        "redis://",
        "redis:///0",
        "redis://cache:port",
        "redis://cache:70000",
        "redis://cache/one",
        "redis://cache/-1",
        "redis://cache/9999999999",
        "redis://cache?db=1",
        "redis://chat@cache",
        "redis://[::1",
        "unix://run/redis.sock",
        "unix:///run/redis.sock?db=x",
        "redis+sentinel://one",
        "redis+sentinel://one/",
        "redis+sentinel:///chat",
        "redis+sentinel://one,,two/chat",
        "redis+sentinel://one:port/chat",
        "redis+sentinel://one/chat/x",
        "redis+sentinel://one/chat?db=1",
        "redis+sentinel://chat@one/chat",
        "sentinel://one:26379/chat",
    ],
)
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="the bus"):
        parse_address(url)


def test_repr_does_not_contain_the_password() -> None:
    address = parse_address("redis://chat:secret@cache:7000")
    assert "secret" not in f"{address} {address!r}"
    with pytest.raises(ConfigError) as caught:
        parse_address("redis://chat:secret@cache/x")
    assert "secret" not in str(caught.value)


def test_an_address_is_printed_as_its_url() -> None:
    assert [
        str(parse_address(url))
        for url in ("redis://cache", "redis://[::1]:7", "unix:///r.sock", "redis+sentinel://a,b/chat")
    ] == [
        "cache:6379",
        "[::1]:7",
        "/r.sock",
        "chat of 2 Sentinels",
    ]
