"""Shell completions and the manual page, made from the parsers and read by the real programs if installed."""

from __future__ import annotations

import subprocess

import pytest

from chatd.cli import VERBS
from chatd.cli.described import verbs
from tests.cli.command import chatd
from tests.ops.tools import tool


def printed(*arguments: str) -> str:
    done = chatd(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def completed(line: str) -> list[str]:
    """The completions of bash for the last word of `line`."""
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _chatd; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(
        [tool("bash", "bash"), "-c", printed("completion", "bash") + script], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_verbs_flags_and_choices() -> None:
    assert completed("chatd ta") == ["tail"]
    assert set(completed("chatd ")) == {*VERBS, "--help", "--version"}
    assert completed("chatd serve --ping-i") == ["--ping-interval"]
    assert completed("chatd who --j") == ["--json"]
    assert completed("chatd completion z") == ["zsh"]


def test_bash_completes_files_for_a_flag_that_takes_a_file() -> None:
    for before in ("serve --tls-cert", "who --db", "import", "backup", "export --jsonl"):
        assert completed(f"chatd {before} pyproj") == ["pyproject.toml"]
    assert "pyproject.toml" in completed("chatd import ")
    assert completed("chatd import --db") == ["--db", "--db-password-file"]


def test_bash_completes_the_values_of_a_flag_and_no_flags_instead() -> None:
    assert completed("chatd serve --log-level ") == ["debug", "info", "warning", "error"]
    assert completed("chatd serve --log-level w") == ["warning"]
    assert completed("chatd serve --port ") == []


def test_fish_completes_files_and_the_values_of_a_flag() -> None:
    for line, word in (("chatd serve --log-level ", "warning"), ("chatd import pyproj", "pyproject.toml")):
        command = [tool("fish", "fish"), "-c", f"source -; complete -C '{line}'"]
        text = printed("completion", "fish")
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        assert word in done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_verb_and_flag_is_in_every_completion(shell: str) -> None:
    text = printed("completion", shell)
    for verb in verbs():
        assert verb.name in text
        for argument in verb.arguments:
            for flag in argument.flags:
                assert (f" -l {flag[2:]} " if shell == "fish" else flag) in text


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_shell_accepts_the_completion(shell: str) -> None:
    command = [tool(shell, shell), "-n", "/dev/stdin"]
    done = subprocess.run(command, input=printed("completion", shell), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_manual_has_every_verb_and_flag() -> None:
    text = printed("man").replace(r"\-", "-")
    for verb in verbs():
        assert f".SS chatd {verb.name}\n" in text
        for argument in verb.arguments:
            for flag in argument.flags:
                assert flag in text


def test_the_manual_is_valid_roff() -> None:
    groff = [tool("groff", "groff-base"), "-man", "-ww", "-Tutf8", "-z"]
    done = subprocess.run(groff, input=printed("man"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
