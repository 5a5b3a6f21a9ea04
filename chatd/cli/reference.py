"""Pages of settings: a file with all defaults, the current settings, and the table of the documentation. Pure.

They are generated from the declarations of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from chatd.daemon.config import DEFAULT, OPTIONS, TITLES, Config
from chatd.settings.options import Option

MASK: Final = "(masked)"

_WIDTH: Final = 100


def default_file() -> str:
    """A file that changes nothing: every setting with its help, its range and its default, as comments."""
    lines = ["# Settings of chatd. Remove the first # of a line to set it; a flag or a CHATD_ variable overrides it."]
    for part, title in TITLES.items():
        lines += ["", "", f"# {title}", f"[{part}]"]
        for option in _of(part):
            lines += ["", *_wrapped(f"{_sentence(option)} {_facts(option)}"), f"# {option.name} = {_example(option)}"]
    return "\n".join(lines) + "\n"


def effective_file(config: Config, *, changed_only: bool = False) -> str:
    """The configuration as a file, with the origin of each value. Settings without a value and secrets are comments."""
    parts = [_effective_part(config, part, changed_only) for part in TITLES]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown() -> str:
    """The table of each part, for README.md."""
    pages = []
    for part, title in TITLES.items():
        rows = [f"| {' | '.join(_cells(option))} |" for option in _of(part)]
        head = ["| key | default | values | what it does |", "|---|---|---|---|"]
        pages.append("\n".join([f"**`[{part}]`** {title}", "", *head, *rows]))
    return "\n\n".join(pages) + "\n"


def toml(value: object) -> str:
    """A value in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _of(part: str) -> Iterator[Option]:
    return (option for option in OPTIONS if option.part == part)


def _effective_part(config: Config, part: str, changed_only: bool) -> str:
    lines = []
    for option in _of(part):
        origin = config.origins.get(option.name, DEFAULT)
        if not changed_only or origin != DEFAULT:
            lines.append((_assignment(option, getattr(getattr(config, part), option.field)), origin))
    width = min(_WIDTH // 2, max((len(line) for line, _ in lines), default=0))
    return "\n".join([f"[{part}]", *(f"{line:{width}}  # {origin}" for line, origin in lines)]) if lines else ""


def _assignment(option: Option, value: object) -> str:
    if value is None:
        return f"# {option.name} ="
    if option.about.secret:
        return f'# {option.name} = "{MASK}"'
    return f"{option.name} = {toml(value)}"


def _sentence(option: Option) -> str:
    text = option.about.help
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _facts(option: Option) -> str:
    """The allowed values of a setting, and the names of its variable and flag."""
    values = f"Values: {_values(option)}."
    live = " Taken over at SIGHUP." if option.about.live else ""
    return f"{values}{live} {option.variable}{f', {option.flag}' if option.flag else ', no flag'}."


def _values(option: Option) -> str:
    words = option.expected
    if option.unit and option.kind in {int, float}:
        words = f"{words}, in {option.unit}"
    return f"any number of: {words}" if option.repeatable else words


def _example(option: Option) -> str:
    """The default, or without one an example of the right type."""
    if option.default is not None:
        return toml(option.default)
    if option.about.secret:
        return toml("...")
    if option.kind in {int, float}:
        return toml(int(option.about.minimum or 0))
    return toml("FILE" if option.kind is Path else "...")


def _cells(option: Option) -> Iterator[str]:
    yield f"`{option.name}`"
    yield "" if option.default in {None, "", ()} else f"`{toml(option.default)}`"
    values = _values(option)
    yield _escaped(values)
    yield _escaped(option.about.help + ("; live" if option.about.live else ""))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _wrapped(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line
