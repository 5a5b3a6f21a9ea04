"""The units that `chatd unit` prints, checked by systemd."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chatd.cli import EXIT_USAGE
from chatd.ops.unit import STOP_SPARE_S
from tests.cli.command import chatd, complaint, environment
from tests.ops.tools import tool

# In systemd's terms, an exposure up to 2.0 is "OK".
MAX_EXPOSURE = 2.0


def unit(*arguments: str) -> str:
    done = chatd("unit", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder: Path, *arguments: str) -> Path:
    """Write the service, with an existing command, and its socket."""
    (folder / "chatd.socket").write_text(unit("--socket"))
    path = folder / "chatd.service"
    path.write_text(unit("--exec", sys.executable, *arguments))
    return path


def value(text: str, key: str) -> str:
    [found] = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return str(found)


NODE = (
    *("--node", "1", "--db", "postgresql://chatd@db/chat", "--db-password-file", "/etc/chatd/db-password"),
    *("--bus", "rediss://redis:6379", "--bus-password-file", "/etc/chatd/bus-password"),
    *("--bus-ca-file", "/etc/ssl/redis.pem"),
    *("--bus-cert-file", "/etc/chatd/node.pem", "--bus-key-file", "/etc/chatd/node.key"),
)

SERVICES = [
    (),
    ("--with-socket",),
    ("--port", "443"),
    ("--path", '/a b"%n$x/'),
    ("--tls-cert", "/etc/ssl/private/c%.pem", "--tls-key", "/etc/ssl/private/k.pem"),
    ("--unix", "/run/chatd/http", "--no-tcp"),
    NODE,
]


@pytest.mark.parametrize("arguments", SERVICES)
def test_systemd_accepts_the_units(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    service = written(tmp_path, *arguments)
    verify = [tool("systemd-analyze", "systemd"), "verify", str(service), str(tmp_path / "chatd.socket")]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [*SERVICES[:2], ("--db", "/data/chat.db"), NODE])
def test_systemd_rates_the_service_as_hardened(tmp_path: Path, arguments: tuple[str, ...]) -> None:
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


def test_the_limit_of_files_is_enough_for_max_connections() -> None:
    assert int(value(unit(), "LimitNOFILE")) > 10_000
    assert int(value(unit("--max-connections", "50000"), "LimitNOFILE")) > 150_000
    assert int(value(unit("--max-connections", "0"), "LimitNOFILE")) >= 524_288


def test_core_dumps_are_off() -> None:
    assert value(unit(), "LimitCORE") == "0"


def test_the_memory_limit_is_a_commented_line() -> None:
    assert value(unit(), "#MemoryMax") == "1G"


def test_the_secret_is_a_credential_and_never_printed() -> None:
    text = unit("--secret", "/etc/other secret")
    assert value(text, "LoadCredential") == 'jwt-secret:"/etc/other secret"'
    assert "--jwt-secret-file %d/jwt-secret" in value(text, "ExecStart")
    done = chatd("unit", CHATD_JWT_SECRET="x" * 40)
    assert "xxx" not in done.stdout


def test_only_the_given_settings_are_passed_unchanged() -> None:
    """The unit repeats no setting of the file, which would hide it from `chatd check`."""
    origins = ("--origin", "https://a.example", "--origin", "https://b.example")
    words = shlex.split(value(unit("--host", "::1", *origins, "--no-cors-credentials"), "ExecStart"))
    assert words[words.index("serve") :] == [
        *("serve", "--jwt-secret-file", "%d/jwt-secret", "--db", "%S/chatd/chatd.db"),
        *("--no-cors-credentials", "--host", "::1", *origins),
    ]


def test_a_socket_unit_listens_where_the_daemon_would() -> None:
    assert value(unit("--socket"), "ListenStream") == "127.0.0.1:8400"
    text = unit("--socket", "--host", "[::]", "--host", "127.0.0.1", "--port", "80")
    assert re.findall("^ListenStream=(.*)$", text, re.MULTILINE) == ["[::]:80", "0.0.0.0:80", "127.0.0.1:80"]
    assert value(text, "BindIPv6Only") == "ipv6-only"
    assert "Requires=chatd.socket" in unit("--with-socket")
    assert "--port" not in value(unit("--with-socket", "--port", "80"), "ExecStart")


def test_a_unix_socket_is_where_the_service_or_systemd_can_create_it() -> None:
    flags = ("--unix", "/run/chatd/http", "--unix-mode", "666", "--no-tcp")
    assert value(unit(*flags), "RuntimeDirectory") == "chatd"
    text = unit("--socket", *flags)
    assert (value(text, "ListenStream"), value(text, "SocketMode")) == ("/run/chatd/http", "666")
    assert "RuntimeDirectory" not in unit("--with-socket", *flags)
    assert "/run/chatd alone" in complaint(chatd("unit", "--unix", "/srv/http"), EXIT_USAGE)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--host", "localhost"), "localhost is a name"),
        (("--tls-cert", "/c.pem", "--tls-port", "8443"), "--tls-port: chatd.socket has one kind of port"),
        (("--no-tcp",), "there must be a unix socket"),
    ],
)
def test_settings_that_a_socket_unit_does_not_support_are_refused(flags: tuple[str, ...], said: str) -> None:
    done = chatd("unit", "--socket", *flags)
    assert (done.returncode > 0, done.stdout, said in done.stderr) == (True, "", True)


def test_a_database_outside_the_state_directory_needs_a_static_user() -> None:
    text = unit("--db", "/data/chat/chat.db")
    assert (value(text, "User"), value(text, "ReadWritePaths")) == ("chatd", "/data/chat")
    assert value(text, "RequiresMountsFor") == "/data/chat"
    assert "DynamicUser" not in text
    assert "--db /data/chat/chat.db" in value(text, "ExecStart")
    assert value(text, "ExecReload").endswith(" reload --db /data/chat/chat.db")
    assert "cannot see" in complaint(chatd("unit", "--db", "/home/me/chat.db"), EXIT_USAGE)


def test_a_postgresql_url_is_passed_unchanged() -> None:
    text = unit("--db", "postgresql://chatd@db/chat", "--db-password-file", "/etc/chatd/db-password")
    assert value(text, "DynamicUser") == "yes"
    assert "--db postgresql://chatd@db/chat" in value(text, "ExecStart")
    assert "--db-password-file %d/db-password" in value(text, "ExecStart")
    assert "LoadCredential=db-password:/etc/chatd/db-password" in text


def test_a_node_has_its_passwords_and_key_as_credentials_and_waits_for_the_network() -> None:
    text = unit(*NODE)
    command = shlex.split(value(text, "ExecStart"))
    for name in ("db-password", "bus-password", "bus-cert", "bus-key"):
        assert any(word == f"%d/{name}" for word in command)
        assert f"\nLoadCredential={name}:/etc/chatd/" in text
    assert command[command.index("--bus-ca-file") + 1] == "/etc/ssl/redis.pem"
    assert value(text, "Wants") == "network-online.target"
    assert "Wants=" not in unit()


def test_every_private_file_is_a_credential(tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text(
        "[auth]\njwt_secret_file = ['/etc/chatd/old', 'new=/etc/chatd/new']\n"
        "[listen]\ntls_cert = '/etc/ssl/private/c.pem'\ntls_key = '/etc/ssl/private/k.pem'\n"
    )
    text = unit("--config", str(file))
    assert re.findall("^LoadCredential=(.*)$", text, re.MULTILINE) == [
        "jwt-secret:/etc/chatd/old",
        "jwt-secret-2:/etc/chatd/new",
        "tls-cert:/etc/ssl/private/c.pem",
        "tls-key:/etc/ssl/private/k.pem",
    ]
    start = value(text, "ExecStart")
    assert "--jwt-secret-file %d/jwt-secret --jwt-secret-file new=%d/jwt-secret-2" in start
    assert "--tls-cert %d/tls-cert --tls-key %d/tls-key" in start
    assert start.endswith(f" --config {file}")
    assert "/etc/ssl" not in start


SYSTEMS = """
[api]
api = "127.0.0.1:8600"
api_keys_file = "/etc/chatd/api-keys"

[[webhook]]
name = "crm"
url = "https://crm.example/chat"
secret_file = "/etc/chatd/whsec"

[[notify]]
name = "desk"
smtp = "smtp.example.com"
user = "chatd"
password_file = "/etc/chatd/smtp-password"
from = "chatd@example.com"
to = ["desk@example.com"]
"""


def test_files_of_api_webhooks_and_mailboxes_are_credentials(tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text(SYSTEMS)
    text = unit("--config", str(file))
    assert re.findall("^LoadCredential=(.*)$", text, re.MULTILINE) == [
        "jwt-secret:/etc/chatd/jwt-secret",
        "api-keys:/etc/chatd/api-keys",
        "webhook-crm:/etc/chatd/whsec",
        "notify-desk:/etc/chatd/smtp-password",
    ]
    assert "--api-keys-file %d/api-keys" in value(text, "ExecStart")
    for path in ("/etc/chatd/whsec", "/etc/chatd/smtp-password", "/etc/chatd/api-keys"):
        file.write_text(SYSTEMS.replace(path, "relative"))
        assert "relative is no absolute path" in complaint(chatd("unit", "--config", file), EXIT_USAGE)


def test_a_daemon_with_a_public_key_needs_no_secret() -> None:
    text = unit("--jwt-public-key-file", "/etc/chatd/issuer.pem")
    assert "LoadCredential" not in text
    assert "--jwt-public-key-file /etc/chatd/issuer.pem" in value(text, "ExecStart")


def test_a_reload_uses_the_admin_socket_or_a_signal() -> None:
    assert value(unit("--exec", "/opt/chatd/bin/chatd"), "ExecReload") == (
        "/opt/chatd/bin/chatd reload --db %S/chatd/chatd.db"
    )
    assert value(unit("--no-admin-socket"), "ExecReload") == "/bin/kill -HUP $MAINPID"


def test_a_low_port_needs_one_capability_and_a_socket_unit_none() -> None:
    assert value(unit("--port", "443"), "AmbientCapabilities") == "CAP_NET_BIND_SERVICE"
    assert value(unit("--port", "443", "--with-socket"), "AmbientCapabilities") == ""


def test_a_command_that_the_service_cannot_read_is_a_warning() -> None:
    done = chatd("unit", "--exec", "/home/me/.venv/bin/chatd")
    assert (done.returncode, "install chatd elsewhere" in done.stderr) == (0, True)
    assert chatd("unit", "--exec", "chatd").returncode == EXIT_USAGE


PROGRAM = "import sys; from chatd.cli import main; sys.exit(main())\n"


def printed_by(*command: str | Path, **variables: str) -> str:
    done = subprocess.run([*command, "unit"], check=True, capture_output=True, text=True, env=environment(**variables))
    return done.stdout


def test_the_service_is_started_by_the_command_that_printed_the_unit(tmp_path: Path) -> None:
    script = tmp_path / "chat-server"
    script.write_text(f"#!{sys.executable}\n{PROGRAM}")
    script.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    for text in (printed_by(script), printed_by("sh", "-c", f"{script.name} $0", PATH=path)):
        assert value(text, "ExecStart").startswith(f"{script} serve ")
    assert value(unit(), "ExecStart").startswith(f"{sys.executable} -m chatd serve ")


def test_the_pyz_is_started_by_its_python_and_has_a_folder_to_unpack(tmp_path: Path) -> None:
    file = tmp_path / "chatd.pyz"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__main__.py", PROGRAM)
    text = printed_by(sys.executable, file)
    assert value(text, "ExecStart").startswith(f"{sys.executable} {file} serve ")
    assert value(text, "ExecReload").startswith(f"{sys.executable} {file} reload ")
    assert (value(text, "CacheDirectory"), value(text, "Environment")) == ("chatd", "SHIV_ROOT=%C/chatd")
    assert "SHIV_ROOT" not in unit()
    assert "SHIV_ROOT" in unit("--exec", str(file))


@pytest.mark.parametrize("flag", ["--deny-file", "--config", "--tls-cert", "--client-dir"])
def test_a_relative_path_is_refused(tmp_path: Path, flag: str) -> None:
    (tmp_path / "file").touch()
    assert f"{flag}: file is no absolute path" in complaint(chatd("unit", flag, "file"), EXIT_USAGE)


def test_a_relative_path_in_the_file_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text("[store]\ndb = 'chat.db'\n")
    assert "--db: chat.db is no absolute path" in complaint(chatd("unit", "--config", file), EXIT_USAGE)
