"""Amounts of money as a reader takes them in: "US$4.4m", "−£850,000", "EUR 1.2m"."""

from __future__ import annotations

import math

from collabeval.statements.numbers import MINUS, NO_BREAK, NOT_ESTIMATED

STEPS = ((1e9, "bn", "billion"), (1e6, "m", "million"))


def money(amount: float, currency: str) -> str:
    """An amount: from a million on in millions with one decimal, below with three figures that count, thousands marked.

    A currency that ends in a letter stands apart from the number ("EUR 4.4m"), a sign at it ("US$4.4m").
    """
    if not math.isfinite(amount):
        return NOT_ESTIMATED
    size = abs(amount)
    size = round(size, 2 - math.floor(math.log10(size))) if size > 0 else 0.0
    gap = NO_BREAK if currency[-1:].isalnum() else ""
    minus = MINUS if amount < 0 and size > 0 else ""
    for step, letter, _ in STEPS:
        if size >= step:
            shown = size / step
            return f"{minus}{currency}{gap}{shown:,.0f}{letter}" if shown >= 99.5 else (
                f"{minus}{currency}{gap}{shown:,.1f}{letter}")  # fmt: skip
    decimals = 2 if 0 < size < 10 and size != round(size) else 0
    return f"{minus}{currency}{gap}{size:,.{decimals}f}"


def money_interval(lower: float, upper: float, currency: str) -> str:
    """ "US$1.3m to US$9.0m", unbroken."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return NOT_ESTIMATED
    return f"{money(lower, currency)}{NO_BREAK}to{NO_BREAK}{money(upper, currency)}"


def scale_of(amounts: list[float], currency: str) -> tuple[float, str]:
    """What to divide amounts by so that an axis carries small numbers, and the axis' name: (1e6, "million US$")."""
    size = max((abs(amount) for amount in amounts if math.isfinite(amount)), default=0.0)
    for step, _, word in STEPS:
        if size >= step:
            return step, f"{word} {currency}"
    return (1e3, f"thousand {currency}") if size >= 1e4 else (1.0, currency)
