"""`chatd completion SHELL`: completions for bash, zsh and fish, made from the parsers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chatd.cli.described import Argument, Verb, verbs
from chatd.daemon.config import OPTIONS

_CHOICES: Final = {option.flag: option.about.choices for option in OPTIONS if option.flag and option.about.choices}

EPILOG: Final = """\
  bash:  chatd completion bash > /etc/bash_completion.d/chatd
  zsh:   chatd completion zsh > "${fpath[1]}/_chatd"
  fish:  chatd completion fish > ~/.config/fish/completions/chatd.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("shell", metavar="SHELL", choices=list(SHELLS), help="bash, zsh or fish")


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(SHELLS[args.shell](verbs()))
    return 0


def _flags(verb: Verb) -> list[str]:
    return [flag for argument in verb.arguments for flag in argument.flags]


def _words(verb: Verb) -> str:
    """The words that may follow the verb: flags and choices."""
    choices = [choice for argument in verb.arguments if not argument.flags for choice in argument.choices]
    return " ".join([*_flags(verb), "--help", *choices])


def _choices(argument: Argument) -> Sequence[str]:
    """The choices of an argument. Those of settings are not in the parser, because the configuration checks them."""
    return argument.choices or next((_CHOICES[flag] for flag in argument.flags if flag in _CHOICES), ())


def _takes_file(argument: Argument) -> bool:
    return argument.takes_file or "--db" in argument.flags


def _wants_files(verb: Verb) -> bool:
    return any(_takes_file(argument) for argument in verb.arguments if not argument.flags)


def bash(known: Sequence[Verb]) -> str:
    cases = "\n".join(
        f'        {verb.name}) words="{_words(verb)}"{" files=yes" if _wants_files(verb) else ""} ;;' for verb in known
    )
    valued = [argument for verb in known for argument in verb.arguments if argument.flags and argument.metavar]
    files = {flag for argument in valued if _takes_file(argument) for flag in argument.flags}
    chosen = {
        flag: " ".join(_choices(argument)) for argument in valued for flag in argument.flags if _choices(argument)
    }
    free = {flag for argument in valued for flag in argument.flags} - files - set(chosen)
    choices = "\n".join(
        f'        {flag}) COMPREPLY=($(compgen -W "{words}" -- "$word")); return ;;'
        for flag, words in sorted(chosen.items())
    )
    return BASH.format(
        verbs=" ".join(verb.name for verb in known),
        cases=cases,
        files="|".join(sorted(files)),
        choices=choices,
        free="|".join(sorted(free)),
    )


def zsh(known: Sequence[Verb]) -> str:
    listed = "\n".join(f"        {_quoted(f'{verb.name}:{verb.summary}')}" for verb in known)
    cases = "\n".join(_zsh_case(verb) for verb in known)
    return ZSH.format(verbs=listed, cases=cases)


def fish(known: Sequence[Verb]) -> str:
    lines = ["complete -c chatd -f"]
    for verb in known:
        lines.append(f"complete -c chatd -n __fish_use_subcommand -a {verb.name} -d {_quoted(verb.summary)}")
        lines += [line for argument in verb.arguments for line in _fish_lines(verb, argument)]
    return "\n".join(lines) + "\n"


def _zsh_case(verb: Verb) -> str:
    specs = [_zsh_spec(argument, flag) for argument in verb.arguments for flag in argument.flags]
    specs += [f"*:value:({' '.join(argument.choices)})" for argument in verb.arguments if argument.choices]
    specs += ["*:file:_files"] if not any(argument.choices for argument in verb.arguments) else []
    return f"        {verb.name}) _arguments {' '.join(_quoted(spec) for spec in specs)} ;;"


def _zsh_spec(argument: Argument, flag: str) -> str:
    about = argument.help.replace("[", "(").replace("]", ")").replace(":", " -")
    choices = f"({' '.join(_choices(argument))})" if _choices(argument) else ""
    value = "" if not argument.metavar else ":value:_files" if _takes_file(argument) else f":value:{choices}"
    return f"*{flag}[{about}]{value}"


def _fish_lines(verb: Verb, argument: Argument) -> list[str]:
    when = f"complete -c chatd -n '__fish_seen_subcommand_from {verb.name}'"
    about = f"-d {_quoted(argument.help)}"
    if not argument.flags:
        files = [f"{when} -F"] if _takes_file(argument) else []
        return [f"{when} -a {_quoted(' '.join(argument.choices))} {about}"] if argument.choices else files
    choices = f" -a {_quoted(' '.join(_choices(argument)))}" if _choices(argument) else ""
    value = "" if not argument.metavar else " -r -F" if _takes_file(argument) else f" -x{choices}"
    return [f"{when} -l {flag.removeprefix('--')}{value} {about}" for flag in argument.flags if flag.startswith("--")]


def _quoted(text: str) -> str:
    """`text` as a quoted string on one line, for all three shells."""
    return "'" + " ".join(text.split()).replace("'", "\u2019") + "'"


SHELLS: Final[Mapping[str, Callable[[Sequence[Verb]], str]]] = {"bash": bash, "zsh": zsh, "fish": fish}

BASH: Final = """\
# Completion of chatd for bash, made by `chatd completion bash`
_chatd() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words="" files=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{verbs} --help --version" -- "$word"))
        return
    fi
    case "$before" in
        {files}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
{choices}
        {free}) return ;;
    esac
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    case "$files$word" in
        yes|yes[!-]*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        *) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    esac
}}
complete -o filenames -F _chatd chatd
"""

ZSH: Final = """\
#compdef chatd
# Completion of chatd for zsh, made by `chatd completion zsh`
_chatd() {{
    local -a verbs
    verbs=(
{verbs}
    )
    if (( CURRENT == 2 )); then
        _describe 'verb' verbs
        return
    fi
    local verb=$words[2]
    shift words
    (( CURRENT-- ))
    case $verb in
{cases}
    esac
}}
_chatd "$@"
"""
