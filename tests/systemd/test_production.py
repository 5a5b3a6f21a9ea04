"""The README's chapters for operators, under a real systemd."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.cli.unit import EPILOG
from tests.cli.test_readme import MOVE_HERE, PAGE, commands
from tests.ops.tools import tool
from tests.systemd.machine import Machine, machine
from tests.systemd.talkers import CONFIG, UNHURRIED, talking

ROOT = Path(__file__).parents[2]
MADE = (CONFIG, "/etc/systemd/system/chatd.service")

CORE = pytest.mark.systemd_core

RESTART_S = 2.0
"""With margin: it takes 0.6 s on two cores with a load of 3, including the end of the old daemon."""

# Opens sessions in a loop until stdin is closed, then prints the numbers of answers and refusals.
ASKER = """
import json, select, sys, urllib.error, urllib.request
answered = refused = 0
while not select.select([sys.stdin], [], [], 0.02)[0]:
    try:
        with urllib.request.urlopen("http://127.0.0.1:8400/socket.io/?EIO=4&transport=polling", timeout=30) as answer:
            answered += answer.read().startswith(b"0{")
    except OSError:
        refused += 1
print(json.dumps([answered, refused]))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine set up by all steps of the README's way to production."""
    assert "## Run it" in PAGE
    tool("systemd-nspawn", "systemd-container")
    with machine(tmp_path_factory.mktemp("machine")) as made:
        for command in commands("## Run it"):
            if not command.startswith("systemctl "):
                made.prepare(f"cd {ROOT}; {command}")
        made.boot()
        for command in commands("## Run it"):
            if command.startswith("systemctl "):
                made.run(command)
        made.run(f"mkdir /root/made; cp {' '.join(MADE)} /root/made")
        yield made


@pytest.fixture(autouse=True)
def as_made(production: Machine) -> None:
    """The machine with changes of earlier tests undone."""
    production.run("""
        systemctl stop chatd.socket 2>/dev/null || true
        systemctl stop chatd.service
        rm -f /etc/systemd/system/chatd.socket
        cp /root/made/chatd.toml /etc/chatd; cp /root/made/chatd.service /etc/systemd/system
        systemctl daemon-reload
        systemctl reset-failed
        systemctl start chatd
    """)


@contextlib.contextmanager
def asking(on: Machine) -> Iterator[list[int]]:
    """Run a client that keeps opening sessions; afterwards its numbers of answers and refusals."""
    counts: list[int] = []
    client = on.start("/usr/bin/python3", "-c", ASKER)
    try:
        yield counts
        said, _ = client.communicate(timeout=60)
        counts += json.loads(said)
    finally:
        if client.poll() is None:
            client.kill()
            client.wait()


def status(on: Machine) -> str:
    return on.run("systemctl show --property=StatusText --value chatd")


def to_the_socket(on: Machine) -> None:
    """The steps of `chatd unit --help`."""
    [steps] = re.findall(r"stop a running service once for this:\n((?:  .*\n)+)", EPILOG)
    for command in steps.splitlines():
        on.run(command)
    assert on.run("systemctl is-active chatd.socket chatd.service") == "active\nactive\n"


def restored_with(on: Machine, backup: str) -> None:
    """Restore the backup by the README's steps, with a client that keeps opening sessions."""
    on.run(f"chatd backup /root/{backup} --config {CONFIG}")
    on.run(f"chatd send --to maria 'after {backup}' --config {CONFIG}")
    with asking(on) as counts:
        for command in commands("To restore a backup, as root:"):
            on.run(command.replace("monday.db", f"/root/{backup}"))
    assert counts[1] > 0
    assert f"after {backup}" not in on.run(f"chatd history maria --config {CONFIG}")
    on.run(f"chatd send --to maria 'and on' --config {CONFIG}")
    assert "and on" in on.run(f"chatd history maria --config {CONFIG}")


@CORE
def test_the_service_runs_and_check_shows_its_settings(production: Machine) -> None:
    assert production.run("systemctl is-active chatd") == "active\n"
    said = production.run(f"chatd check --config {CONFIG}")
    assert "ok      port: 127.0.0.1:8400 is held by the running daemon" in said
    assert "ok      internal: 127.0.0.1:9464 is held by the running daemon" in said
    assert "ok      trusted_proxy: 127.0.0.1" in said
    assert "nobody is connected" in production.fails(f"chatd who --config {CONFIG}")


def test_a_start_that_fails_is_found_in_the_journal_by_its_priority(production: Machine) -> None:
    production.run(f"echo 'nonsense = 1' >> {CONFIG}")
    production.fails("systemctl restart chatd")
    [line] = production.run("journalctl --unit=chatd --priority=err --output=cat --grep='cannot run'").splitlines()
    assert json.loads(line)["cause"].startswith(CONFIG)
    lines = production.run("journalctl --unit=chatd --output=cat _SYSTEMD_UNIT=chatd.service").splitlines()
    assert [json.loads(line)["level"] for line in lines if line]


@CORE
def test_a_refused_reload_fails_and_is_in_the_status(production: Machine) -> None:
    production.run(f"printf '[chat]\\nmax_message = 0\\n' >> {CONFIG}")
    production.fails("systemctl reload chatd")
    assert status(production).startswith("the last reload was refused: max_message")
    assert "max_message" in production.run("journalctl --unit=chatd --priority=err --output=cat")
    production.run(f"cp /root/made/chatd.toml {CONFIG}")
    production.run("systemctl reload chatd")
    assert status(production).startswith("0 sessions")
    assert production.run("systemctl is-active chatd") == "active\n"
    assert '"kept": "tokens"' in production.run("journalctl --unit=chatd --output=cat --grep=reloaded")


@CORE
def test_a_restart_takes_a_fraction_of_a_second(production: Machine) -> None:
    """By systemd's timestamps, from the stop of the old daemon until the new one is ready."""
    taken_s = []
    for _ in range(3):
        production.run("systemctl reset-failed chatd; systemctl restart chatd")
        left, entered = (
            int(production.run(f"systemctl show --property={name}TimestampMonotonic --value chatd"))
            for name in ("ActiveExit", "ActiveEnter")
        )
        taken_s.append((entered - left) / 1e6)
    assert 0 < min(taken_s) < RESTART_S


def test_a_backup_is_restored_under_the_plain_unit(production: Machine) -> None:
    restored_with(production, "monday.db")


def test_an_upgrade_by_the_readme_runs_the_new_version_and_keeps_the_messages(
    production: Machine, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    shutil.copytree(ROOT, new, ignore=shutil.ignore_patterns(".git", ".venv", ".build", "node_modules", "dist"))
    version = new / "chatd/__init__.py"
    version.write_text(re.sub("^__version__ = .*$", '__version__ = "77.0"', version.read_text(), flags=re.MULTILINE))
    shutil.copytree(new, production.root / "root/new")
    production.run(f"chatd send --to maria 'before the upgrade' --config {CONFIG}")
    for command in commands("To upgrade, as root, in the folder of the new version:"):
        run = production.prepare if "pip" in command else production.run  # the booted machine has no network
        run(f"cd /root/new; {command}")
    assert "chatd 77.0" in production.run("chatd --version")
    assert 'version="77.0"' in production.run("curl --silent http://127.0.0.1:9464/metrics")
    assert "before the upgrade" in production.run(f"chatd history maria --config {CONFIG}")
    assert "before the upgrade" in production.run("chatd history maria --db /var/backups/chatd-before.db")


def test_a_chat_moves_to_another_machine(production: Machine) -> None:
    """The new machine is this one, after all of the old chat was deleted."""
    production.run(f"chatd send --to maria 'on the old machine' --config {CONFIG}")
    secret = production.run("cat /etc/chatd/jwt-secret")
    for command in commands("To move to another machine, as root on the old one:"):
        production.run(command)
    assert production.run("stat --format=%a /root/chatd.tar") == "600\n"
    production.run("""
        mv /root/chatd.tar /root/moved; rm -r /root/chatd.db /etc/chatd /var/lib/private/chatd
        install -d -m 0755 /etc/chatd; (umask 077; openssl rand -hex 32 > /etc/chatd/jwt-secret)
        cp /root/made/chatd.toml /etc/chatd; systemctl enable --now chatd; mv /root/moved /root/chatd.tar
    """)
    assert production.run(f"chatd history maria --config {CONFIG}") == ""
    for command in commands(MOVE_HERE):
        production.run(command)
    assert production.run("systemctl is-active chatd") == "active\n"
    assert "on the old machine" in production.run(f"chatd history maria --config {CONFIG}")
    assert production.run("cat /etc/chatd/jwt-secret") == secret
    production.run(f"chatd send --to maria 'and on' --config {CONFIG}")


SYSTEMS = """
[api]
api = "127.0.0.1:8600"
api_keys_file = "/etc/chatd/api-keys"

[[webhook]]
name = "crm"
url = "http://crm.example/"
secret_file = "/etc/chatd/whsec"
"""


def test_the_api_and_a_webhook_start_with_files_of_root_only(production: Machine) -> None:
    config = production.root / CONFIG.removeprefix("/")
    config.write_text(config.read_text() + SYSTEMS)
    production.run(f"""
        umask 077; printf 'whsec_%s\\n' "$(openssl rand -base64 32)" > /etc/chatd/whsec
        chatd apikey new shop --scope send --config {CONFIG} > /root/shop.key
        umask 022; chatd unit --config {CONFIG} > /etc/systemd/system/chatd.service
        systemctl daemon-reload; systemctl restart chatd
    """)
    ask = "curl --silent --oauth2-bearer $(cat /root/shop.key) --json "
    message = json.dumps({"para": "maria", "mensaje": "hola"})
    assert json.loads(production.run(f"{ask} '{message}' http://127.0.0.1:8600/v1/mensajes"))["id"]
    assert "ok      webhook crm" in production.run(f"chatd check --config {CONFIG}")
    production.run("systemctl reload chatd")


def test_a_file_of_root_in_the_state_folder_is_named(production: Machine) -> None:
    production.run("systemctl stop chatd")
    production.run("cd /var/lib/chatd; cp --preserve=all chatd.db /root/good.db; cp /root/good.db x; mv x chatd.db")
    production.fails("systemctl start chatd")
    said = production.run("journalctl --unit=chatd --priority=err --output=cat --grep='belongs to root'")
    assert "and chatd runs as" in said
    assert "chatd restore" in production.run(f"chatd check --config {CONFIG} || true")
    production.run(f"mv /var/lib/chatd/chatd.db /root/of-root.db; chatd restore /root/of-root.db --config {CONFIG}")
    production.run("systemctl reset-failed chatd; systemctl start chatd")


def test_a_tls_key_of_root_only_is_used_and_a_renewed_one_after_the_hook(production: Machine) -> None:
    live = "/etc/letsencrypt/live/chat.example.com"
    make = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=chat.example.com "
        f"-keyout {live}/privkey.pem -out {live}/fullchain.pem 2>/dev/null; chmod 0600 {live}/*.pem"
    )
    shown = "openssl s_client -connect 127.0.0.1:8400 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint"
    production.run(f"mkdir -p {live} /etc/letsencrypt/renewal-hooks/deploy; {make}")
    for command in commands("With certbot, as root:"):
        production.run(command)
    first = production.run(shown)
    assert first == production.run(f"openssl x509 -noout -fingerprint -in {live}/fullchain.pem")
    production.run(make)
    production.run("/etc/letsencrypt/renewal-hooks/deploy/chatd")
    second = production.run(shown)
    assert second == production.run(f"openssl x509 -noout -fingerprint -in {live}/fullchain.pem")
    assert second != first


@CORE
def test_after_the_change_to_the_socket_unit_a_restart_refuses_no_request(production: Machine) -> None:
    assert production.run("systemctl is-active chatd") == "active\n"
    to_the_socket(production)
    with asking(production) as counts:
        for _ in range(3):
            production.run("systemctl restart chatd")
    assert (counts[0] > 0, counts[1]) == (True, 0)


def test_a_backup_is_restored_under_the_socket(production: Machine) -> None:
    to_the_socket(production)
    restored_with(production, "tuesday.db")


def test_a_database_elsewhere_and_a_unix_socket(production: Machine) -> None:
    production.run("systemctl stop chatd.service")
    [make_user] = re.findall(r"^  (useradd .*)$", EPILOG, re.MULTILINE)
    production.run(make_user.replace("install", "mkdir -p /data; install"))
    flags = "--db /data/chatd/chat.db --unix /run/chatd/http --unix-mode 666 --no-tcp"
    production.run(f"chatd unit {flags} > /etc/systemd/system/chatd.service; systemctl daemon-reload")
    production.run("systemctl start chatd")
    url = "http://chat/socket.io/?EIO=4&transport=polling"
    assert production.run(f"curl --silent --unix-socket /run/chatd/http '{url}'").startswith("0{")
    assert production.run("stat --format=%U /data/chatd/chat.db") == "chatd\n"
    production.run("systemctl reload chatd")


@CORE
def test_systemd_analyze_rates_the_sandbox_well(production: Machine) -> None:
    production.run("systemd-analyze security --threshold=20 chatd")
    pid = production.run("systemctl show --property=MainPID --value chatd").strip()
    assert production.run(f"stat --format=%U /proc/{pid}") == "chatd\n"
    assert production.run(f"grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/{pid}/status").split() == [
        *("CapEff:", "0000000000000000", "NoNewPrivs:", "1", "Seccomp:", "2")
    ]


@CORE
def test_the_secret_is_a_credential_that_no_one_else_can_read(production: Machine) -> None:
    assert production.run("stat --format='%a %U' /etc/chatd/jwt-secret") == "600 root\n"
    pid = production.run("systemctl show --property=MainPID --value chatd").strip()
    inside = f"nsenter --target={pid} --mount"
    copy = "/run/credentials/chatd.service/jwt-secret"
    assert production.run(f"{inside} cat {copy}") == production.run("cat /etc/chatd/jwt-secret")
    production.fails(f"{inside} setpriv --reuid=nobody --clear-groups cat {copy}")
    secret = production.run("cat /etc/chatd/jwt-secret").strip()
    assert secret not in production.run(f"cat /proc/{pid}/environ /proc/{pid}/cmdline | tr '\\0' '\\n'")


@CORE
def test_a_daemon_that_hangs_is_started_again(production: Machine) -> None:
    production.run("""
        mkdir --parents /run/systemd/system/chatd.service.d
        printf '[Service]\\nWatchdogSec=2\\n' > /run/systemd/system/chatd.service.d/soon.conf
        systemctl daemon-reload; systemctl restart chatd
    """)
    try:
        production.run("systemctl kill --signal=STOP --kill-whom=main chatd")
        production.run("until [ $(systemctl show --property=NRestarts --value chatd) -gt 0 ]; do sleep 0.1; done")
        production.run("until systemctl is-active --quiet chatd; do sleep 0.1; done")
        assert (
            "watchdog"
            in production.run("journalctl --unit=chatd --output=cat --grep=watchdog --case-sensitive=no").lower()
        )
    finally:
        production.run("rm -r /run/systemd/system/chatd.service.d; systemctl daemon-reload")


async def test_javascript_clients_that_write_lose_nothing_over_a_stop_and_restarts(
    production: Machine, tmp_path: Path
) -> None:
    """C-20, C-22, C-28: first with the daemon stopped for a while, then under the socket unit."""
    production.run(f"rm -rf /var/lib/private/chatd/*; printf '{UNHURRIED}' >> {CONFIG}; systemctl restart chatd")
    async with talking(production, tmp_path) as load:
        await asyncio.to_thread(production.run, "systemctl stop chatd")
        assert production.run("systemctl show --property=Result --value chatd") == "success\n"
        await asyncio.to_thread(to_the_socket, production)
        for _ in range(2):
            await load.goes_on()
            await asyncio.to_thread(production.run, "systemctl restart chatd")
