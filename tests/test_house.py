"""README's picture of the house is the one that `make lint` checks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def floors_of_readme() -> list[set[str]]:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| floor | rooms |\n|---|---|\n")[2]
    rows = table.partition("\n\n")[0].splitlines()
    return [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in rows]


def floors_of_contract() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [set(re.findall(r"\w+", layer)) for layer in layers]


def test_readme_and_the_import_contract_have_the_same_floors_in_order() -> None:
    assert floors_of_readme() == [floor for floor in floors_of_contract() if floor != {"__main__"}]


def test_each_room_is_a_package_and_each_package_a_room() -> None:
    packages = {path.parent.name for path in (ROOT / "chatd").glob("*/__init__.py")}
    assert set().union(*floors_of_readme()) == packages
