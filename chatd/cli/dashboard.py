"""`chatd dashboard`: the dashboard for Grafana, as JSON on stdout."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "In Grafana: Dashboards, New, Import; or put the file into a folder for provisioning."


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(files("chatd.ops").joinpath("grafana.json").read_text(encoding="utf-8"))
    return 0
