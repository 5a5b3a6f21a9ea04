from __future__ import annotations

import argparse
import re

from chatd.cli.arguments import Parser, add_settings, given_settings
from chatd.daemon.config import OPTIONS, TITLES


def parser() -> argparse.ArgumentParser:
    made = Parser(prog="chatd")
    add_settings(made)
    return made


def test_help_has_every_flag_and_variable_under_the_title_of_its_part() -> None:
    text = parser().format_help()
    groups = {part: text.index(f"\n{TITLES[part]}:\n") for part in {option.part for option in OPTIONS}}
    words = " ".join(text.split())
    for option in OPTIONS:
        assert option.variable in words
        if option.flag:
            (line,) = re.finditer(rf"\n  {option.flag}\s", text)
            assert line.start() > groups[option.part]


def test_only_flags_on_the_command_line_are_returned() -> None:
    assert given_settings(parser().parse_args([])) == {}
    line = ["--port", "1", "--origin", "a", "--origin=b", "--no-bearer-token", "--auth-token", "--ping-interval=-1"]
    assert given_settings(parser().parse_args(line)) == {
        "port": "1",
        "origin": ["a", "b"],
        "bearer_token": "false",
        "auth_token": "true",
        "ping_interval": "-1",
    }


def test_the_arguments_of_a_verb_are_no_settings() -> None:
    made = parser()
    made.add_argument("--user")
    assert given_settings(made.parse_args(["--user", "maria"])) == {}


def test_only_wanted_settings_have_flags() -> None:
    made = Parser(prog="chatd")
    add_settings(made, lambda option: option.name == "port")
    assert given_settings(made.parse_args(["--port", "1"])) == {"port": "1"}
    assert "--host" not in made.format_help()
