"""The lock file for production: every dependency of the daemon, in exact versions with hashes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
LOCK, CLUSTER, MAIL = (ROOT / f"requirements{of}.lock" for of in ("", "-cluster", "-mail"))
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked(lock: Path) -> dict[str, str]:
    """The version of each package."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def names(wanted: list[str]) -> set[str]:
    """The package names without versions."""
    return {re.split("[>=<]", each)[0].lower() for each in wanted}


@pytest.mark.parametrize(
    ("lock", "extras"), [(LOCK, ["crypto"]), (CLUSTER, ["crypto", "cluster"]), (MAIL, ["crypto", "mail"])]
)
def test_a_lock_has_every_dependency_in_the_tested_version(lock: Path, extras: list[str]) -> None:
    """After a change of either, run `make lock`."""
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    tested = dict(re.findall(r"^([a-z0-9-]+)==(.+)$", constraints, re.MULTILINE))
    wanted = [*PROJECT["dependencies"], *(one for extra in extras for one in PROJECT["optional-dependencies"][extra])]
    assert names(wanted) <= locked(lock).keys()
    assert {name: tested.get(name) for name in locked(lock)} == locked(lock)


@pytest.mark.parametrize(("lock", "extra"), [(CLUSTER, "cluster"), (MAIL, "mail")])
def test_a_plain_daemon_installs_nothing_for_several_nodes_or_mail(lock: Path, extra: str) -> None:
    """P-01, N-01: the other lock files have these packages in addition."""
    assert locked(LOCK).items() < locked(lock).items()
    assert names(PROJECT["optional-dependencies"][extra]) <= locked(lock).keys() - locked(LOCK).keys()


def test_every_dependency_is_bounded_to_the_tested_major_release() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["crypto"], *extras["cluster"], *extras["mail"]]
    assert [each for each in wanted if not re.fullmatch(r"[A-Za-z0-9-]+>=[\d.]+,<\d+", each)] == []


@pytest.mark.parametrize("lock", [LOCK, CLUSTER, MAIL])
def test_a_lock_names_no_package_index(lock: Path) -> None:
    """`make lock` and `make audit` use the index that pip is configured with."""
    assert "://" not in lock.read_text(encoding="utf-8")


@pytest.mark.timeout(300)  # it installs the tools
def test_an_audit_fails_if_pypi_does_not_know_a_version(tmp_path: Path) -> None:
    """The release never existed on PyPI."""
    lock = tmp_path / "unknown.lock"
    lock.write_text(f"h11==0.0.0 --hash=sha256:{'0' * 64}\n")
    done = subprocess.run(
        ["make", "-C", ROOT, "audit", f"LOCK={lock}"], check=False, timeout=300, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "The audit has failed, or was not made. It needs PyPI's JSON API" in done.stderr


@pytest.mark.timeout(300)
def test_pip_refuses_a_package_whose_hash_is_not_in_the_lock(tmp_path: Path) -> None:
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--require-hashes",
        "--target",
        tmp_path,
    ]
    subprocess.run([*install, "-r", CLUSTER], check=True, timeout=300)
    found = {path.name.partition("-")[0].lower().replace("_", "-") for path in tmp_path.glob("*.dist-info")}
    assert {
        "aiosqlite",
        "asyncpg",
        "cryptography",
        "h11",
        "hiredis",
        "msgspec",
        "prometheus-client",
        "pyjwt",
        "websockets",
    } <= found
    wrong = tmp_path / "wrong.lock"
    wrong.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", LOCK.read_text(encoding="utf-8")))
    refused = subprocess.run([*install, "-r", wrong], check=False, timeout=300, capture_output=True, text=True)
    assert (refused.returncode, "DO NOT MATCH THE HASHES" in refused.stderr) == (1, True)
