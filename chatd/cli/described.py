"""The command line as data, for whatever is generated from it: completions and the manual page."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

from chatd.cli import VERBS, parser_of


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """A flag, or a positional argument (`flags` is empty)."""

    flags: Sequence[str]
    metavar: str
    """Empty for a flag that takes no value."""
    help: str
    choices: Sequence[str]

    @property
    def takes_file(self) -> bool:
        return self.metavar in {"FILE", "DIR", "PATH"}


@dataclasses.dataclass(frozen=True, slots=True)
class Verb:
    name: str
    summary: str
    arguments: Sequence[Argument]
    epilog: str


def verbs() -> list[Verb]:
    """Every verb of the command line, with all its arguments."""
    parser = parser_of(VERBS)
    [subparsers] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse has no other way to ask
    return [
        Verb(name, VERBS[name], [_argument(action) for action in one._actions if _is_shown(action)], one.epilog or "")  # noqa: SLF001
        for name, one in subparsers.choices.items()
    ]


def _is_shown(action: argparse.Action) -> bool:
    return action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)  # noqa: SLF001


def _argument(action: argparse.Action) -> Argument:
    metavar = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    choices = [str(choice) for choice in action.choices or ()]
    return Argument(action.option_strings, metavar, (action.help or "").replace("%%", "%"), choices)
