"""Whether the plan of the analysis stood before the results, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from collabeval.analysis_plan import Entry, changes
from collabeval.statements import numbers

MOST_SAID = 6
DIGITS = 12  # of a fingerprint that are printed: enough to tell plans apart


def moved(entries: Sequence[Entry]) -> str:
    """When the plan was stored, and what was changed in it after results were there; "" where nothing was stored."""
    if not entries:
        return ""
    first, last = entries[0], entries[-1]
    named = f"measures, periods, rules and model (fingerprint {first.fingerprint[:DIGITS]})"
    if first.registered and not first.after_results:
        said = f"The plan, {named}, was registered on {day(first)}, before this edition had results."
    elif first.after_results:
        said = f"The plan, {named}, was stored on {day(first)}, when results were there already."
    else:
        said = f"The plan, {named}, was stored on {day(first)}, at the first run; that it stood before is not shown."
    later = [change for old, new in pairwise(entries) if new.after_results
             for change in changes(old.plan, new.plan)]  # fmt: skip
    if later:
        return f"{said} Changed after results were there, last on {day(last)}: {numbers.listed(later, MOST_SAID)}."
    if len(entries) > 1:
        return f"{said} It was changed before there were results, last on {day(last)}, and not since."
    return f"{said} Nothing in it has changed since."


def day(entry: Entry) -> str:
    """ "3 March 2026"."""
    stored = date.fromisoformat(entry.day)
    return f"{stored.day}{numbers.NO_BREAK}{stored:%B}{numbers.NO_BREAK}{stored.year}"
