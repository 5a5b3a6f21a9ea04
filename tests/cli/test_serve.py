"""What `chatd serve` refuses before it opens anything. That it serves is for the tests of the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from tests.cli.command import chatd, complaint

SECRET = "a secret of forty bytes, for tests alone"


def test_without_a_secret_it_says_what_to_give() -> None:
    line = complaint(chatd("serve"), EXIT_CONFIG)
    assert "--jwt-secret-file FILE" in line
    assert "CHATD_JWT_SECRET" in line
    assert "openssl rand -hex 32" in line


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ([], {"CHATD_JWT_SECRET": "x" * 31}, "CHATD_JWT_SECRET: the secret has 31 bytes, HS256 needs at least 32"),
        ([], {"CHATD_JWT_SECRET": ""}, "no secret"),
        (["--jwt-secret-file", "/nonexistent/f"], {}, "/nonexistent/f: No such file"),
        (["--jwt-secret-file", "/dev/null"], {}, "no regular file"),
        (["--jwt-public-key-file", "/nonexistent/f"], {}, "/nonexistent/f: No such file"),
        (["--jwt-algorithm", "RS256"], {"CHATD_JWT_SECRET": SECRET}, "RS256 needs --jwt-public-key-file"),
        (["--jwt-algorithm", "none"], {"CHATD_JWT_SECRET": SECRET}, "jwt_algorithm: 'none' from --jwt-algorithm"),
        (["--port", "65536"], {"CHATD_JWT_SECRET": SECRET}, "port: '65536' from --port is not"),
        (["--port", "1"], {"CHATD_PORTT": "1", "CHATD_JWT_SECRET": SECRET}, "did you mean CHATD_PORT?"),
        ([], {"CHATD_LOG_FORMAT": "xml", "CHATD_JWT_SECRET": SECRET}, "is not one of auto, text, json"),
        (["--cookie", "a b"], {"CHATD_JWT_SECRET": SECRET}, "no name for a cookie"),
    ],
)
def test_a_wrong_configuration_is_told_in_one_line(arguments: list[str], variables: dict[str, str], said: str) -> None:
    assert said in complaint(chatd("serve", *arguments, **variables), EXIT_CONFIG)


def test_a_wrong_file_is_told_in_one_line_with_its_own(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    path.write_text("[listen]\nprt = 1\n")
    said = f"{path}:2: there is no setting prt in [listen]; did you mean port?"
    assert said in complaint(chatd("serve", "--config", path, CHATD_JWT_SECRET=SECRET), EXIT_CONFIG)
    assert said in complaint(chatd("serve", CHATD_CONFIG=str(path), CHATD_JWT_SECRET=SECRET), EXIT_CONFIG)


def test_a_short_secret_in_a_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    line = complaint(chatd("serve", "--jwt-secret-file", tmp_path / "secret"), EXIT_CONFIG)
    assert "has 4 bytes" in line
    assert "hush" not in line


def test_help_has_the_settings_of_every_part() -> None:
    done = chatd("serve", "--help")
    assert done.returncode == 0
    for flag in ("--host", "--port", "--db", "--path", "--cookie", "--origin", "--ping-interval", "--log-format"):
        assert f"\n  {flag} " in done.stdout
    assert "CHATD_JWT_SECRET (no flag)" in done.stdout
