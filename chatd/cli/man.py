"""`chatd man`: the manual page, made from the parsers: roff on stdout.

https://man7.org/linux/man-pages/man7/groff_man.7.html
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Final

from chatd import __version__
from chatd.cli.described import Argument, Verb, verbs

EPILOG: Final = "Read it at once: chatd man | man -l -    Install it: chatd man > /usr/local/share/man/man1/chatd.1"

HEAD: Final = r"""
.TH CHATD 1 "" "chatd {version}" "User Commands"
.SH NAME
chatd \- a support-chat daemon that speaks Socket.IO v4
.SH SYNOPSIS
.B chatd
.I VERB
.RI [ ARGUMENTS ]
.SH DESCRIPTION
One small process and one SQLite file. Every admin sees the messages of users, an admin's answer is sent only to that
user, and an acknowledged message is on disk. Every setting is a flag, a variable CHATD_* and a key of the file that
\-\-config names; a flag overrides a variable, and a variable overrides the file.
.SH VERBS
"""

TAIL: Final = r"""
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
it failed while running, or what was asked for is not there
.TP
.B 2
the command line is wrong
.TP
.B 78
the configuration is wrong
.SH SIGNALS
.TP
.B SIGTERM, SIGINT
store and acknowledge accepted messages, disconnect all clients, then exit; a second signal exits at once
.TP
.B SIGHUP
read keys, deny list, certificate and all settings marked as live again: all of them or none
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(page())
    return 0


def page() -> str:
    sections = [line for verb in verbs() for line in _section(verb)]
    return HEAD.format(version=__version__).lstrip() + "\n".join(sections) + TAIL


def _section(verb: Verb) -> Iterator[str]:
    yield f".SS chatd {_roff(verb.name)}"
    yield _roff(f"{verb.summary[0].upper()}{verb.summary[1:]}.")
    for argument in verb.arguments:
        yield ".TP"
        yield f".B {_roff(_shown(argument))}"
        yield _roff(argument.help) or r"\&"
    if verb.epilog:
        yield from (".PP", ".nf", *map(_roff, verb.epilog.rstrip().splitlines()), ".fi")


def _shown(argument: Argument) -> str:
    return " ".join(filter(None, [", ".join(argument.flags), argument.metavar]))


def _roff(text: str) -> str:
    r"""`text` escaped for roff, so that it has no escape sequences and no request at the start of a line."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
