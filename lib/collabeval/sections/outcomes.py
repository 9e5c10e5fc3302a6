"""Outcomes over time: is the collaborative improving, and by how much against its baseline."""

from __future__ import annotations

from collabeval.sections import pictures_in_time as pictures
from collabeval.sections.effect import attributable
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks, callout, slug, text
from collabeval.statements import cards, effect, numbers, phrases
from collabeval.statements.facts import Facts, programme

TITLE = "Outcomes over time"
RECALIBRATED = 0.02  # recorded over predicted never further from 1 than this: predictions made to fit each period


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is: the data have one period only."""
    if _over_time(report):
        return None
    return Missing(TITLE, "the data hold one period only", "the same outcomes by year, half-year, quarter or month")


@narrated("outcomes")
def outcomes_over_time(report: Report) -> Section | Missing:
    """The chapter, one part per measure; left out where the data have one period only."""
    parts = [_measure(report, facts) for facts in _over_time(report)]
    return missing(report) or Section(blocks(f"# {TITLE} {{#sec-outcomes}}", *parts))


def _over_time(report: Report) -> list[Facts]:
    return [facts for facts in report.facts if len(pictures.trend_rows(report, facts)) > 1]


def _measure(report: Report, facts: Facts) -> str:
    on_first_page = facts is report.lead
    figure = "" if on_first_page else pictures.trend(report, facts)
    refer = f"The trend is drawn in @fig-trend-{slug(facts.view)}." if on_first_page else ""
    return blocks(
        report.heading(facts.view),
        _message(report, facts),
        refer,
        figure,
        text(_against_predicted(report, facts)),
        text(_same_sites(facts)),
        text(_gap(facts)),
        _spc(report, facts),
        attributable(report, facts.view),
    )


def _message(report: Report, facts: Facts) -> str:
    if facts.change is None:
        return text("There is no baseline to compare with: the current window begins with the first period.")
    words = report.published.params.rules.probability_words
    verdict = phrases.direction(facts, words)
    subject = f"The {phrases.quantity(facts.view)}"
    if verdict:
        said = f"{subject} {verdict}."
    else:
        verb = "fell" if facts.view.params.better == "lower" else "rose"
        said = f"We cannot tell whether the {phrases.quantity(facts.view)} changed: the chance that it {verb} is "
        said += f"{numbers.chance(facts.improved)}."
    return callout(
        "important",
        "Key message",
        text(f"{cards.change_sentence(facts)} {said} {effect.after_change(report.published, facts.view)}"),
    )


def _same_sites(facts: Facts) -> str:
    """The change of the sites with data in both windows: joining and leaving cannot explain it."""
    change = facts.change_same_sites
    if change is None:
        return ""
    places = phrases.change_digits(facts.view, change)
    size = numbers.signed(change.median, places)
    return (
        f"In only those {facts.nouns[1]} that have data in both periods the change is {size} "
        f"{phrases.unit(facts.view)} ({numbers.interval_95(change.lower, change.upper, places, sign=True)}): "
        f"{facts.nouns[1]} that joined or left play no part in this number."
    )


def _against_predicted(report: Report, facts: Facts) -> str:
    """With predicted numbers from outside: what was recorded over what was predicted, before and now.

    A registry that recalibrates every period makes its predicted numbers add up to the recorded ones: then they compare
    sites, and say nothing of change.
    """
    ratios = pictures.trend_rows(report, facts)["observed_expected"].dropna()
    if not facts.view.adjusted or ratios.empty or facts.view.windows.baseline is None:
        return ""
    events = facts.view.params.events
    if ratios.between(1 - RECALIBRATED, 1 + RECALIBRATED).all():
        return (
            f"In every period the predicted {events} add up to the recorded ones, as they do where a registry "
            "recalibrates its "
            f"predictions each time: they make {facts.nouns[1]} comparable and say nothing of change. The change "
            "above is not "
            "adjusted for case-mix."
        )
    return _ratio_then_and_now(report, facts)


def _ratio_then_and_now(report: Report, facts: Facts) -> str:
    view, said = facts.view, []
    for window in (view.windows.baseline, view.windows.current):
        label = "" if window is None else window.label
        ratio = programme(report.published, view, "observed_expected_ratio", label)
        if ratio is None:
            return ""
        span = numbers.interval_95(ratio.lower, ratio.upper, 2)
        said.append((f"{numbers.decimal(ratio.median, 2)} times", f"{phrases.in_period(label)} ({span})"))
    predicted = f" the number predicted for the same {view.params.cases}"
    (before, when), (now, then) = said
    return f"Recorded {view.params.events} were {before}{predicted}{when} and {now}{then}."


def _gap(facts: Facts) -> str:
    """Whether differences between sites became smaller."""
    gap = facts.closing_the_gap
    if gap is None:
        return ""
    span = numbers.interval_95(gap.lower, gap.upper, 2)
    if gap.upper < 1:
        said = f"Differences between {facts.nouns[1]} became smaller"
    elif gap.lower > 1:
        said = f"Differences between {facts.nouns[1]} became larger"
    else:
        said = f"Whether differences between {facts.nouns[1]} became smaller or larger cannot be told"
    return f"{said}: their spread is {numbers.decimal(gap.median, 2)} times what it was at baseline ({span})."


def _spc(report: Report, facts: Facts) -> str:
    rows = pictures.spc_rows(report, facts)
    if rows.empty:
        return ""
    return pictures.spc(report, facts)
