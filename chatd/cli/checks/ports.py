"""Checks the addresses to listen on: they are free, or used by the running daemon."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.cli.checks.finding import Findings
from chatd.listen.config import ListenConfig
from chatd.listen.errors import ListenError
from chatd.listen.tcp import addresses_of, bare, shown
from chatd.listen.unix import check_place

_LISTENING: Final = "0A"  # a state in /proc/net/tcp: https://docs.kernel.org/networking/proc_net_tcp.html


_EVERY_HOST: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104


def check_ports(
    config: ListenConfig, others: Mapping[str, tuple[str, int]], daemon: int | None, findings: Findings
) -> None:
    """`others`: addresses of other listeners, by setting. `daemon`: the process that holds the database, or None."""
    wanted = [("port", bare(host), config.port) for host in config.host] if config.tcp else []
    if config.tls_port is not None:
        wanted += [("tls_port", bare(host), config.tls_port) for host in config.host]
    wanted += [(name, *address) for name, address in others.items()]
    for number, (subject, host, port) in enumerate(wanted):
        earlier = wanted[:number]
        other = next((name for name, its_host, its_port in earlier if _meet(host, port, its_host, its_port)), None)
        if other is not None:
            findings.error(subject, f"{shown(host, port)} is what {other} has: choose another")
        else:
            _check_port(subject, host, port, daemon, findings)
    if config.unix is not None:
        _check_unix(config.unix, daemon, findings)


def check_admin_socket(path: Path, findings: Findings) -> None:
    """A daemon runs without this socket. `check_database` reports that it is in use."""
    try:
        check_place(path)
    except ConfigError as error:
        findings.warning("admin_socket", f"{str(error).removeprefix('unix: ')}: who, kick, send and tail will not work")
    except ListenError:
        pass


def _meet(host: str, port: int, other_host: str, other_port: int) -> bool:
    return 0 < port == other_port and (host == other_host or bool({host, other_host} & _EVERY_HOST))


def _check_port(subject: str, host: str, port: int, daemon: int | None, findings: Findings) -> None:
    where = shown(host, port)
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and daemon is not None and listens(daemon, port):
            findings.ok(subject, f"{where} is held by the running daemon, process {daemon}")
        elif error.errno == errno.EADDRINUSE:
            findings.error(subject, f"{where} is held by another process: stop that one, or choose another")
        elif error.errno == errno.EACCES:
            findings.error(subject, f"{where} is a privilege: take a port above 1023, or grant CAP_NET_BIND_SERVICE")
        else:
            findings.error(subject, f"cannot listen on {where}: {error.strerror or error}")
    else:
        findings.ok(subject, f"{where} is free" if port else f"{host}: any free port")


def _check_unix(path: Path, daemon: int | None, findings: Findings) -> None:
    with findings.refused_as("unix"):
        try:
            check_place(path)
        except ListenError:
            if daemon is None:
                raise
            findings.ok("unix", f"{path} is in use, as is the database, by process {daemon}")
            return
        if not os.access(path.parent, os.W_OK | os.X_OK):
            findings.error("unix", f"{path} cannot be created: give chatd write access to {path.parent}")
        else:
            findings.ok("unix", f"{path} is free")


def _bind(host: str, port: int) -> None:
    """Bind to the address and close the socket, without listening. Raises OSError."""
    for family, address in addresses_of(host, port):
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind((address, port))


def listens(process: int, port: int) -> bool:
    """Whether that process listens on `port`; False also without permission to see its files."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening_inodes(Path("/proc/net") / table, port)}
    try:
        links = [str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:
        return False
    return any(f"socket:[{inode}]" in links for inode in inodes)


def _listening_inodes(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
