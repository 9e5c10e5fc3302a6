"""The finer print of the effect of the programme: whom it is about, the course before joining, its figure."""

from __future__ import annotations

import math

from collabeval.disclosure import Published
from collabeval.statements import numbers, phrases
from collabeval.statements.effect import Finding, size_of
from collabeval.statements.figures import Words, words
from collabeval.statements.numbers import NO_BREAK

PERIODS = {"month": "months", "quarter": "quarters", "half": "half-years", "year": "years"}


def rests_on(found: Finding, length: str) -> str:
    """Whom the estimate is about, whom they are held against, and who is left out."""
    basis, nouns, cases = found.basis, found.nouns, found.view.params.cases
    outside = int(basis["comparators"])
    size = "" if not math.isfinite(basis["cases"]) else f", {numbers.whole(basis['cases'])} {cases} since joining"
    against = f"{numbers.counted(outside, ('comparator', 'comparators'))} outside the programme and " if outside else ""
    span = numbers.period_name(
        f"{basis['first']}/{basis['last']}" if basis["first"] != basis["last"] else basis["first"]
    )
    said = (
        f"Estimated for {numbers.counted(int(basis['sites']), nouns)} ({span}{size}), held against {against}"
        f"{nouns[1]} that had not joined yet, never against {nouns[1]} that joined earlier."
    )
    left_out = [
        f"{numbers.counted(int(basis[column]), nouns)} {why}"
        for column, why in (
            ("undated", "without a date of joining"),
            ("without_before", "with no data from before joining"),
        )
        if basis[column]
    ]
    if basis["uncompared"]:
        many = numbers.counted(
            int(basis["uncompared"]), (f"result of a single {PERIODS[length][:-1]}", "single results")
        )
        left_out.append(f"{many} with nobody left to be held against")
    return f"{said} Left out: {numbers.listed(left_out)}." if left_out else said


def before_joining(found: Finding) -> str:
    """Whether joiners moved in step with the others before they joined."""
    if found.hidden:
        return ""
    carried = found.estimate("pre_trend_carried_forward")
    if found.before == "not_seen" or carried is None:
        return (
            f"Whether {found.nouns[1]} moved in step before they joined cannot be seen: too few periods before joining."
        )
    size = size_of(found, carried)
    line = f"a straight line through the periods before joining, carried on, would come to {size}"
    if found.before == "diverging":
        return f"Before joining the courses were not parallel: {line}."
    if found.before == "parallel":
        return f"Before joining the courses were parallel as far as it matters: {line}."
    return f"Before joining no difference in course is clear, nor excluded: {line}."


def would_improve(found: Finding) -> str:
    """Which data would make the estimate better; "" where nothing stands out."""
    basis, wishes = found.basis, []
    if not basis["comparators"]:
        wishes.append("comparators, so that the effect can be followed after the last have joined")
    if basis["without_before"]:
        wishes.append(
            f"data from before joining for the {numbers.counted(int(basis['without_before']), found.nouns)} left out"
        )
    if found.before in ("not_seen", "unclear"):
        wishes.append("more periods from before joining, to see whether courses were parallel")
    if found.word == "unclear":
        wishes.append("more cases or more comparators: four times as many halve the interval")
    return f"What would improve this: {numbers.listed(wishes)}." if wishes else ""


def figure(published: Published, found: Finding, length: str, drawn: int, all_times: int) -> Words:
    """The words around the event study; `drawn` of `all_times` event times since joining are shown."""
    view, label = found.view, found.view.params.label
    unit, periods = phrases.unit(view) or numbers.lower_first(label), PERIODS[length]
    title = {
        "better": f"{label}: better than it would have been without the programme",
        "worse": f"{label}: worse than it would have been without the programme",
        "close": f"{label}: the programme made little difference",
        "in_doubt": f"{label}: courses differed before joining, so this is no effect",
    }.get(found.word, f"{label}: whether the programme made a difference cannot be told")
    subtitle = f"{unit}: difference from what would have been without the programme, by {periods} since joining."
    note = (
        "Dots since joining: estimate; thick line: 1 chance in 2 that the truth is inside; thin line: "
        f"95 in{NO_BREAK}100.",
        f"Dots before joining: how far {found.nouns[1]} were from moving in step, against the last of the {periods} "
        "before joining (ring); near zero is good.",
        "Dashed: all periods since joining together.",
        _not_drawn(all_times - drawn, found, periods),
    )  # fmt: skip
    effect = found.estimate("effect")
    size = "" if effect is None or found.hidden else f" All together {size_of(found, effect)}."
    alt = f"Event study of {numbers.lower_first(label)}, {unit}: {drawn} {periods} since joining.{size}"
    return words(published, title, subtitle, note, f"{alt} {before_joining(found)}")


def _not_drawn(number: int, found: Finding, periods: str) -> str:
    if not number:
        return ""
    which = f"{numbers.capital(numbers.number_word(number))} {numbers.plural(number, (periods[:-1], periods))}"
    return f"{which} with few {found.nouns[1]} or small counts {numbers.plural(number, ('is', 'are'))} not drawn."
