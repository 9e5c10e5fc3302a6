"""From values to inches: which range a scale covers, which ticks it carries, and what lies beyond its ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from collabeval.plots.lettering import text_width, widest
from collabeval.plots.page import MARGIN, WIDTH, Page
from collabeval.plots.style import GRID, INK, LABEL, MARK, TEXT2

RATIO_TICKS = (
    (0.001, 0.01, 0.1, 1, 10, 100, 1000),
    (0.1, 0.2, 0.5, 1, 2, 5, 10),
    (0.25, 0.5, 1, 2, 4),
    (0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.4, 2, 3, 4),
    (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2),
    tuple(float(tick) for tick in np.round(np.arange(0.5, 2.0001, 0.05), 2)),
    tuple(float(tick) for tick in np.round(np.arange(0.8, 1.2001, 0.02), 2)),
)
MOST_TICKS = 7
FAR = 8.0  # ratios are cut this many times from the reference and the middle of all, so that the others keep room


@dataclass(frozen=True)
class Axis:
    """What a scale of values says: its name, its kind, and the line that values are held against.

    `kind` "ratio" is logarithmic; "value" is linear (rates, means, differences), from zero if `from_zero`. `ends` name
    the first and the last row where rows themselves are not named ("fewest deaths", "most deaths").
    """

    label: str = ""
    kind: Literal["ratio", "value"] = "ratio"
    reference: float | None = 1.0
    reference_label: str = ""
    from_zero: bool = False
    ends: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Scale:
    """A range of values laid along a line from `start` to `end` (inches)."""

    kind: str
    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()

    def at(self, values: ArrayLike) -> np.ndarray:
        """Places in inches; beyond an end is at that end, NaN stays NaN."""
        share = (_line(self.kind, values) - _line(self.kind, self.low)) / (
            _line(self.kind, self.high) - _line(self.kind, self.low)
        )
        return self.start + np.clip(share, 0, 1) * (self.end - self.start)

    def place(self, value: float) -> float:
        """The place of one value, in inches."""
        return float(self.at(value))

    def inside(self, values: ArrayLike) -> np.ndarray:
        """Places of values on the scale; NaN for those beyond it."""
        numbers = np.asarray(values, dtype=float)
        return np.where((numbers >= self.low) & (numbers <= self.high), self.at(numbers), np.nan)

    def holds(self, value: float | None) -> bool:
        """Whether a value lies on the scale."""
        return value is not None and bool(self.low <= value <= self.high)


def _line(kind: str, values: ArrayLike) -> np.ndarray:
    numbers = np.asarray(values, dtype=float)
    if kind == "value":
        return numbers
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(numbers)  # a ratio of 0 lies at minus infinity: at the lower end


def scale_for(
    axis: Axis, estimates: ArrayLike, ends: ArrayLike, start: float, end: float, apart: float = 0.27
) -> Scale:
    """The scale that shows estimates and the ends of intervals, but for ratios that lie far out.

    Parameters
    ----------
    estimates, ends : values, NaN where there are none; infinite values and ratios of 0 do not stretch the scale.
    start, end : inches; a scale that runs upwards is given its lower edge first. apart : least inches between ticks.
    """
    low, high = _range(axis, _shown(axis, estimates), _shown(axis, ends))
    return replace(scale := Scale(axis.kind, low, high, start, end), ticks=_ticks(scale, apart))


def _shown(axis: Axis, values: ArrayLike) -> np.ndarray:
    numbers = np.asarray(values, dtype=float).ravel()
    keep = np.isfinite(numbers) & ((numbers > 0) | (axis.kind == "value"))
    return numbers[keep]


def _range(axis: Axis, estimates: np.ndarray, ends: np.ndarray) -> tuple[float, float]:
    reference = [] if axis.reference is None else [axis.reference]
    if axis.kind == "ratio":
        centre = axis.reference or 1.0
        middle = float(np.median(estimates)) if estimates.size else centre
        seen = np.concatenate([ends, estimates, reference, [centre / 1.25, centre * 1.25]])
        seen = np.clip(seen, min(centre, middle) / FAR, max(centre, middle) * FAR)
        low, high = float(seen.min()), float(seen.max())
        margin = (high / low) ** 0.03
        return low / margin, high * margin
    seen = np.concatenate([ends, estimates, reference, [0.0] if axis.from_zero else []])
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return (low if axis.from_zero and low == 0 else low - margin), high + margin


def _ticks(scale: Scale, apart: float) -> tuple[float, ...]:
    most = (scale.end - scale.start) / (1.6 * apart)
    if scale.kind == "value":
        steps = MaxNLocator(nbins=max(2, min(6, int(most))), steps=[1, 2, 2.5, 5, 10])
        found = [float(tick) for tick in steps.tick_values(scale.low, scale.high) if scale.holds(tick)]
        return tuple(0.0 if abs(tick) < 1e-12 * (scale.high - scale.low) else tick for tick in found)
    best: tuple[float, ...] = ()
    for candidates in RATIO_TICKS:
        ticks = tuple(float(tick) for tick in candidates if scale.holds(tick))
        if len(best) < len(ticks) <= MOST_TICKS and (len(ticks) < 2 or np.diff(scale.at(ticks)).min() >= apart):
            best = ticks
    return best


def number(value: float) -> str:
    """A tick's number: no needless digits, commas in thousands, a true minus."""
    return f"{value:,.10g}".replace("-", "−")


def draw_across(page: Page, scale: Scale, axis: Axis, grid_top: float | None = None, base: float = 0.0) -> None:
    """Draw a horizontal scale under the body: rule, ticks, numbers, name; grid and reference line through the body.

    `base` is the height of the rule, where several bodies stand on one another.
    """
    top = page.body if grid_top is None else grid_top
    for tick, place in zip(scale.ticks, scale.at(scale.ticks), strict=True):
        if tick != axis.reference:
            page.line([place, place], [base, top], color=GRID, lw=0.6, zorder=0.5)
        page.line([place, place], [base - 0.042, base], color=MARK, lw=0.6)
        page.write(place, base - 0.14, number(tick), ha="center", color=TEXT2)
    if axis.reference is not None and scale.holds(axis.reference):
        page.line([scale.place(axis.reference)] * 2, [base, top], color=INK, lw=0.7, zorder=1)
    page.line([scale.start, scale.end], [base, base], color=MARK, lw=0.6)
    name_across(page, (scale.start + scale.end) / 2, axis.label, base)


def name_across(page: Page, centre: float, label: str, base: float = 0.0) -> None:
    """Set the name of a horizontal scale under its numbers, centred, but never over the page's edge."""
    half = widest([label], LABEL, 400) / 2
    page.write(min(max(centre, MARGIN + half), WIDTH - MARGIN - half), base - 0.325, label, ha="center", color=TEXT2)


def draw_upwards(page: Page, scale: Scale, left: float, right: float, grid: bool = True) -> None:
    """Draw a vertical scale: grid lines across the body and numbers at their left; no line."""
    for tick in scale.ticks:
        if grid:
            page.line([left, right], [scale.place(tick)] * 2, color=GRID, lw=0.6, zorder=0.5)
        page.write(left - 0.06, scale.place(tick), number(tick), ha="right", color=TEXT2)


def column_for_numbers(scale: Scale) -> float:
    """Inches that the numbers of a vertical scale take at its left."""
    return max((text_width(number(tick), LABEL) for tick in scale.ticks), default=0.0) + 0.10
