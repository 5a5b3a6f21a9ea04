"""`chatd config`; the contents of its pages are tested in test_reference.py."""

from __future__ import annotations

import tomllib
from pathlib import Path

from chatd.cli import EXIT_CONFIG, EXIT_USAGE
from chatd.cli.reference import default_file, markdown
from tests.cli.command import chatd, complaint


def test_config_prints_the_effective_settings_and_masks_secrets(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    path.write_text("[chat]\nmessage_rate = 3\n")
    done = chatd("config", "--config", path, "--port", "1", CHATD_JWT_SECRET="hush")
    assert (done.returncode, done.stderr) == (0, "")
    tables = tomllib.loads(done.stdout)
    assert (tables["listen"]["port"], tables["chat"]["message_rate"]) == (1, 3.0)
    assert f"# {path}:2\n" in done.stdout
    assert "# --port\n" in done.stdout
    assert "hush" not in done.stdout
    assert tomllib.loads(chatd("config", "--changed", "--config", path).stdout) == {"chat": {"message_rate": 3.0}}


def test_config_prints_defaults_and_reference_independent_of_settings() -> None:
    assert chatd("config", "--default", CHATD_PORT="x").stdout == default_file()
    assert chatd("config", "--reference").stdout == markdown()
    assert "not allowed with" in complaint(chatd("config", "--default", "--reference"), EXIT_USAGE)


def test_an_invalid_setting_has_the_error_of_the_daemon() -> None:
    assert "did you mean CHATD_PORT?" in complaint(chatd("config", CHATD_PROT="1"), EXIT_CONFIG)
