from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chatd.auth.find import find_tokens
from chatd.auth.keys import load_keys
from chatd.auth.verify import Verifier
from chatd.cli import EXIT_CONFIG, EXIT_USAGE
from chatd.cli.dev import configure, how_to_connect, links
from chatd.cli.state import StateFolder
from chatd.engineio.origin import OriginPolicy
from chatd.web.entries import Entries
from tests.cli.command import chatd, complaint, environment
from tests.engineio.test_origin import request as asked
from tests.web.rig import pages


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def test_dev_creates_its_files_and_names_the_source_of_each_value(state: StateFolder) -> None:
    config = configure(state, {"port": "8401"}, {"CHATD_LOG_LEVEL": "debug"})
    assert (config.store.db, config.auth.jwt_secret_file) == (str(state.database), (state.secret_file,))
    assert [config.origins[name] for name in ("db", "jwt_secret_file", "port", "log_level")] == [
        "chatd dev",
        "chatd dev",
        "--port",
        "CHATD_LOG_LEVEL",
    ]
    assert load_keys(config.auth)


def test_tokens_of_a_real_deployment_are_invalid_in_dev(state: StateFolder) -> None:
    variables = {"CHATD_JWT_SECRET": "x" * 40, "CHATD_JWT_PUBLIC_KEY_FILE": "p", "CHATD_JWT_ALGORITHM": "RS256"}
    auth = configure(state, {}, variables).auth
    assert (auth.jwt_secret, auth.jwt_public_key_file, auth.jwt_algorithm) == (None, (), None)
    assert auth.jwt_secret_file == (state.secret_file,)


def test_the_file_of_a_real_deployment_is_not_read(state: StateFolder) -> None:
    config = configure(state, {}, {"CHATD_CONFIG": "/nonexistent/chatd.toml"})
    assert config.store.db == str(state.database)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_served(state: StateFolder, host: str) -> None:
    assert configure(state, {"host": host}, {}).listen.host == (host,)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "localhost.example.org", "127.1"])
def test_other_hosts_are_refused_before_any_file_is_created(state: StateFolder, host: str) -> None:
    line = complaint(chatd("dev", "--state", state.path, "--host", host), EXIT_CONFIG)
    assert "use chatd serve" in line
    assert not state.path.exists()


def test_dev_has_no_flag_for_another_secret(state: StateFolder) -> None:
    complaint(chatd("dev", "--state", state.path, "--jwt-secret-file", "f"), EXIT_USAGE)


def test_the_tokens_of_the_page_are_valid_as_a_cookie(state: StateFolder) -> None:
    flags = {"cookie": "sesion", "jwt_issuer": "us", "jwt_audience": ["chat"], "path": "/chat/", "host": "::1"}
    config = configure(state, flags, {})
    page = how_to_connect(config, state, time.time())
    check = Verifier(config.auth, load_keys(config.auth), time.time)
    headers = re.findall(r'cookie: "([^"]+)"', page)
    assert [check.verify(next(find_tokens(header, None, None, config.auth)).token).rol for header in headers] == [
        "user",
        "admin",
    ]
    browser = re.findall(r'document\.cookie = "([^"]+)"', page)
    assert [check.verify(next(find_tokens(line, None, None, config.auth)).token).is_admin for line in browser] == [
        False,
        True,
    ]
    assert page.count('io("http://[::1]:8400", { path: "/chat/"') == 3
    assert str(state.database) in page


def test_the_page_has_https_links_if_the_port_has_tls(state: StateFolder) -> None:
    for flags, url in [
        ({"tls_cert": "x.crt"}, "https://127.0.0.1:8400"),
        ({"tls_cert": "x.crt", "tls_port": "8443"}, "http://127.0.0.1:8400"),
    ]:
        assert f'io("{url}"' in how_to_connect(configure(state, flags, {}), state, time.time())


def test_each_role_has_a_link_with_its_own_user_name(state: StateFolder) -> None:
    """Two users with one name would share one cookie in one browser."""
    for host, names in [
        ("127.0.0.1", ("localhost", "127.0.0.1")),
        ("::1", ("localhost", "[::1]")),
        ("localhost", ("127.0.0.1", "localhost")),
        ("127.1.2.3", ("127.1.2.3", "127.1.2.3")),  # localhost would be another address
    ]:
        page = links(configure(state, {"host": host}, {}), Entries(), time.time())
        assert tuple(re.findall(r"http://(.+):8400/chatd/enter/[\w-]{24}\n", page)) == names


def test_without_the_console_there_are_no_links(state: StateFolder) -> None:
    assert links(configure(state, {"console": "false"}, {}), Entries(), time.time()) == ""


def test_dev_enables_features_of_the_console_unless_settings_disable_them(state: StateFolder) -> None:
    config = configure(state, {"payload": "brief"}, {"CHATD_ECHO": "off"})
    assert (config.web.console, config.chat.payload, config.chat.echo) == (True, "brief", "off")
    assert configure(state, {}, {}).chat.payload == "full"


async def test_a_link_logs_its_role_in(state: StateFolder) -> None:
    config = configure(state, {}, {})
    entries = Entries()
    paths = re.findall(r"http://[^/]+(/\S+)", links(config, entries, time.time()))
    check = Verifier(config.auth, load_keys(config.auth), time.time)
    async with pages(state.path, entries, console="true") as browser:
        for path, rol, page in zip(paths, ("user", "admin"), ("/chatd/demo", "/chatd/"), strict=True):
            answer = await browser.get(path, "POST", Host="localhost:8400")
            assert (answer.status, answer.header("location")) == (303, page)
            cookie = (answer.header("set-cookie") or "").partition(";")[0]
            assert check.verify(next(find_tokens(cookie, None, None, config.auth)).token).rol == rol


SCRIPT = str(Path(sys.executable).with_name("chatd"))


@pytest.mark.parametrize("started", [(SCRIPT,), (sys.executable, "-m", "chatd")], ids=["script", "module"])
def test_dev_prints_the_page_and_serves_until_it_is_stopped(state: StateFolder, started: tuple[str, ...]) -> None:
    """The printed command for tokens works although chatd is not on the PATH, as after `make run`."""
    line = [*started, "dev", "--state", str(state.path), "--port", "0", "--log-format", "text"]
    without = environment(PATH=os.defpath)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=without) as daemon:
        assert daemon.stdout is not None
        assert daemon.stderr is not None
        try:
            listening = next(text for text in daemon.stderr if " listening " in text)
        finally:
            daemon.send_signal(signal.SIGTERM)
        [port] = re.findall(r"host=127\.0\.0\.1 port=([1-9]\d+)", listening)
        page = daemon.stdout.read()
        assert "document.cookie" in page
        assert set(re.findall(r"http://[^:]+:(\w+)", page)) == {port, "5173"}
    assert daemon.returncode == 0
    assert state.database.exists()
    [command] = re.findall(r"^Tokens for others: (.*)$", page, re.MULTILINE)
    here = {**without, "XDG_STATE_HOME": str(state.path.parent)}
    state.path.rename(state.path.with_name("chatd"))
    done = subprocess.run(["sh", "-ec", command], env=here, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout.count("."), done.stderr) == (0, 2, "")


@pytest.mark.parametrize(("on_path", "called"), [(True, "chatd"), (False, SCRIPT)])
def test_the_printed_command_is_one_that_the_shell_finds(
    monkeypatch: pytest.MonkeyPatch, state: StateFolder, on_path: bool, called: str
) -> None:
    monkeypatch.setattr(sys, "argv", [SCRIPT, "dev"])
    monkeypatch.setenv("PATH", str(Path(SCRIPT).parent) if on_path else os.defpath)
    page = how_to_connect(configure(state, {}, {}), state, time.time())
    assert f"Tokens for others: {called} token --dev" in page


@pytest.mark.parametrize(
    "origin", ["http://localhost:5173", "https://127.0.0.1:3000", "http://[::1]:1", "http://localhost"]
)
def test_pages_of_a_development_server_may_connect(state: StateFolder, origin: str) -> None:
    """E-14"""
    engine = configure(state, {}, {}).engineio
    policy = OriginPolicy(engine.origin, engine.cors_credentials)
    assert policy.allows(asked(origin, host="localhost:8400"))
    for stranger in (
        "http://localhost.evil.example:5173",
        "https://evil.example",
        "http://localhost:5173.evil.example",
    ):
        assert not policy.allows(asked(stranger, host="localhost:8400"))
    assert not OriginPolicy(configure(state, {"origin": "https://a.example"}, {}).engineio.origin, True).allows(
        asked(origin, host="a")
    )
