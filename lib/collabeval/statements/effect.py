"""Sentences on the effect of the programme, by rule: never "effect" for a change that nothing is held against."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import pandas as pd

from collabeval.disclosure import MeasureView, Published
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Estimate, as_estimate
from collabeval.statements.numbers import NO_BREAK

# what is missing where nothing can be estimated
NEEDS = {
    "periods": "periods: the same outcomes by month, quarter, half-year or year",
    "dates": "the dates on which {sites} joined (the column “joined” of the table of sites)",
    "after": "periods after {sites} joined",
    "before": "data from before {sites} joined",
    "untreated": "comparators, or {sites} that join later, seen both before and after others join",
    "expected": "predicted numbers both for {sites} and for comparators, or for neither",
}
ASSUMES = (
    "This reads as the programme’s effect if the {sites} would otherwise have moved in step with those they are held "
    "against, and if these were not themselves touched by the programme; no number can settle either."
)
UNRELIABLE = "The estimate of what is due to the programme did not pass its own check, so nothing is said of it."
FOUND = ("better", "worse")


@dataclass(frozen=True)
class Finding:
    """What the run says of one measure: its words, the summary by estimand, and what it rests on."""

    view: MeasureView
    nouns: tuple[str, str]
    word: str
    chance: float
    before: str  # the word for the course before joining
    summary: pd.DataFrame
    basis: pd.Series

    @property
    def estimable(self) -> bool:
        return self.word != "not_estimable"

    @property
    def hidden(self) -> bool:
        return bool(self.basis["hidden"])

    def estimate(self, estimand: str) -> Estimate | None:
        """One estimate over all treated cells, where there is one."""
        rows = self.summary[self.summary["estimand"].eq(estimand)]
        return None if rows.empty else as_estimate(rows.iloc[0])


def find(published: Published, view: MeasureView) -> Finding | None:
    """The finding of one measure; None where nothing was asked of it."""
    if published.effect is None or published.effect.of("basis", view).empty:
        return None
    said = published.effect.of("statements", view)
    words = dict(zip(said["slot"], said["statement"], strict=True))
    chances = dict(zip(said["slot"], said["probability"], strict=True))
    return Finding(
        view=view,
        nouns=published.params.report.site_noun,
        word=words["effect"],
        chance=chances["effect"],
        before=words.get("pre_trend", ""),
        summary=published.effect.of("summary", view),
        basis=published.effect.of("basis", view).iloc[0],
    )


def after_change(published: Published, view: MeasureView) -> str:
    """What must follow a sentence on change, in one sentence: that it is no effect, or what of it is one."""
    found = find(published, view)
    if found is None or not (found.estimable or found.basis["comparators"]):
        return phrases.CHANGE_NOT_EFFECT
    effect = found.estimate("effect")
    if effect is None:
        return not_estimable(found)
    if found.hidden:
        return "What of it is due to the programme rests on counts too small to be shown."
    if found.word == "not_reliable":
        return UNRELIABLE
    if found.word == "in_doubt":
        return "Whether it is due to the programme is in doubt: courses differed before joining."
    if found.word in FOUND:
        return f"Attributable to the programme: {size_of(found, effect)}."
    if found.word == "close":
        return f"Little of it, if any, is due to the programme: {size_of(found, effect)}."
    return f"What of it is due to the programme cannot be told: {size_of(found, effect)}."


def under_trend(published: Published, view: MeasureView) -> str:
    """The line under a trend that says whether it shows an effect."""
    found = find(published, view)
    if found is None or not found.estimable:
        return phrases.CHANGE_NOT_EFFECT
    return "This is change; what of it is due to the programme is estimated apart."


def threat(published: Published) -> tuple[str, str]:
    """The threat that nothing tells what would have been without the programme, and what was done about it."""
    found = [each for view in published.measures if (each := find(published, view)) is not None and each.estimable]
    if not found:
        return (
            "No comparison with places outside",
            "Change is shown, not effect: nothing here tells what would have happened without the collaborative.",
        )
    labels = numbers.listed([numbers.lower_first(each.view.params.label) for each in found])
    others = "" if len(found) == len(published.measures) else " For the other measures change is shown, not effect."
    return (
        "What would have happened without the programme",
        f"Estimated for {labels}. {ASSUMES.format(sites=found[0].nouns[1])}{others}",
    )


def not_estimable(found: Finding) -> str:
    """ "This is change, not effect; the effect of the programme is not estimable: needs comparators …"."""
    needs = NEEDS[str(found.basis["needs"])].format(sites=found.nouns[1])
    return f"This is change, not effect; the effect of the programme is not estimable: needs {needs}."


def finding(found: Finding) -> str:
    """The effect in one or two sentences, by the word the rules give it."""
    effect = found.estimate("effect")
    if effect is None or found.hidden:
        return "The counts behind the effect of the programme are too small to be shown."
    if found.word == "not_reliable":
        return UNRELIABLE
    measured = numbers.lower_first(found.view.params.label)
    if found.word == "in_doubt":
        return (
            f"Since joining, {measured} came out {size_of(found, effect)} from those held against; but the courses "
            "differed before joining already, so this is change against comparators and not to be read as effect."
        )
    if found.word in FOUND:
        verb = "improved" if found.word == "better" else "worsened"
        avoided = _avoided(found)
        return (
            f"Against what would have been without the programme, {measured} {verb}: {size_of(found, effect)}"
            f"{f', or {avoided}' if avoided else ''}. The chance that it {verb} is "
            f"{numbers.chance(found.chance)}."
        )
    if found.word == "close":
        return (
            f"The programme made little difference to {measured}: {size_of(found, effect)}; the chance that it is less "
            f"than the smallest difference that matters is {numbers.chance(found.chance)}."
        )
    return (
        f"Whether the programme changed {measured} cannot be told: against what would have been without it, "
        f"{size_of(found, effect)}."
    )


def size_of(found: Finding, effect: Estimate) -> str:
    """ "−1.6 complications per 100 operations (95% interval −2.4 to −0.8)"."""
    places = phrases.change_digits(found.view, effect)
    size = f"{numbers.signed(effect.median, places)} {phrases.unit(found.view)}".rstrip()
    return f"{size} ({numbers.interval_95(effect.lower, effect.upper, places, sign=True)})"


def gained(found: Finding) -> Estimate | None:
    """Events avoided, or where more are better events gained; for means, where no event is counted, None."""
    avoided = found.estimate("events_avoided")
    if avoided is None or found.view.is_mean:
        return None
    return avoided if found.view.params.better == "lower" else _turned(avoided)


def gained_label(found: Finding) -> str:
    """ "Complications avoided"; where more are better "More patients treated on time"."""
    events = found.view.params.events
    return f"{numbers.capital(events)} avoided" if found.view.params.better == "lower" else f"More {events}"


def _turned(estimate: Estimate) -> Estimate:
    median, lower, upper, low, high = (-value for value in astuple(estimate))
    return Estimate(median, upper, lower, high, low)


def _avoided(found: Finding) -> str:
    """ "about 240 complications avoided (95% interval 120 to 360)", "about 50 more …"; "" for means."""
    gain = gained(found)
    if gain is None:
        return ""
    events, lost = found.view.params.events, gain.median < 0
    shown = _turned(gain) if lost else gain
    size = f"about {numbers.estimated_count(shown.median)}"
    fewer = found.view.params.better == "higher" and lost
    counted = f"{size} {'fewer' if fewer else 'more'} {events}"
    if found.view.params.better == "lower" and not lost:
        counted = f"{size} {events} avoided"
    span = f"{_count(shown.lower)}{NO_BREAK}to{NO_BREAK}{_count(shown.upper)}"
    return f"{counted} (95%{NO_BREAK}interval {span})"


def _count(number: float) -> str:
    return numbers.decimal(round(number, -1) if abs(number) >= 100 else number, 0)
