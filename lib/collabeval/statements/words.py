"""The words of the three slots as a report writes them (the slugs and their rules: docs/estimands.md)."""

from __future__ import annotations

LEVEL = {
    "better": "better than average",
    "worse": "worse than average",
    "close": "close to average",
    "unclear": "cannot be told apart",
    "worse_few_cases": "signal on few cases",
    "not_enough_data": "not enough data",
}
TRAJECTORY = {
    "improved": "improved",
    "worsened": "worsened",
    "no_clear_change": "no clear change",
    "joined_later": "no comparison",
}
DEVIANCE = {
    "positive_deviant": "consistently high performer",
    "emerging": "emerging high performer",
    "candidate": "candidate, worth a visit",
    "review": "review advised",
    "review_persistent": "review advised, persistent",
    "none": "",
}
WORDS = {"level": LEVEL, "trajectory": TRAJECTORY, "deviance": DEVIANCE}

# shorter forms for the right end of a figure's row
SHORT = {"better": "better", "worse": "worse"}

# words that stand out: bold in tables, with their chance in figures
REMARKABLE = frozenset(
    {
        "better", "worse", "worse_few_cases", "improved", "worsened", "positive_deviant", "emerging", "candidate",
        "review", "review_persistent",
    }
)  # fmt: skip


def word(slot: str, slug: str) -> str:
    """The word of a slug; an unknown slug is an error, not a blank.

    Raises
    ------
    KeyError
        if the slot or the slug is not one of those above.
    """
    return WORDS[slot][slug]
