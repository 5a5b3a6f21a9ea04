"""Charts as SVG: grouped horizontal bars, and lines. Readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 900
MARGIN: Final = 24
LETTER: Final = 6.3  # width of a letter, about
TOP: Final = 106  # the top of the plot, below title and legend
BAR: Final = 13  # height of a bar, with its gap to the next
GAP: Final = 14  # between groups of bars
LINE_TOP: Final = 126
LINE_LEFT: Final = 76
LINE_HEIGHT: Final = 320
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
# Light and dark colour of the n-th series: the first one, chatd, stands out; the hues suit colour-blind readers.
COLOURS: Final = (
    ("#0b6bcb", "#58a6ff"),
    ("#3f8f4e", "#6fbf7f"),
    ("#c77d0a", "#e3a84a"),
    ("#8a5fb0", "#b794d8"),
    ("#7a828c", "#8b949e"),
    ("#b5bac1", "#565d66"),
    ("#b3437d", "#e07db0"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """A row of bars: a value for each group."""

    name: str
    values: Sequence[float]
    colour: int  # an index of COLOURS


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y), both above zero."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int


def short(value: float) -> str:
    """An axis or bar label: 1.2M, 83k, 950, 4.1."""
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if value >= factor:
            scaled = value / factor
            return f"{scaled:.3g}{unit}" if scaled < 1000 else f"{scaled:.0f}{unit}"
    return f"{value:.3g}"


def _style() -> str:
    light = "".join(f".s{i}{{fill:{a}}}.l{i}{{stroke:{a}}}" for i, (a, _) in enumerate(COLOURS))
    dark = "".join(f".s{i}{{fill:{b}}}.l{i}{{stroke:{b}}}" for i, (_, b) in enumerate(COLOURS))
    return (
        f"<style>text{{font-family:{FONT};fill:#1f2328;font-size:12px}}"
        ".title{font-size:17px;font-weight:600}.quiet{fill:#59636e}.strong{font-weight:600}"
        ".grid{stroke:#d1d9e0;stroke-width:1}.page{fill:#ffffff}"
        ".line{fill:none;stroke-width:2;stroke-linejoin:round}"
        f"{light}@media (prefers-color-scheme: dark){{text{{fill:#f0f6fc}}.quiet{{fill:#9198a1}}"
        f".grid{{stroke:#3d444d}}.page{{fill:#0d1117}}{dark}}}</style>"
    )


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _page(height: float, title: str, subtitle: str, parts: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}"'
    about = f'role="img" aria-label="{escape(title)}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" {size} {about}>',
        _style(),
        f'<rect class="page" width="{WIDTH}" height="{height:.0f}" rx="6"/>',
        _text(MARGIN, 34, title, "title"),
        _text(MARGIN, 54, subtitle, "quiet"),
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def _legend(y: float, series: Sequence[Series] | Sequence[Line]) -> list[str]:
    parts: list[str] = []
    x = float(MARGIN)
    for one in series:
        parts.append(f'<rect class="s{one.colour}" x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12" rx="2"/>')
        parts.append(_text(x + 17, y, one.name))
        x += 17 + LETTER * len(one.name) + 14
    return parts


def _steps(top: float) -> list[float]:
    """Round values from 0 to about `top`, at most six of them."""
    raw = top / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    return [step * i for i in range(math.ceil(top / step) + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Horizontal bars in groups, from zero on a linear scale, each with its figure."""

    title: str
    subtitle: str
    groups: Sequence[str]
    series: Sequence[Series]
    unit: str

    def render(self) -> str:
        top = max(max(series.values) for series in self.series)
        left = MARGIN + 12 + LETTER * max(map(len, self.groups))
        steps = _steps(top)
        right = WIDTH - MARGIN - 44
        scale = (right - left) / steps[-1]
        block = BAR * len(self.series) + GAP
        bottom = TOP + block * len(self.groups)
        parts = _legend(82, self.series)
        for step in steps:
            x = left + step * scale
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>')
            parts.append(_text(x, bottom + 16, short(step), "quiet", "middle"))
        for number in range(len(self.groups)):
            parts += self._group(left, TOP + number * block, number, scale)
        parts.append(_text(right, bottom + 34, self.unit, "quiet", "end"))
        return _page(bottom + 48, self.title, self.subtitle, parts)

    def _group(self, left: float, y: float, number: int, scale: float) -> list[str]:
        middle = y + BAR * len(self.series) / 2 + 3
        parts = [_text(left - 12, middle, self.groups[number], "", "end")]
        for i, series in enumerate(self.series):
            value = series.values[number]
            width = max(1.0, value * scale)
            at = y + i * BAR
            box = f'x="{left:.1f}" y="{at:.1f}" width="{width:.1f}" height="{BAR - 2}" rx="2"'
            parts.append(f'<rect class="s{series.colour}" {box}/>')
            parts.append(_text(left + width + 6, at + 10, short(value), "quiet" if series.colour else "strong"))
        return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines on logarithmic axes. A line may end early."""

    title: str
    subtitle: str
    series: Sequence[Line]
    x_unit: str
    y_unit: str

    def render(self) -> str:
        points = [point for line in self.series for point in line.points]
        xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
        low, high = 10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys)))
        right, bottom = WIDTH - MARGIN - 10, LINE_TOP + LINE_HEIGHT

        def across(x: float) -> float:
            spread = math.log(xs[-1] / xs[0]) or 1.0
            return LINE_LEFT + 16 + (right - LINE_LEFT - 32) * math.log(x / xs[0]) / spread

        def up(y: float) -> float:
            return bottom - LINE_HEIGHT * math.log(y / low) / (math.log(high / low) or 1.0)

        parts = _legend(82, self.series)
        power = float(low)
        while power <= high * 1.001:
            y = up(power)
            parts.append(f'<line class="grid" x1="{LINE_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(_text(LINE_LEFT - 8, y + 4, short(power), "quiet", "end"))
            power *= 10
        parts += [_text(across(x), bottom + 18, short(x), "quiet", "middle") for x in xs]
        parts.append(_text(right, bottom + 38, self.x_unit, "quiet", "end"))
        parts.append(_text(MARGIN, LINE_TOP - 14, self.y_unit, "quiet"))
        for line in self.series:
            places = [(across(x), up(y)) for x, y in line.points]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(f'<polyline class="line l{line.colour}" points="{path}"/>')
            parts += [f'<circle class="s{line.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
        return _page(bottom + 52, self.title, self.subtitle, parts)
