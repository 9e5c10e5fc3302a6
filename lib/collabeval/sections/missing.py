"""Periods not sent in, a part of the chapter on measurement: how many and when, and which words hang on them."""

from __future__ import annotations

import pandas as pd

from collabeval.disclosure import MeasureView
from collabeval.sections.report import Report, blocks, text
from collabeval.statements import numbers, tipping
from collabeval.statements import threats as say
from collabeval.statements.words import word

MOST_ROWS = 20


def missing(report: Report) -> str:
    """The part; "" where every period that was due arrived, or the data have no periods."""
    published = report.published
    gaps = [view for view in published.measures if say.share_submitted(published.threats, view) < 1]
    if not gaps or published.params.periods.length == "none":
        return ""
    return blocks("## What was not sent in", *(text(_over_time(report, view)) for view in gaps), _tipping(report))


def _over_time(report: Report, view: MeasureView) -> str:
    """Whether periods go missing more or less than they did, and whether those who leave out do worse."""
    threats, nouns = report.published.threats, report.lead.nouns
    rows = threats.missingness
    rows = rows[rows["measure"].eq(view.name) & rows["period"].ne("")]
    share = 1 - rows["submitted"] / rows["due"]
    worst = rows["period"].iloc[int(share.to_numpy().argmax())]
    label = numbers.lower_first(view.params.label)
    whole = 1 - say.share_submitted(threats, view)
    said = (
        f"For {label}, {_percent(whole)} of the periods that were due are missing; most in "
        f"{numbers.period_name(str(worst))} ({numbers.percent(float(share.max()))}), in the last period "
        f"{numbers.percent(float(share.iloc[-1]))}."
    )
    words = report.published.params.rules.probability_words
    return " ".join(filter(None, (said, say.missing(view, threats, nouns, words))))


def _percent(share: float) -> str:
    return "less than 1%" if share < 0.005 else numbers.percent(share)


def _tipping(report: Report) -> str:
    """The words that would be others if what is missing were so much worse or better than what was sent in."""
    published = report.published
    rows, stake = tipping.shown(published), tipping.at_stake(published)
    left_out = published.threats.tipping_hidden
    nouns = report.lead.nouns
    aside = f" {numbers.capital(numbers.counted(left_out, nouns))} with hidden counts are left out." if left_out else ""
    if rows.empty:
        if not stake:
            return text(f"No word that stands out is about a {nouns[0]} with periods missing.{aside}")
        return text(f"No word that stands out hangs on them: none would be another however far they were.{aside}")
    said = (
        f"Of {numbers.number_word(stake)} words that stand out about {nouns[1]} with periods missing, "
        f"{numbers.number_word(len(rows))} would be {numbers.plural(len(rows), ('another', 'others'))} if those "
        f"periods had been far enough from what the model makes of them.{aside}"
    )
    return blocks(f"{text(said)} They stand in @tbl-tipping.", _table(report, rows))


def _table(report: Report, rows: pd.DataFrame) -> str:
    views = {view.name: view for view in report.published.measures}
    shown = rows.head(MOST_ROWS)
    table = pd.DataFrame(
        {
            numbers.capital(report.lead.nouns[0]): list(shown["site"]),
            "Measure": [views[name].params.label for name in shown["measure"]],
            "Word": _words(shown, "statement"),
            "Periods missing now": [numbers.whole(count) for count in shown["periods"]],
            "Would be another at": [_at(views[str(row["measure"])], row) for _, row in shown.iterrows()],
            "Then": _words(shown, "becomes"),
        }
    )
    if len(views) == 1:
        table = table.drop(columns="Measure")
    caption = "Words that would be others if the periods not sent in were so far from what the model makes of them"
    if len(rows) > MOST_ROWS:
        caption += f" (the {MOST_ROWS} that take the least)"
    return report.table("tipping", table, caption, right=["Periods missing now"])


def _at(view: MeasureView, row: pd.Series) -> str:
    """How far: nothing, where filling the periods in by the model is enough."""
    if row["delta"] == 0:
        return "no difference at all"
    more_events = (row["towards"] == "worse") == (view.params.better == "lower")
    return say.moved(view, row["delta"] if more_events else -row["delta"])


def _words(rows: pd.DataFrame, column: str) -> list[str]:
    pairs = zip(rows["slot"].to_list(), rows[column].to_list(), strict=True)
    return [word(slot, slug) or "no word" for slot, slug in pairs]
