"""The Debian package on a bookworm that has its dependencies and nothing else."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from chatd import __version__
from tests.cli.test_readme import commands
from tests.deploy.conftest import make
from tests.systemd.machine import Machine, machine
from tests.systemd.talkers import CONFIG, UNHURRIED, messages, talking

BOOKWORM: Final = Path(sys.prefix) / "bookworm"
NEXT: Final = __version__ + "+next"
APT: Final = "DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Options::=--force-confold"
INSTALL: Final = "; ".join(["cd /root/dist", *commands("On Debian 12, as root:")])


@pytest.fixture(scope="module")
def bookworm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted machine with a release in /root/dist, and a later one with other settings in /root/next.deb."""
    folder = tmp_path_factory.mktemp("packages")
    make("deb", "pyz", f"DIST={folder}")
    [package] = folder.glob("*.deb")
    with machine(tmp_path_factory.mktemp("machine"), BOOKWORM) as made:
        shutil.copytree(folder, made.root / "root/dist")
        _write_next(package, folder / "next", made.root / "root/next.deb")
        made.boot()
        yield made


def _write_next(package: Path, unpacked: Path, to: Path) -> None:
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    for name, old, new in (
        ("DEBIAN/control", r"(?m)^Version: .*$", f"Version: {NEXT}-1"),
        ("usr/lib/chatd/chatd/__init__.py", re.escape(__version__), NEXT),
        (CONFIG[1:], r"\Z", "# Of the next version.\n"),
    ):
        file = unpacked / name
        file.write_text(re.sub(old, new, file.read_text(), count=1))
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--build", unpacked, to], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def bare(bookworm: Machine) -> Machine:
    """The machine without chatd and without remains of an earlier installation."""
    bookworm.run("dpkg --purge chatd; rm -rf /var/lib/chatd /var/lib/private/chatd")
    return bookworm


@pytest.fixture
def installed(bare: Machine) -> Machine:
    bare.run(INSTALL)
    return bare


def files(on: Machine) -> set[str]:
    """Files that the package may leave, without those of dpkg, debconf and the journal."""
    kept = r"^/var/(lib/(dpkg|apt|systemd)|cache|log)/|^/var/lib/private$"
    return {line for line in on.run("find /etc /usr /var /opt /srv").splitlines() if not re.search(kept, line)}


def version_in_force(on: Machine) -> str:
    """The version of the running daemon."""
    ask = "import urllib.request as of; print(of.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
    [version] = re.findall(r'^chatd_build_info{.*?version="(.*?)"', on.run(f'python3 -c "{ask}"'), re.MULTILINE)
    return str(version)


def test_it_is_installed_and_serves_on_localhost_only(installed: Machine) -> None:
    assert installed.run("systemctl is-active chatd; systemctl is-enabled chatd") == "active\nenabled\n"
    assert installed.run("chatd --version") == f"chatd {__version__}\n"
    assert installed.run(f"chatd health --config {CONFIG}").startswith("ok")
    assert installed.run("dpkg --verify chatd") == ""
    assert installed.run("stat --format='%a %U' /etc/chatd/jwt-secret") == "600 root\n"
    assert len((installed.root / "etc/chatd/jwt-secret").read_text().strip()) == 64
    assert installed.run("stat --format='%a' /var/lib/private/chatd") == "700\n"
    installed.run(f"chatd check --config {CONFIG}")


def test_remove_and_reinstall_keep_secret_settings_and_messages(installed: Machine) -> None:
    installed.run(f"echo '{UNHURRIED}' >> {CONFIG}; chatd send --to maria hola --config {CONFIG}")
    look = f"cat {CONFIG} /etc/chatd/jwt-secret"
    before = installed.run(look), messages(installed)
    installed.run(f"{APT} remove chatd")
    installed.fails("systemctl is-active chatd")
    assert not (installed.root / "usr/lib/chatd").exists()
    installed.run(INSTALL)
    assert installed.run("systemctl is-active chatd; systemctl is-enabled chatd") == "active\nenabled\n"
    assert (installed.run(look), messages(installed)) == before


def test_a_service_that_was_disabled_stays_disabled(installed: Machine) -> None:
    installed.run("systemctl disable --now chatd")
    installed.run(f"{APT} install /root/next.deb")
    assert installed.fails("systemctl is-enabled chatd") == "disabled\n"
    assert installed.fails("systemctl is-active chatd") == "inactive\n"


def test_a_purge_leaves_nothing(bare: Machine) -> None:
    before = files(bare)
    bare.run(f"{INSTALL}; chatd send --to maria hola --config {CONFIG}")
    assert files(bare) > before
    bare.run(f"{APT} purge chatd")
    assert files(bare) == before
    assert "chatd" not in bare.run("debconf-show chatd; systemctl list-unit-files; ls /etc/systemd/system")


def test_a_purge_keeps_the_messages_if_asked(installed: Machine) -> None:
    installed.run(f"chatd send --to maria hola --config {CONFIG}")
    said = messages(installed)
    installed.run("echo chatd chatd/delete-messages boolean false | debconf-set-selections")
    installed.run(f"{APT} purge chatd")
    assert not (installed.root / "etc/chatd").exists()
    installed.run(INSTALL)
    assert messages(installed) == said


async def test_an_upgrade_under_load_loses_nothing_and_keeps_the_settings(installed: Machine, tmp_path: Path) -> None:
    """C-20, C-22, C-28: JavaScript clients send and receive while dpkg works."""
    installed.run(f"echo '{UNHURRIED}' >> {CONFIG}; systemctl restart chatd")
    settings = installed.run(f"cat {CONFIG}")
    async with talking(installed, tmp_path):
        await asyncio.to_thread(installed.run, f"{APT} install /root/next.deb")
    assert installed.run("chatd --version") == f"chatd {NEXT}\n"
    assert version_in_force(installed) == NEXT
    assert installed.run(f"cat {CONFIG}") == settings
    assert installed.run(f"tail --lines=1 {CONFIG}.dpkg-dist") == "# Of the next version.\n"


def test_the_zipapp_runs_as_a_service_too(bare: Machine) -> None:
    bare.run(f"""
        cp /root/dist/chatd.pyz /opt; install -d /etc/chatd
        (umask 077; echo {"s" * 64} > /etc/chatd/jwt-secret)
        python3 /opt/chatd.pyz unit --internal 127.0.0.1:9464 > /etc/systemd/system/chatd.service
        systemctl daemon-reload; systemctl start chatd
    """)
    try:
        assert bare.run("python3 /opt/chatd.pyz health --internal 127.0.0.1:9464").startswith("ok")
        bare.run("systemctl reload chatd")
    finally:
        bare.run("""
            systemctl stop chatd
            rm -rf /etc/systemd/system/chatd.service /etc/chatd /opt/chatd.pyz /var/cache/chatd /var/cache/private/chatd
            systemctl daemon-reload
        """)
