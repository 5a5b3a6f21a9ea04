from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.config import AuthConfig
from chatd.auth.deny import DenyList, load_deny_list
from chatd.auth.identity import Identity
from chatd.base.errors import ConfigError


def load(folder: Path, content: bytes) -> DenyList:
    (folder / "denied").write_bytes(content)
    return load_deny_list(AuthConfig(deny_file=folder / "denied"))


def test_without_a_file_no_user_is_denied() -> None:
    """C-25"""
    assert load_deny_list(AuthConfig()) == DenyList()


@pytest.mark.parametrize(
    ("content", "jti", "user"),
    [
        (b"", [], []),
        (b"\n\n  \n# jti:x\n  # user:y\n", [], []),
        (b"jti:4fd1\nuser:maria\njti:x", ["4fd1", "x"], ["maria"]),
        (b"jti:4fd1\r\n  user:  maria  \r\n", ["4fd1"], ["maria"]),
        (b"\xef\xbb\xbfuser:maria\n", [], ["maria"]),
        (b"user:a:b\nuser:#1\nuser:a b\n", [], ["a:b", "#1", "a b"]),
        ("user:Mar\u00eda 👩\n".encode(), [], ["María 👩"]),
        (b'user:" maria "\nuser:"\\"x\\""\nuser:"\\u00e1"\n', [], [" maria ", '"x"', "á"]),
        ("user:a\x0bb\u2028c\n".encode(), [], ["a\x0bb\u2028c"]),
        ("user:\u00a0ana\u2003\n".encode(), [], ["\u00a0ana\u2003"]),
        (b"jti:7\n", ["7"], []),
    ],
)
def test_a_file_names_tokens_and_users(tmp_path: Path, content: bytes, jti: list[str], user: list[str]) -> None:
    """C-25"""
    assert load(tmp_path, content) == DenyList(frozenset(jti), frozenset(user))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"user:maria\nmaria\n", "line 2: write jti:ID or user:NAME$"),
        (b"users:maria\n", "line 1"),
        (b"User:maria\n", "line 1"),
        (b"user:\n", "line 1"),
        (b'user:""\n', "line 1"),
        (b'user:"maria\n', "line 1"),
        (b'user:"maria" x\n', "line 1"),
        (b"\xff", "no text in UTF-8"),
        (b"#" * 4_194_305, "larger than 4194304 bytes"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_an_error_names_the_number_of_an_invalid_line(tmp_path: Path, content: bytes, said: str) -> None:
    """C-25, C-27: a typing error must not admit the user that the line means."""
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, content)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """C-25"""
    with pytest.raises(ConfigError, match="deny_file: cannot read"):
        load_deny_list(AuthConfig(deny_file=tmp_path / "nowhere"))


@given(st.binary() | st.text().map(lambda text: f"user:{text}\n".encode("utf-8", "surrogatepass")))
def test_any_file_is_parsed_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """C-25"""
    with contextlib.suppress(ConfigError):
        listed = load(tmp_path_factory.mktemp("any"), content)
        assert "" not in listed.jti | listed.user


@pytest.mark.parametrize(
    ("user", "jti", "denied"),
    [("maria", None, True), ("maria", "y", True), ("eva", "x", True), ("eva", "y", False), ("eva", None, False),
     ("Maria", None, False), ("x", "maria", False)],
)  # fmt: skip
def test_a_token_is_denied_by_user_or_by_jti(user: str, jti: str | None, denied: bool) -> None:
    """C-25"""
    listed = DenyList(jti=frozenset({"x"}), user=frozenset({"maria"}))
    assert listed.denies(Identity(user, "A Name", "user", None, jti)) is denied
