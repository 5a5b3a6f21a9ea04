from __future__ import annotations

import base64
import contextlib
import datetime
import os
import socket
import sqlite3
import time
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from chatd.cli.check import check
from chatd.cli.checks.database import holder_of
from chatd.cli.checks.finding import Finding, Level
from chatd.cli.checks.keys import weakness_of
from chatd.daemon.config import Raw
from chatd.store.schema import MIGRATIONS
from chatd.store.vouched import DAY_MS, TRUST
from tests.auth.jwks.idp import key_set, providing
from tests.chat.daemon import daemon
from tests.cli.command import chatd
from tests.cli.stored import message, store
from tests.cluster.redis.server import RedisServer
from tests.listen.certificates import DAY, make_certificate

SECRET = "a secret of forty bytes, for tests alone"


def found(subject: str, flags: dict[str, Raw] | None = None, **environ: str) -> list[Finding]:
    """The findings about one subject."""
    findings = check({"port": "0", **(flags or {})}, {"CHATD_JWT_SECRET": SECRET, **environ})
    return [finding for finding in findings if finding.subject == subject]


def only(subject: str, flags: dict[str, Raw] | None = None, **environ: str) -> tuple[Level, str]:
    (finding,) = found(subject, flags, **environ)
    return finding.level, finding.text


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


def test_a_good_configuration_is_one_line_for_each_check_and_creates_no_file(tmp_path: Path) -> None:
    done = chatd("check", "--db", tmp_path / "chatd.db", "--port", "0", CHATD_JWT_SECRET=SECRET)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(":")[0].split() for line in done.stdout.splitlines()]
    subjects = ("configuration", "keys", "db", "port", "origin", "trusted_proxy", "max_connections")
    assert lines == [["ok", subject] for subject in subjects]
    assert list(tmp_path.iterdir()) == []


def test_an_error_changes_the_exit_code_and_a_warning_does_not(tmp_path: Path) -> None:
    db = str(tmp_path / "chatd.db")
    warned = chatd("check", "--db", db, "--port", "0", "--trusted-proxy", "::/0", CHATD_JWT_SECRET=SECRET)
    assert (warned.returncode, "warning trusted_proxy: ::/0" in warned.stdout) == (0, True)
    wrong = chatd("check", "--db", db, "--port", "0", CHATD_JWT_SECRET="x" * 40)
    assert (wrong.returncode, "error   keys: key 1" in wrong.stdout) == (EXIT_CONFIG, True)


def test_every_error_of_the_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "chatd.toml"
    path.write_text("[listen]\nport = -1\nprot = 1\n[nonsense]\n")
    findings = check({"config": str(path)}, {})
    assert [(finding.level, finding.text.count(f"{path}:{line}")) for line, finding in enumerate(findings, 2)] == [
        (Level.ERROR, 1)
    ] * 3
    done = chatd("check", "--config", path)
    assert (done.returncode, len(done.stdout.splitlines())) == (EXIT_CONFIG, 3)


@pytest.mark.parametrize("variables", [{"CHATD_PROT": "1"}, {"CHATD_CONFIG": "/nonexistent"}, {"CHATD_PORT": "x"}])
def test_without_a_valid_configuration_nothing_else_is_checked(variables: dict[str, str]) -> None:
    (finding,) = check({}, {**variables})
    assert (finding.level, finding.subject) == (Level.ERROR, "configuration")


@pytest.mark.parametrize(
    ("secret", "weakness"),
    [
        (b"x" * 32, "repeats its first 1 bytes"),
        (b"secret12" * 4, "repeats its first 8 bytes"),
        (b"ab" * 16 + b"a", "only 2 different bytes"),
        (bytes(range(40)), "counts up or down"),
        (bytes(range(90, 40, -1)), "counts up or down"),
        (b"changeme" * 4 + b"1", "over and over"),
        (b"password1password2password3password4", "over and over"),
        (b"5e884898da28047151d0e56f8dc62927", None),
        (SECRET.encode(), None),
    ],
)
def test_a_weak_secret_is_an_error(secret: bytes, weakness: str | None) -> None:
    said = weakness_of(secret)
    assert said is None if weakness is None else weakness in str(said)


def test_keys_are_checked_one_by_one(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(SECRET)
    bad.write_text("z" * 32)
    good.chmod(0o600)
    bad.chmod(0o644)
    findings = found("keys", {"jwt_secret_file": [f"one={good}", str(bad)]}, CHATD_JWT_SECRET="")
    assert [finding.level for finding in findings] == [Level.OK, Level.ERROR, Level.WARNING]
    assert "key one: HS256, 40 bytes" in findings[0].text
    assert f"{bad} can be read by everybody" in findings[2].text
    assert not any("z" * 8 in finding.text or SECRET in finding.text for finding in findings)
    assert only("keys", CHATD_JWT_SECRET="")[0] is Level.ERROR
    assert "No such file" in only("keys", {"jwt_secret_file": str(tmp_path / "none")}, CHATD_JWT_SECRET="")[1]


def test_the_deny_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deny"
    path.write_text("user:maria\njti:1\njti:2\n")
    assert only("deny_file", {"deny_file": str(path)}) == (Level.OK, f"{path}: 1 users, 2 tokens")
    path.write_text("maria\n")
    level, text = only("deny_file", {"deny_file": str(path)})
    assert (level, "line 1" in text) == (Level.ERROR, True)


def test_a_database_of_another_version_or_program_is_reported(db: Path) -> None:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE mensajes (id INTEGER)")
        db.chmod(0o600)
        assert "another program" in only("db", {"db": str(db)})[1]
        for version, level in ((1, Level.WARNING), (len(MIGRATIONS), Level.OK), (len(MIGRATIONS) + 1, Level.ERROR)):
            connection.execute(f"PRAGMA user_version = {version}")
            assert only("db", {"db": str(db)})[0] is level
    db.write_bytes(b"no database at all, but long enough to have a header" * 40)
    level, text = only("db", {"db": str(db)})
    assert (level, "not a database" in text) == (Level.ERROR, True)


def test_a_database_that_others_can_read_is_a_warning(db: Path) -> None:
    db.touch(mode=0o644)
    assert [finding.level for finding in found("db", {"db": str(db)})] == [Level.WARNING, Level.WARNING]


def test_a_disk_with_less_space_than_min_free_is_a_warning(db: Path) -> None:
    """L-14"""
    level, text = only("min_free", {"db": str(db), "min_free": str(2**50)})
    assert level is Level.WARNING
    assert "messages are refused below min_free, 1073741824 MiB; make room" in text
    assert found("min_free", {"db": str(db), "min_free": "0"}) == []


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    level, text = only("db", {"db": str(tmp_path / "none" / "chatd.db")})
    assert (level, "does not exist: create it" in text) == (Level.ERROR, True)


async def test_the_database_and_the_port_of_a_running_daemon_are_recognised(db: Path) -> None:
    async with daemon(db) as running:
        ana = await running.enter("ana")
        assert (await ana.write("root", "hola"))["ok"]
        port = str(running.client.port)
        before = sorted(db.parent.iterdir())
        flags: dict[str, Raw] = {"db": str(db), "port": port}
        pid = running.process.pid
        assert only("db", flags) == (Level.OK, f"{db}: schema {len(MIGRATIONS)}, in use by process {pid}")
        assert only("port", flags) == (Level.OK, f"127.0.0.1:{port} is held by the running daemon, process {pid}")
        assert sorted(db.parent.iterdir()) == before
        assert (await ana.write("root", "and on it goes"))["ok"]
        # The port of another process than the daemon of this database.
        level, text = only("port", {"db": str(db.with_name("other.db")), "port": port})
        assert (level, "another process" in text) == (Level.ERROR, True)
        running.terminate()
        assert await running.ended() == 0
    assert holder_of(db) is None
    assert only("db", {"db": str(db)})[1].endswith("no daemon runs on it")


async def test_the_database_of_a_killed_daemon_is_checked(db: Path) -> None:
    async with daemon(db) as running:
        assert (await (await running.enter("ana")).write("root", "hola"))["ok"]
        running.process.kill()
        await running.process.wait()
    assert only("db", {"db": str(db)})[0] is Level.OK


def test_an_unusable_address_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert only("port", {"port": str(port)})[0] is Level.ERROR
        assert only("internal", {"internal": f"127.0.0.1:{port}"})[0] is Level.ERROR
    assert only("port", {"port": str(port)}) == (Level.OK, f"127.0.0.1:{port} is free")
    assert only("port", {"host": "192.0.2.1"})[0] is Level.ERROR
    assert only("port", {"host": "no-such-host.invalid"})[0] is Level.ERROR


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_two_listeners_on_one_port_are_an_error(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    both: dict[str, Raw] = {"host": host, "port": str(port), "internal": f"127.0.0.1:{port}"}
    assert only("internal", both) == (Level.ERROR, f"127.0.0.1:{port} is what port has: choose another")
    assert only("port", both)[0] is Level.OK
    api: dict[str, Raw] = {"host": host, "port": str(port), "api": f"127.0.0.1:{port}", "api_keys_file": "keys"}
    assert only("api", api) == (Level.ERROR, f"127.0.0.1:{port} is what port has: choose another")


def test_an_impossible_admin_socket_is_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    level, said = only("admin_socket", {"db": str(folder / "chatd.db")})
    assert (level, "longer than 107 bytes" in said) == (Level.WARNING, True)


def test_the_unix_socket_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "chatd.sock"
    assert only("unix", {"unix": str(path)}) == (Level.OK, f"{path} is free")
    path.touch()
    assert "is no socket" in only("unix", {"unix": str(path)})[1]
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        assert only("unix", {"unix": str(path)})[0] is Level.ERROR
    assert only("unix", {"unix": str(path)})[0] is Level.OK
    assert path.exists()


@pytest.mark.parametrize(
    ("left", "level", "said"),
    [
        (90 * DAY, Level.OK, "for 127.0.0.1, good until "),
        (DAY, Level.WARNING, "renew it soon"),
        (datetime.timedelta(minutes=-1), Level.ERROR, "certificate has expired"),
    ],
)
def test_a_certificate_is_valid_or_expires_soon_or_has_expired(
    tmp_path: Path, left: datetime.timedelta, level: Level, said: str
) -> None:
    cert, key = make_certificate(tmp_path, "one", left=left)
    key.chmod(0o600)
    got, text = only("tls_cert", {"tls_cert": str(cert), "tls_key": str(key)})
    assert (got, said in text) == (level, True)


def test_a_certificate_without_its_key_is_an_error(tmp_path: Path) -> None:
    (cert, key), (_, other) = make_certificate(tmp_path, "one"), make_certificate(tmp_path, "two")
    level, text = only("tls_cert", {"tls_cert": str(cert), "tls_key": str(other)})
    assert (level, "the key is not that of the certificate" in text) == (Level.ERROR, True)
    key.chmod(0o644)
    assert only("tls_key", {"tls_cert": str(cert), "tls_key": str(key)})[0] is Level.WARNING


def test_the_folder_of_bundles_is_checked(tmp_path: Path) -> None:
    assert only("client_dir", {"client_dir": str(tmp_path)})[0] is Level.ERROR
    (tmp_path / "socket.io.min.js").write_text("// here")
    assert only("client_dir", {"client_dir": str(tmp_path)})[0] is Level.OK


@pytest.mark.parametrize(
    ("subject", "flags", "level"),
    [
        ("origin", {"origin": ["https://shop.example", "http://localhost:3000"]}, Level.OK),
        ("origin", {"origin": ["http://shop.example"]}, Level.WARNING),
        ("origin", {"origin": ["*"], "insecure_any_origin": "true"}, Level.WARNING),
        ("trusted_proxy", {"trusted_proxy": ["10.0.0.0/8", "unix"]}, Level.OK),
        ("trusted_proxy", {"trusted_proxy": ["0.0.0.0/0"]}, Level.WARNING),
        ("max_connections", {"max_connections": "9999999"}, Level.WARNING),
        ("max_connections", {"max_connections": "10"}, Level.OK),
    ],
)
def test_an_unsafe_setting_is_a_warning(subject: str, flags: dict[str, Raw], level: Level) -> None:
    assert only(subject, flags)[0] is level


def test_missing_write_permission_is_an_error(db: Path) -> None:
    db.touch(mode=0o400)
    if os.geteuid() == 0:
        assert not [one for one in found("db", {"db": str(db)}) if "read-only" in one.text]
    else:
        assert [one.level for one in found("db", {"db": str(db)}) if "read-only" in one.text] == [Level.ERROR]


def with_time(db: Path, ahead_days: float) -> None:
    """A database whose last known time is behind the clock by `ahead_days`."""
    store(db, [message(0), message(1)])
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute(TRUST, (round(time.time() * 1000 - ahead_days * DAY_MS),))
        connection.commit()


@pytest.mark.parametrize(
    ("ahead_days", "level", "said"),
    [
        (0.1, Level.OK, "older than 30 days; the clock is believed"),
        (400, Level.WARNING, "old messages are not deleted: the clock says"),
        (-30, Level.WARNING, "30.0 days behind what the database knows"),
    ],
)
def test_an_implausible_clock_is_a_warning_if_messages_are_deleted(
    db: Path, ahead_days: float, level: Level, said: str
) -> None:
    """C-59"""
    with_time(db, ahead_days)
    found_level, text = only("retention", {"db": str(db), "retention": "30"})
    assert (found_level, said in text) == (level, True)
    assert ("chatd clock --trust" in text) is (level is Level.WARNING)
    assert found("retention", {"db": str(db)}) == []
    assert sorted(path.suffix for path in db.parent.iterdir()) == [".db", ".lock"]


def test_retention_is_not_checked_without_a_chatd_database(db: Path) -> None:
    flags: dict[str, Raw] = {"db": str(db), "retention": "30"}
    assert found("retention", flags) == []
    db.write_text("no database at all, but as long as the head of one, and so forth" * 4)
    assert found("retention", flags) == []


def test_the_keys_of_an_identity_provider_are_fetched_and_named() -> None:
    """J-01: a provider that does not answer does not stop the start of a daemon."""
    with providing() as idp:
        idp.body = key_set("rsa", "ed")
        flags: dict[str, Raw] = {"jwks_url": idp.url}
        assert only("jwks_url", flags) == (Level.OK, f"{idp.url}: 2 keys: rsa (RS256), ed (EdDSA)")
        assert only("jwt_issuer", flags)[0] is Level.WARNING
        assert only("jwt_audience", flags)[0] is Level.WARNING
        named: dict[str, Raw] = {**flags, "jwt_issuer": "https://login.example", "jwt_audience": "chat"}
        assert found("jwt_issuer", named) + found("jwt_audience", named) == []
        idp.status = 404
        level, text = only("jwks_url", flags)
    assert (level, "it answers 404: nobody can join with a token of it" in text) == (Level.WARNING, True)


def test_redis_is_reached_as_the_daemon_would(tmp_path: Path) -> None:
    """P-09: one that is not there, or refuses the login, keeps no daemon from starting."""
    with RedisServer(tmp_path) as redis:
        neighbours: dict[str, Raw] = {"bus_adapter": "socket.io", "bus_adapter_url": f"unix://{redis.path}"}
        bus: dict[str, Raw] = {"db": "postgresql://chatd@127.0.0.1:1/chat", "bus": f"unix://{redis.path}", "node": "1"}
        redis.start()
        for subject, flags in (("bus_adapter", neighbours), ("bus", bus)):
            assert only(subject, flags) == (Level.OK, f"Redis at {redis.path} answers")
        assert redis.publish("socket.io-request#/#", b"nobody listens any more") == 0
        (tmp_path / "password").write_text("wrong")
        stranger: dict[str, Raw] = {**bus, "bus": f"unix://stranger@{redis.path}"}
        level, text = only("bus", {**stranger, "bus_password_file": str(tmp_path / "password")})
        assert (level, "WRONGPASS" in text) == (Level.WARNING, True)
        redis.kill()
        for subject, flags in (("bus_adapter", neighbours), ("bus", bus)):
            level, text = only(subject, flags)
            assert (level, "cannot be used: No such file" in text) == (Level.WARNING, True)
    assert found("bus") + found("bus_adapter") == []


def test_without_hiredis_the_check_says_what_to_install(tmp_path: Path) -> None:
    """N-01, N-30"""
    (tmp_path / "hiredis.py").write_text("raise ModuleNotFoundError('not installed', name='hiredis')")
    flags = ("--bus-adapter", "socket.io", "--bus-adapter-url", "redis://127.0.0.1", "--port", "0")
    done = chatd("check", "--db", tmp_path / "chat.db", *flags, CHATD_JWT_SECRET=SECRET, PYTHONPATH=str(tmp_path))
    assert done.returncode == EXIT_CONFIG
    assert "error   bus_adapter: it needs the package hiredis: pip install 'chatd[cluster]'" in done.stdout


def test_the_files_of_api_webhooks_and_mailboxes_are_checked(tmp_path: Path) -> None:
    keys, whsec, password = (tmp_path / name for name in ("api-keys", "whsec", "smtp-password"))
    file = tmp_path / "chatd.toml"
    file.write_text(
        f"[api]\napi = '127.0.0.1:0'\napi_keys_file = '{keys}'\n"
        f"[[webhook]]\nname = 'crm'\nurl = 'https://crm.example/'\nsecret_file = '{whsec}'\n"
        f"[[notify]]\nname = 'desk'\nsmtp = 'smtp.example'\nuser = 'chatd'\npassword_file = '{password}'\n"
        "from = 'chatd@example.com'\nto = ['desk@example.com']\n"
    )
    subjects = ("api_keys_file", "webhook crm", "notify desk")
    flags: dict[str, Raw] = {"config": str(file)}
    for subject in subjects:
        level, text = only(subject, flags)
        assert (level, "No such file" in text) == (Level.ERROR, True)
    assert chatd("apikey", "new", "shop", "--scope", "send", "--api-keys-file", keys).returncode == 0
    whsec.write_text(f"whsec_{base64.b64encode(bytes(32)).decode()}\n")
    password.write_text("sesame\n")
    for path in (whsec, password):
        path.chmod(0o600)
    assert [only(subject, flags)[0] for subject in subjects] == [Level.OK] * 3
    assert only("api_keys_file", flags)[1] == f"{keys}: 1 keys"
    for path in (whsec, password):
        path.chmod(0o644)
    assert [[one.level for one in found(subject, flags)] for subject in subjects[1:]] == [[Level.OK, Level.WARNING]] * 2
