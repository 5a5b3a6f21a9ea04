from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.wire import (
    MAX_REPLY_BYTES,
    Answer,
    Command,
    Event,
    Heard,
    RedisError,
    Subscription,
    Wire,
)

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
SUBSCRIBED = b">3\r\n$9\r\nsubscribe\r\n$5\r\nchatd\r\n:1\r\n"


def message(data: bytes, channel: bytes = b"chatd") -> bytes:
    return b">3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(channel), channel, len(data), data)


def wire(**address: str | int) -> Wire:
    return Wire(RedisAddress("cache", **address), Subscription(("chatd",)))  # type: ignore[arg-type]


def up() -> Wire:
    one = wire()
    one.greeting()
    assert list(one.feed(HELLO + SUBSCRIBED)) == [Event.SUBSCRIBED]
    return one


def words(data: bytes) -> list[bytes]:
    return [word for word in data.split(b"\r\n") if word[:1] not in {b"*", b"$", b""}]


def test_the_connection_starts_with_hello_and_subscribe() -> None:
    assert words(wire().greeting()) == [b"HELLO", b"3", b"SETNAME", b"chatd", b"SUBSCRIBE", b"chatd"]


def test_a_password_adds_auth_and_a_database_adds_select() -> None:
    greeting = wire(user="chat", password="secret", database=3).greeting()
    login = [b"HELLO", b"3", b"AUTH", b"chat", b"secret", b"SETNAME", b"chatd"]
    assert words(greeting) == [*login, b"SELECT", b"3", b"SUBSCRIBE", b"chatd"]


def test_messages_may_come_between_answers() -> None:
    one = up()
    assert one.publish("chatd", b"\x00\r\n") == b"*3\r\n$7\r\nPUBLISH\r\n$5\r\nchatd\r\n$3\r\n\x00\r\n\r\n"
    one.ping()
    assert one.unanswered == 2
    assert list(one.feed(message(b"\x00\r\n") + b":2\r\n" + message(b"b") + b"+PONG\r\n")) == [
        Heard(b"chatd", b"\x00\r\n"),
        Heard(b"chatd", b"b"),
    ]
    assert one.unanswered == 0


def test_answers_come_in_order_and_an_error_is_none() -> None:
    one = up()
    asked = one.ask(Command.PUBSUB, "NUMSUB", "chatd") + one.ping() + one.ask(Command.INFO, "server")
    assert words(asked) == [b"PUBSUB", b"NUMSUB", b"chatd", b"PING", b"INFO", b"server"]
    answers = b"*2\r\n$5\r\nchatd\r\n:3\r\n" + message(b"a") + b"+PONG\r\n-NOPERM no permissions\r\n"
    assert list(one.feed(answers)) == [Answer([b"chatd", 3]), Heard(b"chatd", b"a"), Answer(None)]
    assert one.unanswered == 0


def test_other_pushes_are_ignored() -> None:
    assert list(up().feed(b">2\r\n$10\r\ninvalidate\r\n*0\r\n")) == []


def test_all_subscriptions_to_channels_and_patterns_must_be_confirmed() -> None:
    one = Wire(RedisAddress("cache"), Subscription(("a", "b"), ("x[1]*\\y#",)))
    greeting = words(one.greeting())
    assert greeting[-5:] == [b"SUBSCRIBE", b"a", b"b", b"PSUBSCRIBE", b"x\\[1\\]\\*\\\\y#*"]
    confirmed = b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    assert list(one.feed(HELLO + 2 * confirmed)) == []
    assert not one.is_subscribed
    assert list(one.feed(confirmed.replace(b"$9\r\nsubscribe", b"$10\r\npsubscribe"))) == [Event.SUBSCRIBED]
    pushed = b">4\r\n$8\r\npmessage\r\n$2\r\nx*\r\n$2\r\nxy\r\n$1\r\n1\r\n"
    assert list(one.feed(pushed)) == [Heard(b"xy", b"1")]


def test_a_message_to_another_channel_needs_no_subscriber() -> None:
    one = up()
    one.publish("elsewhere", b"a")
    assert list(one.feed(b":0\r\n")) == []
    assert one.unanswered == 0


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 30))
def test_messages_are_complete_for_any_split_of_the_input(messages: list[bytes], size: int) -> None:
    one, data = up(), b"".join(map(message, messages))
    assert [event for at in range(0, len(data), size) for event in one.feed(data[at : at + size])] == [
        Heard(b"chatd", data) for data in messages
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"-WRONGPASS invalid username-password pair\r\n", "WRONGPASS"),
        (b"-NOAUTH HELLO must be called with the client already authenticated\r\n", "NOAUTH"),
        (b"-ERR unknown command 'HELLO', with args beginning with: '3'\r\n", "Redis 6 or newer"),
        (HELLO + b"-NOPERM No permissions to access a channel\r\n", "NOPERM"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no Redis"),
        (HELLO + SUBSCRIBED + b"+OK\r\n", "an answer to nothing"),
        (HELLO + SUBSCRIBED + b">3\r\n$11\r\nunsubscribe\r\n$5\r\nchatd\r\n:0\r\n", "subscription"),
    ],
)
def test_a_fatal_reply_is_an_error_with_its_reason(said: bytes, reason: str) -> None:
    one = wire()
    one.greeting()
    with pytest.raises(RedisError, match=reason):
        list(one.feed(said))


def test_a_publish_without_subscribers_shows_a_lost_subscription() -> None:
    one = up()
    one.publish("chatd", b"a")
    with pytest.raises(RedisError, match="nobody hears"):
        list(one.feed(b":0\r\n"))


def test_messages_before_an_error_are_delivered() -> None:
    events = up().feed(message(b"a") + b"-ERR\r\n")
    assert next(events) == Heard(b"chatd", b"a")
    with pytest.raises(RedisError):
        next(events)


def test_an_endless_reply_is_bounded() -> None:
    one = up()
    assert list(one.feed(b">3\r\n$7\r\nmessage\r\n$5\r\nchatd\r\n$999999999\r\n")) == []
    part = bytes(1_000_000)
    for _ in range(MAX_REPLY_BYTES // len(part)):
        assert list(one.feed(part)) == []
    with pytest.raises(RedisError, match="a reply of more than"):
        list(one.feed(part))


def test_many_messages_do_not_count_as_one_reply() -> None:
    one = up()
    many = message(bytes(1_000)) * 1_000
    for _ in range(2 + MAX_REPLY_BYTES // len(many)):
        assert len(list(one.feed(many))) == 1_000
