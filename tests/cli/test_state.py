from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.cli.state import StateFolder, state_folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folder_and_secret_are_created_once_and_private(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "a" / "chatd")
    state.prepare()
    secret = state.secret_file.read_bytes()
    assert len(secret.strip()) >= 32
    assert (mode(state.path), mode(state.secret_file)) == (0o700, 0o600)
    assert list(state.path.iterdir()) == [state.secret_file]
    state.prepare()
    assert state.secret_file.read_bytes() == secret


def test_a_world_readable_secret_is_made_private(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.prepare()
    state.secret_file.chmod(0o644)
    state.prepare()
    assert mode(state.secret_file) == 0o600


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o755)
    (tmp_path / "mine").chmod(0o755)
    StateFolder(tmp_path / "mine").prepare()
    assert mode(tmp_path / "mine") == 0o755


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(ConfigError, match=r"can be written by other users: .* a folder of your own"):
        StateFolder(tmp_path).prepare()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["jwt-secret", "chatd.db", "chatd.db-wal"])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, name: str) -> None:
    state = StateFolder(tmp_path)
    state.prepare()
    (tmp_path / name).touch()
    (tmp_path / name).chmod(0o666)
    with pytest.raises(ConfigError, match=f"{name} can be written by other users"):
        state.prepare()


@pytest.mark.parametrize("name", ["jwt-secret", "chatd.db", "chatd.db-wal"])
def test_a_symbolic_link_is_refused(tmp_path: Path, name: str) -> None:
    state = StateFolder(tmp_path / "state")
    state.prepare()
    (tmp_path / "planted").write_bytes(b"x" * 48)
    (tmp_path / "state" / name).unlink(missing_ok=True)
    (tmp_path / "state" / name).symlink_to(tmp_path / "planted")
    with pytest.raises(ConfigError, match=f"{name} is a link"):
        state.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["", "jwt-secret", "chatd.db"])
def test_a_file_of_another_user_is_refused(tmp_path: Path, name: str) -> None:
    state = StateFolder(tmp_path)
    state.prepare()
    state.database.touch()
    os.chown(tmp_path / name, 12345, -1)
    with pytest.raises(ConfigError, match=r"belongs to another user \(12345\)"):
        state.prepare()


def test_two_concurrent_starts_keep_one_secret(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    start = threading.Barrier(8)
    seen: list[bytes] = []

    def prepare() -> None:
        start.wait()
        state._make_secret()
        seen.append(state.secret_file.read_bytes())

    threads = [threading.Thread(target=prepare) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert list(tmp_path.iterdir()) == [state.secret_file]


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--state: cannot use"):
        StateFolder(tmp_path / "file" / "chatd").prepare()


@pytest.mark.parametrize(
    ("given", "environ", "path"),
    [
        (Path("/x/y"), {"XDG_STATE_HOME": "/z"}, Path("/x/y")),
        (Path("x"), {}, Path.cwd() / "x"),
        (None, {"XDG_STATE_HOME": "/z"}, Path("/z/chatd")),
        (None, {"XDG_STATE_HOME": "z"}, Path.home() / ".local/state/chatd"),
        (None, {"XDG_STATE_HOME": ""}, Path.home() / ".local/state/chatd"),
        (None, {}, Path.home() / ".local/state/chatd"),
    ],
)
def test_the_folder_is_the_given_one_or_that_of_the_xdg_specification(
    given: Path | None, environ: dict[str, str], path: Path
) -> None:
    assert state_folder(given, environ).path == path
