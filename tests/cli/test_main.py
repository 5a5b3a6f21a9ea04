from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chatd as package
from chatd.cli import EXIT_FAILED, EXIT_USAGE, VERBS, main
from tests.cli.command import chatd, complaint, environment
from tests.cli.stored import message, store


def test_the_version_is_printed() -> None:
    done = chatd("--version")
    assert (done.returncode, done.stdout) == (0, f"chatd {package.__version__}\n")


def test_help_names_every_verb() -> None:
    done = chatd("--help")
    assert done.returncode == 0
    assert [verb for verb in VERBS if not re.search(rf"\n    {verb}\s", done.stdout)] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: VERB"),
        (["swerve"], "'swerve'"),
        (["serve", "--prot", "1"], "did you mean --port?"),
        (["serve", "--prot=1"], "did you mean --port?"),
        (["serve", "--ping-int", "1"], "did you mean --ping-interval?"),
        (["serve", "--port"], "expected one argument"),
        (["serve", "extra"], "extra"),
        (["serve", "--jwt-secret", "x"], "did you mean --jwt-secret-file?"),
        (["--nonsense"], "required: VERB"),
    ],
)
def test_an_invalid_command_line_is_a_one_line_error(arguments: list[str], said: str) -> None:
    assert said in complaint(chatd(*arguments), EXIT_USAGE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["who", "--port", "3"], "unknown flag: --port; see chatd who --help for all of them"),
        (["who", "--jsn"], "did you mean --json?"),
        (["unit", "--sockt"], "did you mean --socket?"),
        (["config", "--defualt"], "did you mean --default?"),
    ],
)
def test_a_suggestion_is_a_flag_of_the_same_verb(arguments: list[str], said: str) -> None:
    assert said in complaint(chatd(*arguments), EXIT_USAGE)


@pytest.mark.parametrize("arguments", [["--jwt-secret", "hush"], ["--jwt-secret=hush"], ["--nonsense", "x", "hush"]])
def test_the_value_of_an_unknown_flag_is_not_printed(arguments: list[str]) -> None:
    line = complaint(chatd("serve", *arguments), EXIT_USAGE)
    assert f"unknown flag: {arguments[0].removesuffix('=hush')}" in line
    assert "hush" not in line


def test_main_returns_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["check", "--nonsense"]) == EXIT_USAGE
    assert capsys.readouterr().err.count("\n") == 1


def test_the_console_script_does_the_same() -> None:
    code = "import sys; from chatd.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, "--nonsense"], check=False, capture_output=True, text=True)
    assert done.returncode == EXIT_USAGE


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "chatd.db"
    store(path, [message(number, mensaje="x" * 5000) for number in range(60)])
    return path


FEW, MANY = ["--help"], ["serve", "--help"]


@pytest.mark.parametrize("arguments", [FEW, MANY, ["completion", "bash"], ["history", "ana"], ["export"]])
def test_a_closed_stdout_is_no_failure(arguments: list[str], db: Path) -> None:
    """`| head`: whether the verb gets EPIPE while it prints, or Python at its end."""
    reading, writing = os.pipe()
    os.close(reading)
    done = into(writing, *arguments, CHATD_DB=str(db))
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [FEW, MANY, ["history", "ana"], ["export"]])
def test_a_full_stdout_is_reported_once(arguments: list[str], db: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = into(full.fileno(), *arguments, CHATD_DB=str(db))
    assert (done.returncode, done.stderr) == (EXIT_FAILED, "chatd: stdout: no space left on device\n")


def into(stdout: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chatd", *arguments]
    env = environment(**variables)
    return subprocess.run(command, check=False, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=30, env=env)
