"""The file of API keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.api.keys import Key, Scope, digest_of, load_keys, new_key
from chatd.base.errors import ConfigError


def test_a_key_is_found_by_its_digest_alone(tmp_path: Path) -> None:
    """A-02"""
    key = new_key()
    entry = Key("tienda", frozenset({Scope.SEND, Scope.READ}), digest_of(key))
    path = tmp_path / "keys"
    path.write_text(f"# the shop\n\n  {entry.line()}  \n")
    assert load_keys(path) == {digest_of(key): entry}
    assert key not in path.read_text()


def test_every_new_key_is_different() -> None:
    """A-02"""
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {len("chatd_") + 43}


@pytest.mark.parametrize(
    "line",
    [
        "chatd_a-key-that-was-pasted-here",
        "tienda send",
        "tienda send sha256:abc",
        f"tienda fly sha256:{'0' * 64}",
        f"ti!nda send sha256:{'0' * 64}",
        f"tienda send md5:{'0' * 64}",
    ],
)
def test_an_error_names_the_line_number_of_a_bad_key_without_quoting_it(tmp_path: Path, line: str) -> None:
    """A-02"""
    path = tmp_path / "keys"
    path.write_text(f"# one\n{line}\n")
    with pytest.raises(ConfigError, match=r"^api_keys_file: .*, line 2: ") as caught:
        load_keys(path)
    assert line not in str(caught.value)


@pytest.mark.parametrize("twice", ["tienda send sha256:" + "1" * 64, "caja send sha256:" + "0" * 64])
def test_a_duplicate_name_or_key_is_refused(tmp_path: Path, twice: str) -> None:
    """A-02"""
    path = tmp_path / "keys"
    path.write_text(f"tienda send sha256:{'0' * 64}\n{twice}\n")
    with pytest.raises(ConfigError, match="line 2: the name or the key is there twice"):
        load_keys(path)
