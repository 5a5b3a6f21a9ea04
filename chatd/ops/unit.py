"""Units for systemd: the service, and the socket that stays open while the service restarts. Pure.

The sandbox allows what chatd needs: read a secret, write one folder, listen.
https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#Sandboxing

Type=notify rather than notify-reload (systemd 253 and later): with notify-reload, a reload that chatd refuses counts as
done. `chatd reload` in ExecReload fails and says why, on every version.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

# Added to the daemon's own time for a stop, to close the database; after that systemd kills the process.
STOP_SPARE_S: Final = 15

PRIVILEGED_BELOW: Final = 1024


FOLDER: Final = "/var/lib/chatd"
"""The default folder of the database: `%S/chatd` in a unit."""

RUNTIME_FOLDER: Final = "/run/chatd"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The values that go into the units."""

    command: Sequence[str]
    """The command that runs chatd; its first word is an absolute path."""
    unpacks: bool
    """Whether the command is a zip file, which unpacks its modules to a disk at its first start."""
    flags: Sequence[str]
    """Arguments of `serve`, escaped for a unit."""
    finding: Sequence[str]
    """Those of `flags` by which other verbs find the daemon; empty without an admin socket."""
    credentials: Mapping[str, str]
    """Paths of files that only root can read, by the name of the service's copy (LoadCredential)."""
    addresses: Sequence[str]
    """Addresses that chatd.socket listens at."""
    socket_mode: str
    """Permissions of the unix socket among `addresses`."""
    ports: Sequence[int]
    """Ports that the service itself opens."""
    has_unix: bool
    """Whether the service itself opens a unix socket, in RUNTIME_FOLDER."""
    folder: str | None
    """The folder of the database; None if it is FOLDER."""
    needs_network: bool
    """Whether the daemon connects to other machines when it starts."""
    stop_timeout_s: float
    open_files: int


def service_unit(about: Deployment, *, socket: bool) -> str:
    """`chatd.service`; with `socket`, it goes with `socket_unit`."""
    command = " ".join(map(escaped, about.command))
    low = any(0 < port < PRIVILEGED_BELOW for port in about.ports)
    needs = ["Requires=chatd.socket", "After=network.target chatd.socket"] if socket else ["After=network.target"]
    if about.needs_network:
        needs += ["Wants=network-online.target", "After=network-online.target"]
    if about.folder is not None:
        needs.append(f"RequiresMountsFor={escaped(about.folder)}")
    return SERVICE.format(
        needs="\n".join(needs),
        command=" ".join([command, "serve", *about.flags]),
        reload=" ".join([command, "reload", *about.finding]) if about.finding else "/bin/kill -HUP $MAINPID",
        credentials="".join(f"LoadCredential={name}:{escaped(path)}\n" for name, path in about.credentials.items()),
        stop_s=round(about.stop_timeout_s + STOP_SPARE_S),
        open_files=about.open_files,
        identity=DYNAMIC_USER if about.folder is None else STATIC_USER.format(folder=escaped(about.folder)),
        runtime=RUNTIME if about.has_unix else "",
        unpacked=UNPACKED if about.unpacks else "",
        capabilities="CAP_NET_BIND_SERVICE" if low else "",
        users="no" if low else "yes",
        also="Also=chatd.socket\n" if socket else "",
    )


def socket_unit(about: Deployment) -> str:
    """`chatd.socket`."""
    listening = "\n".join(f"ListenStream={address.replace('%', '%%')}" for address in about.addresses)
    return SOCKET.format(listening=listening, mode=about.socket_mode)


def escaped(word: str) -> str:
    """`word`, escaped for a command line in a unit, where %, $ and quotes are special."""
    text = word.replace("%", "%%").replace("$", "$$")
    if text and not set(text) & set(" \t\n\"'\\;"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


DYNAMIC_USER: Final = """\
# A user of its own that exists while it runs, and one folder that is its own: /var/lib/chatd.
DynamicUser=yes
"""

STATIC_USER: Final = """\
# The database is in a folder that the user chatd must own; it is made with: useradd --system chatd
User=chatd
ReadWritePaths={folder}
"""

RUNTIME: Final = """\
# The unix socket is in /run/chatd, where a reverse proxy may look it up.
RuntimeDirectory=chatd
RuntimeDirectoryMode=0755
"""

UNPACKED: Final = """\
# chatd.pyz unpacks itself here at its first start.
CacheDirectory=chatd
CacheDirectoryMode=0700
Environment=SHIV_ROOT=%C/chatd
"""

SERVICE: Final = """\
# chatd.service, printed by `chatd unit`
[Unit]
Description=chatd, a support-chat daemon
{needs}

[Service]
Type=notify
ExecStart={command}
# Settings, deny list and public keys are read again; it fails where nothing was reloaded.
ExecReload={reload}
# Read by root, and copied once: a new secret or certificate needs a restart.
{credentials}WorkingDirectory=%S/chatd

# A wrong command line or configuration (2, 78) does not become right by trying again.
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2 78
# Fed from the event loop: a daemon that hangs is started again.
WatchdogSec=30
TimeoutStartSec=90
# Longer than the daemon's own stop_timeout, so that it is never killed while it sends clients away.
TimeoutStopSec={stop_s}
LimitNOFILE={open_files}
# A core dump would hold messages and the secret.
LimitCORE=0
# A bound on memory, if this machine has other work: about 30 MiB and 20 KiB for each connection, and room for bursts.
#MemoryMax=1G

{identity}StateDirectory=chatd
{runtime}{unpacked}StateDirectoryMode=0700
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
PrivateUsers={users}
PrivateDevices=yes
DevicePolicy=closed
PrivateTmp=yes
PrivateIPC=yes
RemoveIPC=yes
KeyringMode=private
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
{also}"""

SOCKET: Final = """\
# chatd.socket, printed by `chatd unit --socket`
[Unit]
Description=chatd's socket, which stays open while the daemon is started again

[Socket]
{listening}
BindIPv6Only=ipv6-only
SocketMode={mode}
FileDescriptorName=chatd
Backlog=4096
NoDelay=yes

[Install]
WantedBy=sockets.target
"""
