"""The command line: one file per verb, each with `add_arguments(parser)` and `run(args) -> exit code`.

Exit codes: 0 success, 1 failed while running, 2 wrong command line, 78 wrong configuration (EX_CONFIG of sysexits.h).
An error is one line on stderr that says what to do; the daemon writes it in the format of its log.
"""

from __future__ import annotations

import errno
import importlib
import os
import select
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from chatd.base.errors import ChatdError, ConfigError
from chatd.base.form import VERSION
from chatd.base.lean import import_digests
from chatd.cli.arguments import Parser, UsageError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_CONFIG: Final = 78
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT

STDOUT: Final = 1  # the descriptor

# Errors of a disk. With one of these and no file name, writing to stdout has failed.
_OF_A_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

VERBS: Final[Mapping[str, str]] = {
    "serve": "run the daemon",
    "keep": "run the daemon, and keep its sockets open while it is restarted",
    "dev": "run the daemon for this machine only, with its own secret and ready tokens, to try it",
    "token": "print a token",
    "apikey": "make a key for the API, and print it once",
    "webhook": "show the position of webhooks, send events again that were set aside, or send a test event",
    "who": "list who is connected to the daemon on this machine",
    "kick": "end the connections of a user",
    "send": "send a message from an operator to a user",
    "reload": "make the daemon read its configuration and keys again, and print the result",
    "health": "tell by the exit code whether the daemon on this machine answers",
    "tail": "print the messages of users as they arrive",
    "nodes": "list the nodes of a cluster",
    "doctor": "check a deployment from outside, and say what to change",
    "unit": "print a unit for systemd",
    "dashboard": "print the dashboard for Grafana",
    "alerts": "print alert rules for Prometheus",
    "types": "print the events as types for TypeScript",
    "completion": "print the completion script for a shell",
    "man": "print the manual page",
    "backup": "copy the database into a file, also while the daemon runs",
    "restore": "replace the database by a backup, while no daemon runs",
    "export": "print every message as a line of JSON, or write them into a file",
    "import": "read the lines of export into a database, while no daemon runs",
    "history": "print the conversation of a user",
    "replies": "print the canned replies of a team as JSON, or import them from a file",
    "prune": "delete old messages",
    "vacuum": "return the disk space of deleted messages, while no daemon runs",
    "erase": "delete all data of one user from the database, while no daemon runs",
    "clock": "show the clock and the latest time in the database, or confirm that the clock is right",
    "renumber": "give new ids to messages whose ids are far ahead of the clock",
    "check": "check everything that a start depends on, without starting",
    "config": "print the current settings and the origin of each, or a file with all settings",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that `argv` names (the process's own arguments by default); the result is the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    code = _outcome(arguments)
    try:
        print(end="", flush=True)  # flush here: at exit, Python would print an error of several lines
    except OSError as error:
        _discard_output()
        if code == 0 and not isinstance(error, BrokenPipeError):
            return _say(error, EXIT_FAILED, arguments)
    return code


def _outcome(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except SystemExit as stop:  # argparse, after --help, --version or a wrong argument
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except UsageError as error:
        return _say(error, EXIT_USAGE, arguments)
    except ConfigError as error:
        return _say(error, EXIT_CONFIG, arguments)
    except (ChatdError, OSError) as error:
        has_seen_enough = isinstance(error, BrokenPipeError) and _has_no_reader()  # `| head`
        return 0 if has_seen_enough else _say(error, EXIT_FAILED, arguments)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _run(arguments: list[str]) -> int:
    # Import only the module of this verb, so that the daemon does not hold the others in memory.
    args = parser_of({_verb(arguments)}).parse_args(arguments)
    code: int = args.run(args)
    return code


def _verb(arguments: Sequence[str]) -> str:
    return next((argument for argument in arguments if not argument.startswith("-")), "")


def parser_of(chosen: Collection[str]) -> Parser:
    """The parser of the command line. Only `chosen` verbs have their arguments; the others only a name."""
    parser = Parser(prog="chatd", description="A support-chat daemon that speaks Socket.IO v4.")
    parser.add_argument("--version", action="version", version=f"chatd {VERSION}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    import_digests()
    for verb, summary in VERBS.items():
        one = verbs.add_parser(verb, help=summary, description=f"chatd {verb}: {summary}.", allow_abbrev=False)
        if verb in chosen:
            module = importlib.import_module(f"chatd.cli.{verb}")
            module.add_arguments(one)
            one.set_defaults(run=module.run)
    return parser


def _has_no_reader() -> bool:
    """Whether stdout is a broken pipe; otherwise the connection to a daemon broke."""
    out = select.poll()
    out.register(STDOUT, 0)  # errors are always reported
    return bool(out.poll(0))


def _discard_output() -> None:
    """Discard buffered output, so that Python's flush at exit succeeds."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, STDOUT)
    os.close(null)


def _say(error: Exception, code: int, arguments: Sequence[str]) -> int:
    if _verb(arguments) == "serve" and not _is_of_stdout(error):
        from chatd.cli.fatal import log_fatal  # noqa: PLC0415 - for the daemon

        log_fatal(_words(error), arguments)
    else:
        print(f"chatd: {_words(error)}", file=sys.stderr)
    return code


def _is_of_stdout(error: Exception) -> bool:
    """Whether writing to stdout failed: the error names no file."""
    return isinstance(error, OSError) and error.filename is None and error.errno in _OF_A_DISK


def _words(error: Exception) -> str:
    """The text of an error; of an OSError, file and reason without the number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    reason = error.strerror[0].lower() + error.strerror[1:]
    where = "stdout" if _is_of_stdout(error) else error.filename
    return reason if where is None else f"{where}: {reason}"
