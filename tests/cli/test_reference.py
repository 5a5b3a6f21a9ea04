from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.cli.reference import default_file, effective_file, markdown, toml
from chatd.daemon.config import OPTIONS, PARTS, Config, load
from tests.reference import README, with_reference

NONE: dict[str, str] = {}


def test_the_readme_has_the_current_reference() -> None:
    page = README.read_text(encoding="utf-8")
    assert page == with_reference(page), "run: make reference"


def test_the_default_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    path.write_text(default_file())
    assert load({"config": str(path)}, NONE) == Config()
    assert list(tomllib.loads(default_file())) == list(PARTS)


def test_the_default_file_with_every_line_uncommented_has_every_default(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    key = re.compile(r"^# (?=[a-z_]+ = )", re.MULTILINE)
    text = key.sub("", default_file())
    path.write_text(text)
    tables = tomllib.loads(text)
    for option in OPTIONS:
        written = tables[option.part].pop(option.name)
        if option.default is not None:
            assert option.take(written, "x") == option.default, option.name
    assert not any(tables.values())


def test_every_setting_has_help_range_variable_and_flag() -> None:
    words = " ".join(default_file().replace("\n#", "\n").split())
    table = markdown()
    for option in OPTIONS:
        assert option.about.help[1:].rstrip(".") in words
        assert option.expected in words
        assert option.variable in words
        assert f"\n| `{option.name}` | " in table
        if option.flag:
            assert option.flag in words


def test_every_row_of_the_reference_has_four_cells() -> None:
    for line in markdown().splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5, line


def test_the_printed_settings_are_a_file_with_the_same_settings(tmp_path: Path) -> None:
    flags = {"port": "1", "origin": ["https://a.example", 'https://b"'[:-1]], "message_rate": "0.5", "tcp": "false"}
    config = load({**flags, "unix": 'a "b"\\c'}, {"CHATD_DENY_FILE": "ñ"})
    path = tmp_path / "chatd.toml"
    path.write_text(effective_file(config), encoding="utf-8")
    assert load({"config": str(path)}, NONE) == config


def test_each_value_has_its_source(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    path.write_text("[listen]\nport = 1\n")
    config = load({"config": str(path), "cookie": "c"}, {"CHATD_HOST": "::1"})
    shown = {" ".join(line.split()) for line in effective_file(config).splitlines()}
    assert f"port = 1 # {path}:2" in shown
    assert 'host = ["::1"] # CHATD_HOST' in shown
    assert 'cookie = "c" # --cookie' in shown
    assert "tcp = true # default" in shown
    changed = effective_file(config, changed_only=True)
    assert [line.split()[0] for line in changed.splitlines() if line] == [
        "[listen]",
        "host",
        "port",
        "[auth]",
        "cookie",
    ]


def test_a_secret_is_not_printed() -> None:
    text = effective_file(load(NONE, {"CHATD_JWT_SECRET": "hush"}))
    assert "hush" not in text
    assert '# jwt_secret = "(masked)"' in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (3, "3"), (0.5, "0.5"), (1e22, "1e+22"), ("a", '"a"'), (Path("a/b"), '"a/b"'), (("a",), '["a"]')],
)
def test_values_are_written_as_toml(value: object, text: str) -> None:
    assert toml(value) == text


@given(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
)
def test_a_written_value_is_read_back(value: object) -> None:
    assert tomllib.loads(f"a = {toml(value)}")["a"] == value
