from __future__ import annotations

from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.settings.passwords import read_password


def test_a_password_is_read_without_the_final_line_break(tmp_path: Path) -> None:
    """P-03, N-02: spaces are kept"""
    file = tmp_path / "password"
    file.write_bytes(b" se\xc3\xb1al \r\n")
    assert read_password(file, "db_password_file") == " señal "
    assert read_password(None, "db_password_file") is None


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named_with_its_setting(tmp_path: Path, content: bytes | None) -> None:
    """P-02, N-02"""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^bus_password_file: .*{file}"):
        read_password(file, "bus_password_file")
