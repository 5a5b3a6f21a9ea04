"""Flags, made from the settings that the parts declare."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NoReturn

from chatd.daemon.config import FILE_SETTING, OPTIONS, TITLES, Raw, did_you_mean
from chatd.settings.options import Option

_PREFIX: Final = "setting:"  # keeps a verb's own arguments and the settings apart


class UsageError(Exception):
    """The command line is wrong; the message says why."""


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations, with one-line errors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown, f"{self.prog} {getattr(parsed, 'verb', '')}".strip())
        return parsed

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")

    def flags(self) -> Iterator[str]:
        """The long flags of this parser and of its verbs."""
        for action in self._actions:
            yield from (flag for flag in action.option_strings if flag.startswith("--"))
            if isinstance(action.choices, dict):  # verbs
                for verb in action.choices.values():
                    yield from verb.flags()

    def _refuse(self, unknown: Sequence[str], command: str) -> NoReturn:
        """Raise UsageError for unknown arguments. Values of flags are not printed, because they may be secrets."""
        flags = [argument.partition("=")[0] for argument in unknown if argument.startswith("-")]
        if not flags:
            self.error(f"unexpected argument: {unknown[0]}")
        near = did_you_mean(flags[0], self.flags(), f"{command} --help")
        raise UsageError(f"unknown flag: {flags[0]}{near}")


def every_setting(_: Option) -> bool:
    """The default filter of `add_settings`: all settings."""
    return True


def add_settings(
    parser: argparse.ArgumentParser, wanted: Callable[[Option], bool] = every_setting, *, file: bool = True
) -> None:
    """Add a flag for every wanted setting, grouped by part, and with `file` the flag --config."""
    if file:
        _add_file(parser)
    options = [option for option in OPTIONS if wanted(option)]
    for part, title in TITLES.items():
        mine = [option for option in options if option.part == part]
        group = parser.add_argument_group(title) if mine else None
        for option in mine:
            if group is not None:
                _add(group, option)


def given_settings(args: argparse.Namespace) -> dict[str, Raw]:
    """The settings given on the command line, for `chatd.daemon.config.load`."""
    return {
        name.removeprefix(_PREFIX): value
        for name, value in vars(args).items()
        if name.startswith(_PREFIX) and value is not None
    }


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        f"--{FILE_SETTING}",
        dest=_PREFIX + FILE_SETTING,
        metavar="FILE",
        help="file with settings (TOML; see chatd config --default); variables and flags override it (CHATD_CONFIG)",
    )


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    dest = _PREFIX + option.name
    text = _help(option)
    if option.flag is None:
        group.description = "\n".join(filter(None, [group.description, f"{option.variable} (no flag): {text}"]))
    elif option.kind is bool:
        group.add_argument(option.flag, dest=dest, action="store_const", const="true", help=text)
        group.add_argument(f"--no-{option.flag[2:]}", dest=dest, action="store_const", const="false", help="... or not")
    elif option.repeatable:
        group.add_argument(option.flag, dest=dest, action="append", metavar=option.metavar, help=text)
    else:
        group.add_argument(option.flag, dest=dest, metavar=option.metavar, help=text)


def _help(option: Option) -> str:
    ranged = option.about.choices or option.about.minimum is not None or option.about.maximum is not None
    facts = [
        *([option.expected] if ranged else []),
        *([f"default {_shown(option.default)}"] if option.default not in {None, "", ()} else []),
        *([option.variable] if option.flag else []),
    ]
    text = f"{option.about.help} ({'; '.join(facts)})" if facts else option.about.help
    return text.replace("%", "%%")


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float):
        return f"{default:.15g}"
    if isinstance(default, Sequence) and not isinstance(default, str):
        return ", ".join(map(str, default))
    return str(default)
