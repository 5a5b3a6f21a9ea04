"""The units that `chatd unit` prints, judged by systemd itself."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.cli import EXIT_USAGE
from chatd.ops.unit import STOP_SPARE_S
from tests.cli.command import chatd, complaint
from tests.ops.tools import tool

# systemd's own words: up to 2.0 is "OK".
MAX_EXPOSURE = 2.0


def unit(*arguments: str) -> str:
    done = chatd("unit", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder: Path, *arguments: str) -> Path:
    """The service, with a command that exists, beside its socket."""
    (folder / "chatd.socket").write_text(unit("--socket"))
    path = folder / "chatd.service"
    path.write_text(unit("--exec", sys.executable, *arguments))
    return path


def value(text: str, key: str) -> str:
    [found] = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("arguments", [(), ("--with-socket",), ("--port", "443"), ("--path", '/a b"%n$x/')])
def test_systemd_accepts_the_units(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    service = written(tmp_path, *arguments)
    verify = [tool("systemd-analyze", "systemd"), "verify", str(service), str(tmp_path / "chatd.socket")]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [(), ("--with-socket",)])
def test_systemd_finds_the_service_hardened(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    service = written(tmp_path, *arguments)
    security = [tool("systemd-analyze", "systemd"), "security", "--offline=yes", "--no-pager", str(service)]
    done = subprocess.run(security, capture_output=True, text=True, check=False, timeout=50)
    [exposure] = re.findall(r"Overall exposure level for chatd.service: ([\d.]+)", done.stdout)
    assert float(exposure) <= MAX_EXPOSURE, done.stdout


def test_the_service_gets_more_time_for_a_stop_than_the_daemon_takes() -> None:
    assert value(unit(), "TimeoutStopSec") == str(30 + STOP_SPARE_S)
    text = unit("--stop-timeout", "120")
    assert value(text, "TimeoutStopSec") == str(120 + STOP_SPARE_S)
    assert value(text, "ExecStart").endswith(" --stop-timeout 120")


def test_files_suffice_for_as_many_clients_as_may_come() -> None:
    assert int(value(unit(), "LimitNOFILE")) > 10_000
    assert int(value(unit("--max-connections", "50000"), "LimitNOFILE")) > 150_000
    assert int(value(unit("--max-connections", "0"), "LimitNOFILE")) >= 524_288


def test_no_core_dump_holds_what_the_memory_did() -> None:
    assert value(unit(), "LimitCORE") == "0"


def test_a_bound_on_memory_is_a_hint_to_uncomment() -> None:
    assert value(unit(), "#MemoryMax") == "1G"


def test_the_secret_is_handed_over_and_never_shown() -> None:
    text = unit("--secret", "/etc/other secret")
    assert value(text, "LoadCredential") == 'jwt-secret:"/etc/other secret"'
    assert "--jwt-secret-file %d/jwt-secret" in value(text, "ExecStart")
    done = chatd("unit", CHATD_JWT_SECRET="x" * 40)
    assert "xxx" not in done.stdout


def test_settings_reach_the_daemon_as_they_were_given() -> None:
    origins = ("--origin", "https://a.example", "--origin", "https://b.example")
    words = shlex.split(value(unit("--host", "::1", *origins, "--no-cors-credentials"), "ExecStart"))
    address = ("--host", "::1", "--port", "8400")
    assert words[words.index("--host") :] == [*address, "--no-cors-credentials", *origins]


def test_a_socket_unit_listens_where_the_daemon_would() -> None:
    assert value(unit("--socket"), "ListenStream") == "127.0.0.1:8400"
    assert value(unit("--socket", "--host", "::", "--port", "80"), "ListenStream") == "[::]:80"
    assert "Requires=chatd.socket" in unit("--with-socket")
    assert "--port" not in value(unit("--with-socket"), "ExecStart")


def test_a_low_port_needs_one_capability_and_a_socket_unit_none() -> None:
    assert value(unit("--port", "443"), "AmbientCapabilities") == "CAP_NET_BIND_SERVICE"
    assert value(unit("--port", "443", "--with-socket"), "AmbientCapabilities") == ""


def test_a_command_that_the_service_cannot_see_is_warned_of() -> None:
    done = chatd("unit", "--exec", "/home/me/.venv/bin/chatd")
    assert (done.returncode, "install chatd elsewhere" in done.stderr) == (0, True)
    assert chatd("unit", "--exec", "chatd").returncode == EXIT_USAGE


def test_what_the_service_takes_from_elsewhere_than_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text('[auth]\njwt_secret_file = "/etc/key"\n[store]\ndb = "/srv/chat.db"\n')
    done = chatd("unit", "--exec", "/opt/chatd/bin/chatd", "--config", file)
    assert done.stderr.splitlines() == [
        f"chatd: db of {file}:4 is not used: the service keeps its database in /var/lib/chatd",
        f"chatd: jwt_secret_file of {file}:2 is not used: the service takes the secret that --secret names",
    ]


@pytest.mark.parametrize("flag", ["--deny-file", "--config", "--tls-cert", "--client-dir"])
def test_a_relative_path_is_refused(tmp_path: Path, flag: str) -> None:
    (tmp_path / "file").touch()
    assert f"{flag}: file is no absolute path" in complaint(chatd("unit", flag, "file"), EXIT_USAGE)
