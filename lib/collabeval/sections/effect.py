"""What of a change is due to the programme: a part of the chapter on outcomes over time, one for each measure."""

from __future__ import annotations

import pandas as pd

from collabeval import plots
from collabeval.disclosure import MeasureView
from collabeval.sections.report import Missing, Report, blocks, callout, figure_text, slug, text
from collabeval.statements import effect as say
from collabeval.statements import effect_detail as detail
from collabeval.statements import numbers, phrases

ROWS = (
    ("rate_with", "With the programme, as recorded"),
    ("rate_without", "Without it, as estimated"),
    ("effect", "Difference: the effect"),
    ("relative_effect", "Ratio"),
    ("events_avoided", "{gained}"),
    ("effect_from_reference", "Difference, measured from the last period before joining alone"),
    ("pre_trend_carried_forward", "Course before joining, carried on as a straight line"),
    ("effect_beyond_pre_trend", "Difference beyond that line"),
)

MISSING = Missing(
    "What is due to the programme",
    "nobody outside it was given to compare with",
    "a table of comparators (comparators.csv), or “effect: {}” in the params file where sites joined in turn",
)


def missing(report: Report) -> Missing | None:
    """What stands in the list of chapters left out; None where an effect was asked for."""
    return MISSING if report.published.effect is None else None


def attributable(report: Report, view: MeasureView) -> str:
    """The part of one measure: finding, figure, table, what would improve it; "" where nothing was asked of it."""
    found = say.find(report.published, view)
    if found is None:
        return ""
    depth = "##" if len(report.facts) == 1 else "###"
    heading = f"{depth} What is due to the programme"
    length = report.published.params.periods.length
    if not found.estimable:
        return blocks(heading, text(say.not_estimable(found)))
    if found.word == "not_reliable":
        return blocks(heading, text(say.finding(found)))
    said = callout("important", "Attributable to the programme", text(say.finding(found)))
    return blocks(
        heading,
        said,
        text(say.ASSUMES.format(sites=found.nouns[1])),
        text(f"{detail.rests_on(found, length)} {detail.before_joining(found)}"),
        _figure(report, found, length),
        _table(report, found),
        text(detail.would_improve(found)),
    )


def _figure(report: Report, found: say.Finding, length: str) -> str:
    """The event study; "" where no event time since joining may be shown."""
    assert report.published.effect is not None
    rows = report.published.effect.of("event_time", found.view)
    seen = rows[~rows["hidden"]]
    after, all_times = seen["estimand"].eq("effect"), int(rows["estimand"].eq("effect").sum())
    if not after.any():
        return ""
    reference = -1 - int(found.basis["anticipation"])
    zero = dict.fromkeys(("q025", "q25", "q50", "q75", "q975"), 0.0)
    ring = pd.DataFrame([{"event_time": reference, "phase": "reference", **zero}])
    phases = seen.assign(phase=["after" if is_after else "before" for is_after in after])
    drawn = pd.concat([phases, ring], ignore_index=True).astype({"event_time": int}).sort_values("event_time")
    effect = found.estimate("effect")
    overall = None if effect is None or found.hidden else effect.median
    places = 1 if effect is None else phrases.change_digits(found.view, effect)
    labels = plots.EventLabels(
        axis=f"{detail.PERIODS[length]} since joining",
        overall=overall,
        overall_label="" if overall is None else f"together {numbers.signed(overall, places)}",
        found=found.word in say.FOUND,
    )
    words = detail.figure(report.published, found, length, int(after.sum()), all_times)
    picture = plots.event_study(drawn, figure_text(words, found.nouns[1]), labels)
    return report.figure(f"effect-{slug(found.view)}", words, picture)


def _table(report: Report, found: say.Finding) -> str:
    """The estimands of one measure with their intervals."""
    view = found.view
    effect = found.estimate("effect")
    if effect is None:
        return ""
    places = phrases.change_digits(view, effect)
    shown = []
    for estimand, label in ROWS:
        estimate = say.gained(found) if estimand == "events_avoided" else found.estimate(estimand)
        if estimate is None:
            continue
        digits = {"events_avoided": 0, "relative_effect": 2}.get(estimand, places)
        sign = estimand not in ("rate_with", "rate_without", "relative_effect", "events_avoided")
        write = numbers.signed if sign else numbers.decimal
        span = numbers.interval(estimate.lower, estimate.upper, digits, sign)
        shown.append((label.format(gained=say.gained_label(found)), write(estimate.median, digits), span))
    unit = phrases.unit(view)
    table = pd.DataFrame(shown, columns=["All periods since joining", "Estimate", "95% interval"])
    caption = f"{view.params.label}: what is due to the programme" + (
        f" ({unit}, where nothing else is said)" if unit else ""
    )
    return report.table(f"effect-{slug(view)}", table, caption, right=["Estimate", "95% interval"])
