"""Outcomes over time: is the collaborative improving, and by how much against its baseline."""

from __future__ import annotations

from collabeval.sections import pictures_in_time as pictures
from collabeval.sections.report import Missing, Report, Section, blocks, callout, slug, text
from collabeval.statements import cards, numbers, phrases
from collabeval.statements.facts import Facts, programme

TITLE = "Outcomes over time"


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is: the data have one period only."""
    if _over_time(report):
        return None
    return Missing(TITLE, "the data hold one period only", "the same outcomes by year, half-year, quarter or month")


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
        "important", "Key message", text(f"{cards.change_sentence(facts)} {said} {phrases.CHANGE_NOT_EFFECT}")
    )


def _same_sites(facts: Facts) -> str:
    """The change of the sites with data in both windows: joining and leaving cannot explain it."""
    change = facts.change_same_sites
    if change is None:
        return ""
    places = phrases.change_digits(facts.view, change)
    size = numbers.signed(change.median, places)
    return (
        f"Among the {facts.nouns[1]} with data in both periods alone the change is {size} {phrases.unit(facts.view)} "
        f"({numbers.interval_95(change.lower, change.upper, places, sign=True)}), so that joining and leaving play "
        "no part in it."
    )


def _against_predicted(report: Report, facts: Facts) -> str:
    """With predicted numbers from outside: what was recorded over what was predicted, before and now."""
    baseline = facts.view.windows.baseline
    now = programme(report.published, facts.view, "observed_expected_ratio", facts.labelled_current)
    before = baseline and programme(report.published, facts.view, "observed_expected_ratio", baseline.label)
    if not facts.view.adjusted or baseline is None or now is None or not before:
        return ""
    spans = [numbers.interval_95(ratio.lower, ratio.upper, 2) for ratio in (before, now)]
    return (
        f"Adjusted for case-mix: {facts.view.params.events} were {numbers.decimal(before.median, 2)} times the "
        "number predicted "
        f"{phrases.in_period(baseline.label).strip()} ({spans[0]}) and {numbers.decimal(now.median, 2)} times "
        f"{phrases.in_period(facts.labelled_current).strip()} ({spans[1]})."
    )


def _gap(facts: Facts) -> str:
    """Whether differences between sites became smaller."""
    gap = facts.closing_the_gap
    if gap is None:
        return ""
    span = numbers.interval_95(gap.lower, gap.upper, 2)
    if gap.upper < 1:
        said = "Differences between them became smaller"
    elif gap.lower > 1:
        said = "Differences between them became larger"
    else:
        said = "Whether differences between them became smaller cannot be told"
    return f"{said}: their spread is {numbers.decimal(gap.median, 2)} times what it was at baseline ({span})."


def _spc(report: Report, facts: Facts) -> str:
    rows = pictures.spc_rows(report, facts)
    if rows.empty:
        return ""
    return pictures.spc(report, facts)
