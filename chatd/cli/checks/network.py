"""Checks origins, proxies and the limit of open files. Invalid values are already refused by load()."""

from __future__ import annotations

import resource
from typing import Final

from chatd.cli.checks.finding import Findings
from chatd.engineio.config import EngineConfig
from chatd.engineio.origins import UNRESTRICTED
from chatd.engineio.proxies import UNIX, parse_network
from chatd.listen.files import RESERVED
from chatd.web.bundles import load_bundles
from chatd.web.config import WebConfig

_HERE: Final = ("http://localhost", "http://127.0.0.1", "http://[::1]")


def check_client_dir(config: WebConfig, engine_path: str, findings: Findings) -> None:
    if config.client_dir is not None:
        with findings.refused_as("client_dir"):
            findings.ok(
                "client_dir", f"{len(load_bundles(config.client_dir, engine_path))} files from {config.client_dir}"
            )


def check_origins(config: EngineConfig, findings: Findings) -> None:
    unrestricted = [origin for origin in config.origin if origin in UNRESTRICTED]
    plain = [origin for origin in config.origin if origin.startswith("http://") and not origin.startswith(_HERE)]
    if unrestricted:
        findings.warning("origin", f"{', '.join(unrestricted)}: any web page can act as its visitor")
    for origin in plain:
        findings.warning("origin", f"{origin}: an attacker on the network can change that page; serve it by https")
    if not unrestricted and not plain:
        findings.ok("origin", f"pages of {', '.join((*config.origin, 'the own host'))} may connect")


def check_proxies(config: EngineConfig, findings: Findings) -> None:
    everybody = [name for name in config.trusted_proxy if name != UNIX and parse_network(name).prefixlen == 0]
    if everybody:
        findings.warning("trusted_proxy", f"{', '.join(everybody)}: any client can fake its address")
    else:
        findings.ok("trusted_proxy", ", ".join(config.trusted_proxy) or "none: addresses are those of the connections")


def check_open_files(config: EngineConfig, findings: Findings) -> None:
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and config.max_connections > limit - RESERVED:
        text = f"{config.max_connections} is more than the {limit} open files of the system: raise LimitNOFILE"
        findings.warning("max_connections", text)
    else:
        findings.ok("max_connections", f"{config.max_connections or 'without limit'}")
