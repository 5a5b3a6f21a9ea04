"""Ports that are chosen now and bound later, by concurrent processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import Final

from bench.ports import free_port
from tests.interop.processes import ROOT

COUNT: Final = 250  # more than one block has
CHOOSES: Final = f"""
from bench.ports import free_port
print(*(free_port() for _ in range({COUNT})), flush=True)
input()
"""


def choosing() -> subprocess.Popen[str]:
    """A process that prints the ports it chose, and then waits."""
    return subprocess.Popen(
        [sys.executable, "-c", CHOOSES], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def chosen(process: subprocess.Popen[str]) -> set[int]:
    assert process.stdout is not None
    return {int(port) for port in process.stdout.readline().split()}


def test_no_port_is_chosen_twice_although_nothing_binds_it_yet() -> None:
    processes = [choosing() for _ in range(6)]
    ports = [chosen(process) for process in processes]
    for process in processes:
        process.communicate("\n")
    assert [len(of_one) for of_one in ports] == [COUNT] * 6
    assert len(set().union(*ports)) == 6 * COUNT


def test_the_ports_of_a_killed_process_are_free_again() -> None:
    """More processes, one after another, than there are blocks of ports."""
    for _ in range(60):
        with choosing() as process:
            assert len(chosen(process)) == COUNT
            process.send_signal(signal.SIGKILL)


def test_a_port_in_use_is_skipped() -> None:
    with socket.create_server(("127.0.0.1", free_port() + 1)) as taken:
        port = free_port()
        assert port != taken.getsockname()[1]
        socket.create_server(("127.0.0.1", port)).close()
