"""Tokens, charts, tables and process statistics."""

from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ET

import jwt
import pytest

from bench import machine, report, svg, tokens


def test_a_jwt_library_accepts_a_token() -> None:
    claims = jwt.decode(tokens.mint("ana", "admin"), tokens.SECRET, algorithms=["HS256"])
    assert claims["exp"] > time.time()
    assert (claims["user"], claims["rol"]) == ("ana", "admin")


def test_the_cpu_clock_counts_the_work_of_a_process() -> None:
    before, spent = machine.cpu_s(os.getpid()), time.process_time()
    sum(range(1_000_000))
    assert machine.cpu_s(os.getpid()) - before == pytest.approx(time.process_time() - spent, abs=0.01)


def test_resident_memory_grows_with_allocations() -> None:
    before = machine.resident_bytes(os.getpid())
    held = os.urandom(32 << 20)
    assert machine.resident_bytes(os.getpid()) - before > len(held) * 0.9


def test_facts_name_the_machine() -> None:
    facts = machine.facts()
    assert facts["cores"] == os.cpu_count()
    assert facts["cpu"]


def test_the_length_of_a_bar_is_proportional_to_its_value() -> None:
    series = [svg.Series("chatd", [100.0, 50.0], 0), svg.Series("<other>", [25.0, 0.0], 1)]
    root = ET.fromstring(svg.Bars(title="T", subtitle="s", groups=["a", "b"], series=series, unit="u").render())
    bars = [rect for rect in root.iter("{http://www.w3.org/2000/svg}rect") if rect.get("height") == str(svg.BAR - 2)]
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths == pytest.approx([widths[0], widths[0] / 4, widths[0] / 2, 1.0], abs=0.1)
    assert any(text.text == "<other>" for text in root.iter("{http://www.w3.org/2000/svg}text"))


def test_higher_values_are_higher_up() -> None:
    lines = [svg.Line("chatd", [(10.0, 1.0), (100.0, 10.0), (1000.0, 1000.0)], 0), svg.Line("none", [], 1)]
    root = ET.fromstring(svg.Lines(title="T", subtitle="s", series=lines, x_unit="x", y_unit="y").render())
    places = [
        (float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter("{http://www.w3.org/2000/svg}circle")
    ]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)


@pytest.mark.parametrize(
    ("value", "text"), [(1_234_567, "1.23M"), (83_400, "83k"), (4_200, "4.2k"), (950, "950"), (0, "0")]
)
def test_counts_are_formatted(value: float, text: str) -> None:
    assert report.count(value) == text


def test_tables_are_aligned() -> None:
    assert report.aligned([["server", "x"], ["a", "1.00"]]) == ["server     x", "------  ----", "a       1.00"]
