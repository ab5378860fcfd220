"""Plots as plain SVG: an area with linear or logarithmic axes, lines, dots, bars and words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

INK, FAINT, LAND, RED, BLUE = "#22303c", "#c9d2da", "#e7e2d6", "#b3261e", "#2563a8"


@dataclass
class Axis:
    """From values to pixels; ``log`` takes positive values only."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return where a value lies, in pixels."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, 1e-12))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Return round values to mark."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        step = 10 ** math.floor(math.log10(self.high - self.low))
        step = step / 2 if (self.high - self.low) / step < 3 else step
        first = math.ceil(self.low / step)
        return [step * n for n in range(first, math.floor(self.high / step) + 1)]


@dataclass
class Picture:
    """One picture of ``width`` by ``height`` pixels."""

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, width: float = 1, fill: str = ""
    ) -> None:
        """Draw a line through pixels; filled, it is an area."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        kind = "polygon" if fill else "polyline"
        self.parts.append(
            f'<{kind} points="{path}" fill="{fill or "none"}" stroke="{colour}" '
            f'stroke-width="{width}" stroke-linejoin="round"/>'
        )

    def dot(self, x: float, y: float, colour: str, radius: float = 2) -> None:
        """Draw a dot."""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a bar from its upper left corner."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" '
            f'fill="{colour}"/>'
        )

    def words(
        self, x: float, y: float, text: str, anchor: str = "start", size: int = 12, **more: str
    ) -> None:
        """Write words; ``y`` is their base line."""
        extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
            f"{extra}>{escape(text)}</text>"
        )

    def axes(self, x: Axis, y: Axis, across: str, up: str) -> None:
        """Draw both axes with their marks and what they measure."""
        for value in x.ticks():
            at = x.at(value)
            self.line([(at, y.start), (at, y.end)], FAINT, 0.5)
            self.words(at, y.start + 16, number(value), "middle", 11)
        for value in y.ticks():
            at = y.at(value)
            self.line([(x.start, at), (x.end, at)], FAINT, 0.5)
            self.words(x.start - 6, at + 4, number(value), "end", 11)
        self.words((x.start + x.end) / 2, y.start + 34, across, "middle")
        self.words(x.start - 6, y.end - 12, up)

    def clip(self, x: Axis, y: Axis, since: int) -> None:
        """Cut what was drawn since then to the area of the axes."""
        name = f"area{since}"
        inside = "\n".join(self.parts[since:])
        top, bottom = sorted((y.start, y.end))
        self.parts[since:] = [
            f'<clipPath id="{name}"><rect x="{x.start}" y="{top}" width="{x.end - x.start}" '
            f'height="{bottom - top}"/></clipPath><g clip-path="url(#{name})">{inside}</g>'
        ]

    def text(self) -> str:
        """Return the whole as SVG."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'font-family="sans-serif" fill="{INK}">\n'
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def number(value: float) -> str:
    """Return a number as short as it can be read."""
    if value and (abs(value) >= 10_000 or abs(value) < 0.01):
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:g}"
