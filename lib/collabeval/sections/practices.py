"""What high performers do differently, a part of the chapter on positive deviance."""

from __future__ import annotations

import pandas as pd

from collabeval import plots
from collabeval.disclosure.practices import Practices
from collabeval.plots import Axis
from collabeval.sections.pictures import QUANTILES, tag_of
from collabeval.sections.report import Missing, Report, blocks, callout, figure_text, slug, text
from collabeval.statements import numbers, phrases
from collabeval.statements import practices as say
from collabeval.statements import words as slugs
from collabeval.statements.facts import Facts, Named

LATEST = 5  # periods of the table of who does what
LACKING = Missing(
    "What high performers do differently", "no table of practices was given", "a table of practices (practices.csv)"
)


def practices(report: Report) -> str:
    """Practices compared, one part per measure, and how many sites do each; or what data would be needed."""
    found, noun = report.published.practices, report.lead.nouns[0]
    if found is None:
        return text(
            f"What the high performers do differently is not part of this report: a table of practices by {noun} "
            "(practices.csv) would be needed."
        )
    parts = [_measure(report, facts, found) for facts in report.facts]
    return blocks("## What high performers do differently", *parts, _adoption(report, found))


def _measure(report: Report, facts: Facts, found: Practices) -> str:
    name, rules, nouns = facts.view.name, report.published.params.rules, facts.nouns
    rows = say.gains(found.effects, name)
    heading = f"### {text(facts.view.params.label)}" if len(report.facts) > 1 else ""
    left_out = text(say.not_asked(found.effects, name, nouns))
    if rows.empty:
        return blocks(heading, left_out)
    rows = _drawn(report, facts, rows)
    words = say.figure(facts.view, rows, rules, nouns, report.published.params.data.note)
    across = f"worse ← {phrases.unit(facts.view)} → better"
    axis = Axis(across, kind="value", reference=0.0, reference_label="no difference", ends=("best", "worst"))
    drawn = plots.caterpillar(rows, figure_text(words, "practices"), axis)
    return blocks(
        heading,
        callout("important", "Key message", text(say.finding(rows, rules, nouns))),
        text(say.explained(found.effects, name, nouns)),
        report.figure(f"practices-{slug(facts.view)}", words, drawn),
        _table(report, facts, rows),
        left_out,
    )


def _drawn(report: Report, facts: Facts, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as `plots.caterpillar` takes them, on the base at which the measure's rates are shown."""
    rules, named = report.published.params.rules, []
    for row in rows.to_dict("records"):
        word = say.word(row["helps"], rules)
        named.append(Named(row["practice"], word, row["helps"] if word == "better" else 1 - row["helps"]))
    chances = [phrases.chance_of(one) if one.slug in slugs.REMARKABLE else "" for one in named]
    tags = [tag_of("level", one.slug, chance) for one, chance in zip(named, chances, strict=True)]
    labels = [say.label(one.site) for one in named]
    rows = rows.assign(
        **{quantile: rows[quantile] * facts.view.base / facts.view.params.scale for quantile in QUANTILES}
    )
    return rows.assign(label=labels, word=[one.slug for one in named], tag=tags, chance=chances)


def _table(report: Report, facts: Facts, rows: pd.DataFrame) -> str:
    size = rows[QUANTILES].to_numpy()
    digits = phrases.difference_digits(rows["q025"], rows["q975"])
    noun = numbers.capital(facts.nouns[1])
    table = pd.DataFrame({"Practice": rows["label"], f"{noun} asked": rows["sites"].map(numbers.whole)})
    table["Do it"] = [numbers.percent(share) for share in rows["share"]]
    table["Better by"] = [numbers.signed(value, digits) for value in size[:, 2]]
    table["95% interval"] = [numbers.interval(row[0], row[4], digits, sign=True) for row in size]
    table["Chance of better"] = [numbers.chance_short(helps) for helps in rows["helps"]]
    if rows["matters"].notna().all():
        table["By enough to matter"] = [numbers.chance_short(chance) for chance in rows["matters"]]
    caption = f"{facts.view.params.label}: results where a practice is done, in {phrases.unit(facts.view)}"
    bold = [word in slugs.REMARKABLE for word in rows["word"]]
    return report.table(f"practices-{slug(facts.view)}", table, caption, bold, right=list(table.columns[1:]))


def _adoption(report: Report, found: Practices) -> str:
    """How many of the sites do each practice, by period."""
    if found.adoption.empty:
        return ""
    wide = found.adoption.pivot(index="practice", columns="period", values="share")
    shown = wide[wide.columns[-LATEST:]]
    table = pd.DataFrame({"Practice": [say.label(str(name)) for name in shown.index]})
    for period in shown:
        table[numbers.period_name(str(period)) if period else "Share"] = [
            numbers.NOT_ESTIMATED if share != share else numbers.percent(share) for share in shown[period]
        ]
    caption = f"How widely each practice is done: mean share over the {report.lead.nouns[1]} that say"
    return report.table("practice-adoption", table, caption, right=list(table.columns[1:]))
