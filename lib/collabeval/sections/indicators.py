"""Indicators of some features as a part of a chapter: the finding, one figure, one table, what would improve them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from collabeval import plots
from collabeval.sections.report import Missing, Report, blocks, callout, figure_text, text
from collabeval.statements import indicators as read
from collabeval.statements import indicators_said as say
from collabeval.statements import numbers
from collabeval.statements.indicators import Reading

QUANTILES = ("q025", "q25", "q50", "q75", "q975")
PERCENT = "%"
VERDICTS = {
    read.AT: "at target", read.SHORT: "short of target", read.UNCLEAR: "cannot tell", read.RECORDED: "as recorded",
    read.NO_TARGET: "no target",
}  # fmt: skip


def opening(report: Report, features: Sequence[str], of_what: str) -> str:
    """The finding of a chapter as its key message; "" where no indicator of these features has numbers."""
    readings = _with_numbers(report, features)
    words = report.published.params.rules.probability_words
    if not readings:
        return ""
    return callout("important", "Key message", text(say.finding(readings, of_what, words)))


def part(report: Report, name: str, features: Sequence[str], of_what: str) -> str:
    """Figure, table and improvements of the indicators of some features; "" where none has numbers.

    `name` tells the figure and the table of one chapter from those of others; `of_what` is what they are indicators of,
    in a sentence.
    """
    published, words = report.published, report.published.params.rules.probability_words
    every, readings = read.read(published, features), _with_numbers(report, features)
    if not readings:
        return ""
    return blocks(
        text(say.details(readings, words)),
        _figure(report, name, readings, of_what),
        _table(report, name, readings, of_what),
        text(say.without_numbers(every, read.year_of(published))),
        _improvements(report, readings),
    )


def added(report: Report, name: str, features: Sequence[str], of_what: str) -> str:
    """The same as the last part of a chapter that is about more: its heading, its finding and the rest."""
    shown = part(report, name, features, of_what)
    return blocks("## Indicators", opening(report, features, of_what), shown) if shown else ""


def there(report: Report, features: Sequence[str]) -> bool:
    """Whether some indicator of these features has numbers to show."""
    return read.has_numbers(report.published, features)


def missing(report: Report, title: str, features: Sequence[str], lacks: str) -> Missing | None:
    """Why a chapter made of the indicators of some features is left out, if it is."""
    if read.has_numbers(report.published, features):
        return None
    named = [one.indicator.id for one in read.read(report.published, features)]
    if named and "indicators" in report.published.params.data.further:
        return Missing(
            title, "its indicators have no numbers this year", f"rows of {numbers.listed(named, 4)} in indicators.csv"
        )
    rows = f" with rows of {numbers.listed(named, 4)}" if named else ""
    return Missing(title, f"no data on {lacks}", f"a table of indicators{rows} (indicators.csv; docs/indicators.md)")


def _with_numbers(report: Report, features: Sequence[str]) -> list[Reading]:
    return [one for one in read.read(report.published, features) if one.word != read.NO_DATA]


def _figure(report: Report, name: str, readings: Sequence[Reading], of_what: str) -> str:
    """Those with most to say where there are more than a page holds: short of target first, without target last."""
    order = [read.SHORT, read.UNCLEAR, read.AT, read.RECORDED, read.NO_TARGET]
    kept: list[Reading] = []
    for one in sorted(readings, key=lambda one: order.index(one.word)):
        kept += [one] if plots.fit_on_a_page([other.indicator.shown_unit for other in (*kept, one)]) else []
    shown = sorted((one for one in readings if one in kept), key=lambda one: one.indicator.shown_unit != PERCENT)
    units = list(dict.fromkeys(one.indicator.shown_unit for one in shown))
    shown = [one for unit in units for one in shown if one.indicator.shown_unit == unit]
    title = say.headline(readings, of_what)
    words = say.figure(report.published, shown, title, read.year_of(report.published), len(readings) - len(shown))
    rows = pd.DataFrame([_drawn(one) for one in shown])
    axes = {unit: _axis(unit) for unit in units}
    drawn = plots.indicators(rows, figure_text(words, report.lead.nouns[1]), axes)
    return report.figure(f"indicators-{name}", words, drawn)


def _axis(unit: str) -> plots.Axis:
    label = "Per cent" if unit == PERCENT else numbers.capital(unit) or "Value"
    return plots.Axis(label, "value", None, from_zero=unit != PERCENT)


def _drawn(one: Reading) -> dict[str, object]:
    """A row of the figure."""
    row, indicator = one.row, one.indicator
    middle, last = row["q50"], row["last_q50"]
    values = {name: row[name] for name in QUANTILES}
    values["q50"] = row["recorded"] if math.isnan(middle) and not row["hidden"] else middle
    verdict = VERDICTS[one.word]
    tag = ""
    if one.word in (read.AT, read.SHORT):
        tag = f"{one.said}: {read.chance_of(one)}"
    elif one.word == read.UNCLEAR:
        tag = f"{read.chance_of(one)} at target"
    return values | {
        "label": indicator.label, "unit": indicator.shown_unit, "word": one.word if tag and one.said else "",
        "detail": f"target {read.target(indicator)}" if indicator.target is not None else "",
        "target": math.nan if indicator.target is None else indicator.target,
        "last": row["last_recorded"] if math.isnan(last) else last,
        "value": f"{read.value(one)}, {verdict}", "tag": tag,
    }  # fmt: skip


def _table(report: Report, name: str, readings: Sequence[Reading], of_what: str) -> str:
    year = read.year_of(report.published)
    hidden = [bool(one.row["hidden"] or one.row["last_hidden"]) for one in readings]
    table = pd.DataFrame(
        {
            "Indicator and its target": [_named(one) for one in readings],
            "Recorded": [read.recorded(one) for one in readings],
            year or "Estimate": [read.interval(one) for one in readings],
            "Last year": [read.value(one, "last_") for one in readings],
            "At target": [_chance(one.row["at_target"], one.row["hidden"]) for one in readings],
            "Better than last year": [
                _chance(one.row["better"], either) for one, either in zip(readings, hidden, strict=True)
            ],
        }
    )
    bold = [one.word in (read.AT, read.SHORT) for one in readings]
    caption = f"Indicators of {of_what}: 95% intervals, and the chances of being at target and better than last year"
    return report.table(f"indicators-{name}", table, caption, bold, right=list(table.columns[1:]))


def _named(one: Reading) -> str:
    """ "Cases locked on time (at least 95%)"."""
    label, indicator = one.indicator.label, one.indicator
    return label if indicator.target is None else f"{label} ({read.target(indicator)})"


def _chance(probability: float, hidden: object) -> str:
    if math.isnan(probability):
        return numbers.NOT_ESTIMATED
    if not hidden:
        return numbers.chance_short(probability)
    least = probability >= 0.5
    return f"{'at least' if least else 'at most'} {numbers.chance(probability)}"


def _improvements(report: Report, readings: Sequence[Reading]) -> str:
    """What would improve this: the indicators that fall short by the rule, worst first, and what usually helps."""
    found = say.improvements(report.published, readings, report.lead.nouns)
    least = numbers.chances_at_least(min(report.published.params.rules.probability_words.values()))
    if not found:
        return f"**What would improve this.** {text(f'No indicator falls short by the rule ({least}).')}"
    lines = [f"- **{text(label)}**: {text(rest)}" for label, rest in found]
    which = numbers.plural(len(found), ("This falls short of its target", "These fall short of their targets"))
    intro = f"{which} with {least}; what is said last is what usually helps."
    return blocks(
        f"**What would improve this.** {text(intro)}",
        "\n".join(lines),
    )
