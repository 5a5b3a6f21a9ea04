from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import OPTIONS, PARTS, TITLES, Config, Raw, load

NONE: dict[str, str] = {}


def test_without_sources_every_setting_has_its_default() -> None:
    assert load(NONE, NONE) == Config()
    assert set(load(NONE, NONE).origins.values()) == {"default"}


def test_names_are_unique_across_parts() -> None:
    names = [option.name for option in OPTIONS]
    assert sorted(set(names)) == sorted(names)
    assert (
        {"listen", "auth", "chat", "team", "store", "engineio", "socketio", "web", "ops", "api", "log"}
        == set(PARTS)
        == set(TITLES)
    )


def test_every_part_is_frozen_and_every_field_has_a_help_text() -> None:
    for cls in PARTS.values():
        assert dataclasses.fields(cls) or cls.__doc__
        assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    for option in OPTIONS:
        assert option.about.help, option.name


def test_every_default_is_valid() -> None:
    for option in OPTIONS:
        values = option.default if isinstance(option.default, tuple) else (option.default,)
        for value in values:
            if value not in {None, ""}:
                assert option.parse(str(value), "default") == value


def test_a_flag_outranks_a_variable_and_a_variable_a_default() -> None:
    environ = {"CHATD_PORT": "2", "CHATD_HOST": "::1", "PATH": "/bin"}
    config = load({"port": "3"}, environ, own={"port": "1", "host": "x", "db": "own.db"}, own_origin="chatd dev")
    assert (config.listen.port, config.listen.host, config.store.db) == (3, ("::1",), "own.db")
    assert [config.origins[name] for name in ("port", "host", "db", "path")] == [
        "--port",
        "CHATD_HOST",
        "chatd dev",
        "default",
    ]


def test_an_empty_variable_is_not_set() -> None:
    assert load(NONE, {"CHATD_PORT": "", "CHATD_NONSENSE": ""}) == Config()


def test_the_names_of_the_settings_that_switch_limits_off_are_fixed() -> None:
    names = (
        "max_connections",
        "max_connections_per_user",
        "max_connections_per_address",
        "accept_rate",
        "message_rate",
    )
    by_variable = load(NONE, {f"CHATD_{name.upper()}": "0" for name in names})
    by_flag = load(dict.fromkeys(names, "0"), NONE)
    assert by_variable == by_flag
    engine, chat = by_flag.engineio, by_flag.chat
    assert (engine.max_connections, engine.max_connections_per_address, engine.accept_rate) == (0, 0, 0.0)
    assert (chat.max_connections_per_user, chat.message_rate) == (0, 0.0)


def test_several_values_are_several_flags_or_a_variable_with_commas() -> None:
    flags = {"origin": ["https://a", "https://b"]}
    assert load(flags, {"CHATD_ORIGIN": "https://c"}).engineio.origin == ("https://a", "https://b")
    assert load(NONE, {"CHATD_ORIGIN": "https://c, https://d,"}).engineio.origin == ("https://c", "https://d")
    assert load({"jwt_audience": "a,b"}, NONE).auth.jwt_audience == ("a,b",)


def test_units_are_in_the_field_name_and_not_in_the_public_name() -> None:
    config = load({"ping_interval": "0.3"}, {"CHATD_PING_TIMEOUT": "0.2", "CHATD_MAX_PAYLOAD": "5000"})
    assert config.engineio.ping_interval_s == 0.3
    assert config.engineio.ping_timeout_s == 0.2
    assert config.engineio.max_payload_bytes == 5000


@pytest.mark.parametrize(
    ("flags", "environ", "message"),
    [
        ({"port": "99999"}, {}, "port: '99999' from --port is not a whole number from 0 to 65535"),
        ({}, {"CHATD_PORT": "x"}, "port: 'x' from CHATD_PORT is not a whole number from 0 to 65535"),
        ({"log_level": "loud"}, {}, "log_level: 'loud' from --log-level is not one of debug, info, warning, error"),
        ({}, {"CHATD_BEARER_TOKEN": "perhaps"}, "bearer_token: 'perhaps' from CHATD_BEARER_TOKEN is not true or false"),
        ({}, {"CHATD_PROT": "1"}, "CHATD_PROT: there is no such setting; did you mean CHATD_PORT?"),
        ({}, {"CHATD_PING_INTERVAL_S": "1"}, "did you mean CHATD_PING_INTERVAL?"),
        ({}, {"CHATD_MESSAGE_RATE": "-1"}, "message_rate: '-1' from CHATD_MESSAGE_RATE is not a number from 0 to"),
        ({"trusted_proxy": ["10.0.0.7/8"]}, {}, "10.0.0.7/8 has bits behind its prefix; write 10.0.0.0/8"),
        ({"trusted_proxy": ["nginx"]}, {}, "'nginx' is neither an address nor a network; write 10.0.0.7"),
        ({"origin": ["*"]}, {}, "list the pages' origins, or take --insecure-any-origin"),
        ({}, {"CHATD_ORIGIN": "https://shop.example,null"}, "any page of the web could speak for whoever visits it"),
        ({"origin": ["https://shop.example/"]}, {}, "write https://shop.example"),
        ({}, {"CHATD_PORT": "tcp://10.0.0.1:8400", "CHATD_SERVICE_HOST": "10.0.0.1"}, "enableServiceLinks: false"),
        ({}, {"CHATD_PORT_8400_TCP_ADDR": "10.0.0.1"}, "enableServiceLinks: false"),
        ({}, {"CHATD_ZZZZZZZZZZ": "1"}, "see chatd serve --help"),
        ({"cookie": "a b"}, {}, "cookie: 'a b' is no name for a cookie"),
        (
            {"bus": "redis://localhost"},
            {},
            "bus: several daemons share one PostgreSQL database: give --db postgresql://",
        ),
        ({"bus": "redis://:x@localhost", "db": "postgresql://h/d"}, {}, "bus: a URL with a password is refused"),
        ({"bus": "redis://h", "db": "postgresql://h/d", "db_timeout": "21"}, {}, "db_timeout: of several daemons"),
        ({"bus_ca_file": "/ca.pem", "bus": "redis://h", "db": "postgresql://h/d"}, {}, "bus: certificates are for TLS"),
        ({"bus": "redis://[::1", "db": "postgresql://h/d"}, {}, "bus: the URL is none: check the brackets of its host"),
    ],
)
def test_the_error_of_a_setting_names_its_source_and_range(
    flags: dict[str, Raw], environ: dict[str, str], message: str
) -> None:
    """N-01, N-02 among others"""
    with pytest.raises(ConfigError) as caught:
        load(flags, environ)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_secret_is_read_from_a_variable_and_never_from_a_flag() -> None:
    assert load(NONE, {"CHATD_JWT_SECRET": "x"}).auth.jwt_secret == "x"
    assert load({"jwt_secret": "x"}, NONE).auth.jwt_secret is None
    assert [option.name for option in OPTIONS if option.flag is None] == ["jwt_secret"]


def test_a_flag_for_one_key_outranks_a_variable_for_another() -> None:
    environ = {"CHATD_JWT_SECRET": "x", "CHATD_JWT_PUBLIC_KEY_FILE": "p"}
    auth = load({"jwt_secret_file": "f"}, environ).auth
    assert (auth.jwt_secret, auth.jwt_secret_file, auth.jwt_public_key_file) == (None, (Path("f"),), ())
    both = load(NONE, environ).auth
    assert (both.jwt_secret, both.jwt_public_key_file) == ("x", (Path("p"),))
