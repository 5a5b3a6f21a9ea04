from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.base.errors import ConfigError
from chatd.cli.reference import toml
from chatd.daemon.config import OPTIONS, Config, load
from chatd.settings.file import ConfigFile, locate, read_config_file

NONE: dict[str, str] = {}

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Put a text into a configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "chatd.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def read(path: Path) -> ConfigFile:
    return read_config_file(path, OPTIONS)


def test_every_value_has_its_line_number(write: Write) -> None:
    path = write(
        """\
# a comment
[listen]
port = 9000  # behind a value

tls_cert = '''
/etc/[chat]/port = 1.pem'''
[engineio]
origin = [
    "https://a.example",  # port = 7
    "https://b.example",
]
ping_interval = 3
"""
    )
    file = read(path)
    assert file.problems == ()
    assert file.values == {
        "port": 9000,
        "tls_cert": Path("/etc/[chat]/port = 1.pem"),
        "origin": ("https://a.example", "https://b.example"),
        "ping_interval": 3.0,
    }
    assert file.origins == {
        "port": f"{path}:3",
        "tls_cert": f"{path}:5",
        "origin": f"{path}:8",
        "ping_interval": f"{path}:12",
    }


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("a = 1", {("a",): 1}),
        ("\r\n[a]\r\nb = 1\r\n", {("a",): 2, ("a", "b"): 3}),
        (
            "[a.b]\nc.d = 1\n'e.f' = 2",
            {("a", "b"): 1, ("a", "b", "c"): 2, ("a", "b", "c", "d"): 2, ("a", "b", "e.f"): 3},
        ),
        ("\na = {b = 1, c = {d = 2}}", {("a",): 2, ("a", "b"): 2, ("a", "c"): 2, ("a", "c", "d"): 2}),
        ("[[a]]\nb = 1\n[[a]]\nb = 2", {("a",): 1, ("a", "b"): 4}),
        ('a = """\n[b]\nc = 1\n"""\nd = [\n\n1]', {("a",): 1, ("d",): 5}),
    ],
)
def test_lines_are_found_in_every_form_of_toml(text: str, lines: dict[tuple[str, ...], int]) -> None:
    assert locate(text) == lines


def test_a_long_array_is_parsed_fast(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding its last line must not be quadratic: that took 9 s for 2,000 lines."""
    tried: list[str] = []
    loads = tomllib.loads

    def counted(text: str) -> dict[str, Any]:
        tried.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    entries = "\n".join(f'  "https://shop{number}.example.com",' for number in range(2_000))
    config = load({"config": str(write(f"[engineio]\norigin = [\n{entries}\n]\nmax_packets = 7\n"))}, {})
    assert (len(config.engineio.origin), config.origins["max_packets"][-5:]) == (2_000, ":2004")
    assert len(tried) < 10


def test_the_environment_outranks_the_file_and_flags_outrank_both(write: Write) -> None:
    path = write('[listen]\nhost = "::1"\nport = 1\n[store]\ndb = "file.db"\n[log]\nlog_level = "error"\n')
    environ = {"CHATD_PORT": "2", "CHATD_DB": "variable.db", "CHATD_CONFIG": str(path)}
    config = load({"port": "3"}, environ, own={"db": "own.db", "log_level": "debug", "cookie": "own"}, own_origin="dev")
    assert (config.listen.host, config.listen.port, config.store.db) == (("::1",), 3, "variable.db")
    assert (config.log.log_level, config.auth.cookie) == ("error", "own")
    names = ("host", "port", "db", "log_level", "cookie", "path")
    origins = [f"{path}:2", "--port", "CHATD_DB", f"{path}:7", "dev", "default"]
    assert [config.origins[name] for name in names] == origins


def test_the_flag_for_the_file_outranks_the_variable(write: Write) -> None:
    path = write("[listen]\nport = 1\n")
    assert load({"config": str(path)}, {"CHATD_CONFIG": "/nonexistent"}).listen.port == 1


def test_without_a_configured_file_none_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write("[listen]\nport = 1\n").parent)
    assert load(NONE, {"CHATD_CONFIG": ""}) == Config()


def test_every_setting_can_stand_in_the_file(write: Write) -> None:
    """Writes each default that TOML can express."""
    tables: dict[str, list[str]] = {}
    for option in OPTIONS:
        if option.default not in (None, ()):
            shown = toml(option.default)
            tables.setdefault(option.part, []).append(f"{option.name} = {shown}")
    text = "\n".join(f"[{part}]\n" + "\n".join(lines) for part, lines in tables.items())
    path = write(text)
    config = load({"config": str(path)}, NONE)
    assert config == Config()
    assert sum(origin.startswith(f"{path}:") for origin in config.origins.values()) == text.count("=")


def test_a_key_from_flag_or_environment_outranks_the_file(write: Write) -> None:
    path = write('[auth]\njwt_secret_file = ["a", "kid=b"]\njwt_public_key_file = "c"\n')
    auth = load({"config": str(path)}, NONE).auth
    assert (auth.jwt_secret_file, auth.jwt_public_key_file) == ((Path("a"), Path("kid=b")), (Path("c"),))
    for flags, environ in (({}, {"CHATD_JWT_SECRET": "x"}), ({"jwt_secret_file": "y"}, {})):
        auth = load({"config": str(path), **flags}, environ).auth
        assert Path("a") not in auth.jwt_secret_file
        assert auth.jwt_public_key_file == ()


MISTAKES: list[tuple[str, int, str]] = [
    ("[lisen]\n", 1, "there is no table [lisen]; did you mean [listen]?"),
    ("[listen]\n\nprot = 1", 3, "there is no setting prot in [listen]; did you mean port?"),
    ("[listen]\ncookie = 'x'", 2, "there is no setting cookie in [listen]; it belongs to [auth]"),
    ("[engineio]\nping_interval_s = 1", 2, "did you mean ping_interval?"),
    ("[engineio]\nping-interval = 1", 2, "did you mean ping_interval?"),
    ("[engineio]\nzzzzzzzz = 1", 2, "there is no setting zzzzzzzz in [engineio]; see chatd config --default"),
    ("\nport = 1", 2, "port belongs to a table: write it below a line [listen]"),
    ("prot = 1", 1, "there is no setting prot; did you mean port?"),
    ("listen = 1", 1, "[listen] is a table"),
    ("[[listen]]\nport = 1", 1, "[listen] is a table"),
]

BAD_VALUES: list[tuple[str, int, str]] = [
    ("[listen]\nport = 99999", 2, "port: 99999 from {} is not a whole number from 0 to 65535"),
    ("[listen]\nport = '1'", 2, "port: '1' from {} is not a whole number from 0 to 65535"),
    ("[listen]\nport = 1.0", 2, "port: 1.0 from {} is not a whole number"),
    ("[listen]\nport = true", 2, "port: true from {} is not a whole number"),
    ("[listen]\nport = 2020-01-01", 2, "port: 2020-01-01 from {} is not a whole number"),
    ("[listen]\nport = []", 2, "port: [] from {} is not a whole number"),
    ("[listen]\nhost = 1", 2, "host: 1 from {} is not a text that is not empty"),
    ("[listen]\nhost = ''", 2, "host: '' from {} is not a text that is not empty"),
    ("[listen]\ntcp = 'yes'", 2, "tcp: 'yes' from {} is not true or false"),
    ("[listen]\ntcp = 1", 2, "tcp: 1 from {} is not true or false"),
    ("[engineio]\nping_timeout = nan", 2, "ping_timeout: nan from {} is not a number from 0.01 to 3600"),
    ("[engineio]\nping_timeout = 1" + "0" * 400, 2, "is not a number from 0.01 to 3600"),
    ("[engineio]\norigin = ['https://a', 1]", 2, "origin: 1 from {} is not a text"),
    ("[log]\nlog_level = 'loud'", 2, "log_level: 'loud' from {} is not one of debug, info, warning, error"),
    ("[auth]\njwt_secret = 12345", 2, "jwt_secret: the value from {} is not a text"),
]


@pytest.mark.parametrize(("text", "line", "message"), MISTAKES)
def test_an_unknown_name_is_reported_with_its_line_and_the_nearest_name(
    write: Write, text: str, line: int, message: str
) -> None:
    path = write(text)
    (problem,) = read(path).problems
    assert problem.startswith(f"{path}:{line}: ")
    assert message in problem


@pytest.mark.parametrize(("text", "line", "message"), BAD_VALUES)
def test_a_bad_value_is_reported_with_its_line_and_the_range(write: Write, text: str, line: int, message: str) -> None:
    path = write(text)
    path.chmod(0o600)
    (problem,) = read(path).problems
    assert message.format(f"{path}:{line}") in problem


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[listen]\nport = \n", 2, "this is no TOML: Invalid value (column 8)"),
        ("[listen]\nport = 1\nport = 2", 3, "this is no TOML: Cannot overwrite a value"),
        ("[listen\n", 1, "this is no TOML"),
        ("a = [\n\n", 3, "this is no TOML"),
        ("a = " + "9" * 5000, 1, "this is no TOML"),
        ("a = " + "[" * 5000, 1, "nested too deeply"),
    ],
)
def test_invalid_toml_is_reported_with_its_line(write: Write, text: str, line: int, message: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


def test_invalid_utf8_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"# a\n# \xff\n")
    with pytest.raises(ConfigError, match=rf"{path}:2: this is no text in UTF-8"):
        read(path)


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"config: cannot read {path}: {why}"):
            read(path)
    (tmp_path / "large").write_bytes(b"#" * 300_000)
    with pytest.raises(ConfigError, match="larger than 262144 bytes"):
        read(tmp_path / "large")


def test_the_first_problem_is_reported_with_the_number_of_problems(write: Write) -> None:
    path = write("[listen]\nport = -1\nprot = 1\n[nonsense]\n")
    with pytest.raises(ConfigError) as caught:
        load({"config": str(path)}, NONE)
    assert str(caught.value).endswith("(and 2 more: see chatd check)")


def test_a_conflict_of_several_settings_has_a_line_too(write: Write) -> None:
    path = write("[listen]\ntls_port = 8443\n")
    with pytest.raises(ConfigError) as caught:
        load({"config": str(path)}, NONE)
    assert str(caught.value).endswith(f"({path}:2)")


def test_a_secret_in_a_world_readable_file_is_refused(write: Write) -> None:
    path = write('[auth]\njwt_secret = "hush"\n')
    path.chmod(0o644)
    (problem,) = read(path).problems
    assert problem.startswith(f"{path}:2: jwt_secret is a secret")
    assert "hush" not in problem
    path.chmod(0o640)
    assert read(path).values == {"jwt_secret": "hush"}


@settings(max_examples=50)
@given(raw=st.binary(max_size=60) | st.text(alphabet="[]=\"'\n ablist.#1{},", max_size=40).map(str.encode))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(raw)
    with contextlib.suppress(ConfigError):
        file: Any = read(path)
        assert isinstance(file, ConfigFile)
