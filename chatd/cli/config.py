"""`chatd config`: prints the settings and the origin of each value, or a file with all settings."""

from __future__ import annotations

import argparse
import os

from chatd.cli.arguments import add_settings, given_settings
from chatd.cli.reference import default_file, effective_file, markdown
from chatd.daemon.config import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    page = parser.add_mutually_exclusive_group()
    page.add_argument("--default", action="store_true", help="print a file with every setting as a comment instead")
    page.add_argument("--reference", action="store_true", help="print the tables of the documentation instead")
    page.add_argument("--changed", action="store_true", help="print only settings that were set")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    if args.default:
        text = default_file()
    elif args.reference:
        text = markdown()
    else:
        text = effective_file(load(given_settings(args), os.environ), changed_only=args.changed)
    print(text, end="")
    return 0
