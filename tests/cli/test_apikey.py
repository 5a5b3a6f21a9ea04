"""`chatd apikey new`."""

from __future__ import annotations

from pathlib import Path

from chatd.api.keys import Scope, digest_of, load_keys
from chatd.cli import EXIT_CONFIG, EXIT_USAGE
from tests.cli.command import chatd


def test_a_key_is_printed_once_and_only_its_digest_is_stored(tmp_path: Path) -> None:
    """A-02"""
    path = tmp_path / "keys"
    path.write_text("# no line end")
    scopes = ("--scope", "send", "--scope", "read")
    keys = [chatd("apikey", "new", name, *scopes, "--api-keys-file", path).stdout for name in ("shop", "crm")]
    found = load_keys(path)
    assert [found[digest_of(key.strip())].name for key in keys] == ["shop", "crm"]
    assert found[digest_of(keys[0].strip())].scopes == {Scope.SEND, Scope.READ}
    assert not any(key.strip() in path.read_text() for key in keys)
    assert path.read_text().startswith("# no line end\n")


def test_a_new_file_of_keys_is_not_world_readable(tmp_path: Path) -> None:
    """A-02"""
    path = tmp_path / "keys"
    assert chatd("apikey", "new", "shop", "--scope", "send", "--api-keys-file", path).returncode == 0
    assert path.stat().st_mode & 0o007 == 0


def test_a_used_or_invalid_name_is_refused(tmp_path: Path) -> None:
    """A-02"""
    path = tmp_path / "keys"
    chatd("apikey", "new", "shop", "--scope", "send", "--api-keys-file", path)
    before = path.read_text()
    for name in ("shop", "a b", ""):
        done = chatd("apikey", "new", name, "--scope", "send", "--api-keys-file", path)
        assert (done.returncode, done.stdout) == (EXIT_CONFIG, "")
    assert path.read_text() == before
    assert chatd("apikey", "new", "crm", "--scope", "send").returncode == EXIT_USAGE
