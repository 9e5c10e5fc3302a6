"""Sentences about practices, by rule: what goes with results is a hypothesis for a visit, never a cause."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from collabeval.disclosure import MeasureView
from collabeval.params import Rules
from collabeval.practices import ALIKE, ESTIMATED, FEW, FEWEST_ALIKE, FEWEST_SITES
from collabeval.statements import multiplicity, numbers, phrases
from collabeval.statements.facts import Named
from collabeval.statements.figures import Words, words_with_source
from collabeval.statements.numbers import NO_BREAK

NO_CAUSE = "This compares {0} that do it with {0} that do not; it does not show that the practice is the cause."


def label(practice: str) -> str:
    """A practice's code as words."""
    return practice.replace("_", " ")


def gains(effects: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The estimated gains of one measure's practices, best first."""
    rows = effects[effects["measure"].eq(measure) & effects["estimand"].eq("gain")]
    return rows.sort_values(["q50", "practice"], ascending=[False, True]).reset_index(drop=True)


def word(helps: float, rules: Rules) -> str:
    """ "better" or "worse" from `rules.level` up, as of a site against the average; "unclear" between."""
    return "better" if helps >= rules.level else "worse" if 1 - helps >= rules.level else "unclear"


def named(rows: pd.DataFrame, rules: Rules, wanted: str) -> list[Named]:
    """The practices with a word, each with the chance that it is right."""
    pairs = zip(rows["practice"], rows["helps"], strict=True)
    return [
        Named(label(practice), wanted, helps if wanted == "better" else 1 - helps)
        for practice, helps in pairs
        if word(helps, rules) == wanted
    ]


def finding(rows: pd.DataFrame, rules: Rules, nouns: Sequence[str]) -> str:
    """What goes with better and with worse results, and how many of these by chance."""
    good, bad = (named(rows, rules, wanted) for wanted in ("better", "worse"))
    if not good and not bad:
        return f"Of no practice can it be told whether {nouns[1]} that do it have better results or worse."
    said = []
    for wanted, found in (("better", good), ("worse", bad)):
        if found:
            names = phrases.who(found, len(found))
            said.append(f"{numbers.capital(nouns[1])} have {wanted} results where they do: {names}.")
    by_chance = multiplicity.sentence("practices named", [*good, *bad])
    return " ".join(filter(None, (*said, NO_CAUSE.format(nouns[1]), by_chance)))


def explained(effects: pd.DataFrame, measure: str, nouns: Sequence[str]) -> str:
    """Share of the differences between sites that the practices explain together; "" where nothing is estimated."""
    rows = effects[effects["measure"].eq(measure) & effects["estimand"].eq("share_explained")]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    span = f"95%{NO_BREAK}interval {numbers.percent(row['q025'])} to {numbers.percent(row['q975'])}"
    return (
        f"Together the practices go with about {numbers.percent(row['q50'])} of the differences between {nouns[1]} "
        f"({span}), over {numbers.counted(int(row['sites']), nouns)} that say what they do."
    )


def not_asked(effects: pd.DataFrame, measure: str, nouns: Sequence[str]) -> str:
    """Which practices are not compared, and why."""
    rows = effects[effects["measure"].eq(measure) & effects["status"].ne(ESTIMATED)]
    reasons = {
        ALIKE: f"fewer than {numbers.number_word(FEWEST_ALIKE)} {nouns[1]} do it, or do not",
        FEW: f"fewer than {numbers.number_word(FEWEST_SITES)} {nouns[1]} say what they do",
    }
    said = []
    for status, why in reasons.items():
        found = [label(name) for name in rows.loc[rows["status"].eq(status), "practice"]]
        said += [f"{numbers.listed(found)} ({why})"] if found else []
    return f"Not compared: {'; '.join(said)}." if said else ""


def figure(view: MeasureView, rows: pd.DataFrame, rules: Rules, nouns: Sequence[str], source: str) -> Words:
    """Title, subtitle, note and alt text of the picture of all practices."""
    counts = {wanted: len(named(rows, rules, wanted)) for wanted in ("better", "worse")}
    going = [
        f"{numbers.number_word(count)} {numbers.verb(count, ('goes', 'go'))} with {wanted}"
        for wanted, count in counts.items()
        if count
    ]
    found = f"{' and '.join(going)} results" if going else "none clearly goes with better or worse results"
    title = f"Of {numbers.counted(len(rows), ('practice', 'practices'))} {found}"
    subtitle = (
        f"{view.params.label}: how much better (right) or worse (left) an average {nouns[0]} would be that does it, "
        f"the other practices being equal, in {phrases.unit(view)}."
    )
    note = (
        "Dot: estimate, drawn towards none. Thick line: 1 chance in 2 that the truth is inside; thin line: "
        f"95 in{NO_BREAK}100. A hypothesis for visits, not a proof.",
    )
    alt = f"{numbers.capital(numbers.counted(len(rows), ('practice', 'practices')))} with 95% intervals; {found}."
    return words_with_source(source, title, subtitle, note, alt)
