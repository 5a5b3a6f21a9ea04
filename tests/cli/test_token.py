from __future__ import annotations

import argparse
import time
from pathlib import Path

import pytest

from chatd.auth.config import AuthConfig
from chatd.auth.identity import Identity
from chatd.auth.keys import load_keys
from chatd.auth.verify import Verifier
from chatd.cli import EXIT_CONFIG, EXIT_USAGE
from chatd.cli.token import ttl_s
from tests.cli.command import chatd, complaint

SECRET = "a secret of forty bytes, for tests alone"


def identity(token: str, config: AuthConfig | None = None) -> Identity:
    config = config or AuthConfig(jwt_secret=SECRET, jwt_leeway_s=0)
    return Verifier(config, load_keys(config), time.time).verify(token)


def test_token_prints_only_the_token() -> None:
    before = time.time()
    done = chatd("token", "--user", "maría", CHATD_JWT_SECRET=SECRET)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    made = identity(done.stdout.strip())
    assert (made.user, made.name, made.rol) == ("maría", "maría", "user")
    assert made.expires_at is not None
    assert before - 1 <= made.expires_at - 8 * 3600 <= time.time()


def test_the_flags_for_secret_file_name_rol_and_ttl(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    line = ["--user", "ana", "--name", "Ana P.", "--rol", "admin", "--ttl", "30s"]
    done = chatd("token", *line, "--jwt-secret-file", tmp_path / "secret", CHATD_JWT_SECRET="x")
    made = identity(done.stdout.strip())
    assert (made.name, made.is_admin) == ("Ana P.", True)
    assert made.expires_at is not None
    assert made.expires_at <= time.time() + 30


def test_the_token_has_the_configured_issuer_and_audience() -> None:
    variables = {"CHATD_JWT_ISSUER": "us", "CHATD_JWT_AUDIENCE": "chat,x", "CHATD_JWT_ALGORITHM": "HS512"}
    done = chatd("token", "--user", "ana", CHATD_JWT_SECRET=SECRET * 2, **variables)
    config = AuthConfig(jwt_secret=SECRET * 2, jwt_issuer="us", jwt_audience=("chat",), jwt_algorithm="HS512")
    assert identity(done.stdout.strip(), config).user == "ana"


def test_the_configuration_file_may_name_the_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "chatd.toml").write_text(f'[auth]\njwt_secret_file = "{tmp_path / "secret"}"\n')
    done = chatd("token", "--user", "ana", "--config", tmp_path / "chatd.toml")
    assert identity(done.stdout.strip()).user == "ana"
    dev = ("token", "--dev", "--state", tmp_path / "state", "--user", "ana")
    assert "goes without --dev" in complaint(chatd(*dev, "--config", "x"), EXIT_USAGE)


def test_the_flag_for_dev_signs_with_the_secret_of_dev(tmp_path: Path) -> None:
    done = chatd("token", "--dev", "--user", "ana", XDG_STATE_HOME=str(tmp_path), CHATD_JWT_SECRET=SECRET)
    config = AuthConfig(jwt_secret_file=(tmp_path / "chatd" / "jwt-secret",))
    assert identity(done.stdout.strip(), config).user == "ana"
    again = chatd("token", "--dev", "--state", tmp_path / "chatd", "--user", "ana")
    assert identity(again.stdout.strip(), config).user == "ana"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--user"),
        (["--user", "a", "--ttl", "8"], "write 30s, 15m, 8h or 7d"),
        (["--user", "a", "--state", "x"], "--dev"),
        (["--user", ""], "$.user"),
        (["--user", "a\nb"], "control characters"),
        (["--user", "a", "--rol", ""], "$.rol"),
        (["--user", "a", "--name", ""], "$.name"),
        (["--user", "x" * 129], "$.user"),
    ],
)
def test_an_invalid_command_line_is_an_error(arguments: list[str], said: str) -> None:
    assert said in complaint(chatd("token", *arguments, CHATD_JWT_SECRET=SECRET), EXIT_USAGE)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "--jwt-secret-file FILE"),
        ({"CHATD_JWT_SECRET": "short"}, "at least 32"),
        ({"CHATD_JWT_PUBLIC_KEY_FILE": "/dev/null"}, "cannot sign"),
        ({"CHATD_JWT_SECRET": SECRET, "CHATD_JWT_SECRET_FILE": "/dev/null"}, "keep one of"),
        ({"CHATD_JWT_SECRET": SECRET, "CHATD_JWT_SECRT": "x"}, "did you mean CHATD_JWT_SECRET?"),
    ],
)
def test_an_invalid_configuration_is_an_error(variables: dict[str, str], said: str) -> None:
    assert said in complaint(chatd("token", "--user", "a", **variables), EXIT_CONFIG)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("30s", 30), ("15m", 900), ("8h", 28_800), ("7d", 604_800), ("3650d", 315_360_000)]
)
def test_a_ttl_has_a_unit(text: str, seconds: int) -> None:
    assert ttl_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "8", "h", "0s", "-1s", "1.5h", "8H", "8 h", "08h", "1w", "3651d", "9" * 99 + "s", "٣s"]
)
def test_an_invalid_ttl_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        ttl_s(text)
