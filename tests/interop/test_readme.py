"""The README's front end code against a daemon started by the README's commands."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.ports import free_port
from tests.cli.command import environment
from tests.interop.node import HERE, node_executable
from tests.interop.processes import ROOT, Server, running

README = (ROOT / "README.md").read_text(encoding="utf-8")
CHATD = f"{sys.executable} -m chatd"


def only(pattern: str) -> str:
    """The only match of `pattern` in the README."""
    [found] = set(re.findall(pattern, README, re.DOTALL))
    return str(found)


def changed(text: str, places: dict[str, str]) -> str:
    """`text` with replacements, each of which must occur."""
    for was, now in places.items():
        assert was in text
        text = text.replace(was, now)
    return text


def shell(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A daemon started by the README's commands in `tmp_path`."""
    shell(only(r"\n    (\(umask 077; openssl rand -hex 32 > secret\))\n"), tmp_path)
    port = free_port()
    here = {"8400": f"{port}", "chat.db": f"{tmp_path}/chat.db", "-file secret": f"-file {tmp_path}/secret"}
    serve = changed(only(r"\n    chatd (serve --host [^\n]*)\n"), here)
    with running([sys.executable, "-m", "chatd", *serve.split()], port, tmp_path / "log") as started:
        yield started


@pytest.fixture
def token(tmp_path: Path, server: Server) -> str:
    return shell(f"{CHATD} {only(r'`chatd (token --user[^`]*)`')}", tmp_path)


def run_in_node(code: str, server: Server, folder: Path) -> str:
    """The output of the code."""
    script = HERE / f"readme-{server.port}.mjs"  # beside node_modules
    script.write_text(code)
    try:
        return shell(f"{node_executable()} {script}", folder)
    finally:
        script.unlink()


def test_the_front_end_talks_to_the_daemon(tmp_path: Path, server: Server, token: str) -> None:
    page = changed(
        only(r"```js\n(import .*?)```"),
        {
            '"socket.io-client"': '"socket.io-client-4.8"',
            "https://chat.example.com": server.url,
            # a browser sends the cookie by itself
            "withCredentials: true": f'extraHeaders: {{ cookie: "token={token}" }}',
        },
    )
    assert re.fullmatch(r"stored \d+", run_in_node(f"{page}socket.disconnect();\n", server, tmp_path))


def test_a_client_without_a_cookie_talks_to_the_daemon(tmp_path: Path, server: Server, token: str) -> None:
    """C-01"""
    connects = changed(
        only(r"```js\n(const socket = io\([^\n]*auth: [^\n]*)\n```"),
        {"https://chat.example.com": server.url, "readToken()": f'"{token}"'},
    )
    whole = only(r"```js\n(import .*?)```").replace('"socket.io-client"', '"socket.io-client-4.8"')
    page = re.sub(r"const socket = .*", lambda _: connects, whole, count=1)
    assert re.fullmatch(r"stored \d+", run_in_node(f"{page}socket.disconnect();\n", server, tmp_path))


def test_a_refused_client_does_not_hang(tmp_path: Path, server: Server) -> None:
    """The README's code unchanged, in Node.js, which has no cookie."""
    page = changed(
        only(r"```js\n(import .*?)```"),
        {'"socket.io-client"': '"socket.io-client-4.8"', "https://chat.example.com": server.url, "10_000": "3_000"},
    )
    imports, _, rest = page.partition("\n\n")
    tried = rest.replace("const socket =", "socket =")
    whole = f"{imports}\nlet socket;\ntry {{\n{tried}\n}} catch (error) {{ console.log(error.message); }}\n"
    said = run_in_node(f"{whole}socket.disconnect();\n", server, tmp_path)
    refused, ended = said.splitlines()
    assert refused.endswith(" token_missing")
    assert ended == "operation has timed out"


def test_the_page_warns_of_the_cookie_that_the_python_client_loses() -> None:
    """C-63: test_python_client.py shows that the client loses it"""
    assert only(
        r"asyncio\.run\(main\(\)\)\n```\n\n(python-socketio loses `headers=\{\"Cookie\": \.\.\.\}` when it reconnects)"
    )


def test_the_python_client_talks_to_the_daemon(tmp_path: Path, server: Server, token: str) -> None:
    """C-01"""
    page = changed(
        only(r"```python\n(import .*?)```"),
        {"https://chat.example.com": server.url, "read_token()": repr(token)},
    )
    (tmp_path / "client.py").write_text(page)
    assert re.fullmatch(r"\{'ok': True, 'id': '\d+', 'fecha': \d+\}", shell(f"{sys.executable} client.py", tmp_path))
