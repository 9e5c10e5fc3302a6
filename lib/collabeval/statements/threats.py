"""Threats to the conclusions in sentences: what each could amount to, with its number and interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

from collabeval.disclosure import MeasureView
from collabeval.disclosure.threats import Found, Threats
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Estimate
from collabeval.statements.numbers import NO_BREAK

CANNOT_TELL = "we cannot tell"
SEASON_DIFFERS = 0.05  # p of the Wald test below which seasons are said to differ
SLOPES_DIFFER = 0.05  # p of Cochran's Q below which calibration slopes are said to differ between sites
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


def effect(view: MeasureView, value: float, lower: float, upper: float) -> str:
    """ "1.05 times the odds of deaths (95% interval 0.97 to 1.13)"; for means "+0.3 days (…)"."""
    label = numbers.lower_first(view.params.label)
    if view.is_mean:
        places = phrases.change_digits(view, Estimate(value, lower, upper))
        size = f"{numbers.signed(value, places)} {view.params.unit}".rstrip()
        return f"{size} in {label} ({numbers.interval_95(lower, upper, places, sign=True)})"
    scale = "odds" if view.params.family == "binomial" else "rate"
    factor, low, high = (math.exp(number) for number in (value, lower, upper))
    return f"{numbers.decimal(factor, 2)} times the {scale} of {label} ({numbers.interval_95(low, high, 2)})"


def certainty(probability: float, words: Mapping[str, float]) -> str:
    """How sure the direction is: "very probably more (97 in 100)", "we cannot tell whether more or less (…)"."""
    for chance, way in ((probability, "more"), (1 - probability, "less")):
        if word := numbers.probability_word(chance, words):
            return f"{word} {way} ({numbers.chance(chance)})"
    way, chance = max((probability, "more"), (1 - probability, "less"))[::-1]
    return f"{CANNOT_TELL} whether more or less ({way}: {numbers.chance(chance)})"


def volume(view: MeasureView, threats: Threats, nouns: tuple[str, str], words: Mapping[str, float]) -> str:
    """Whether sites with more cases do better, by the model or by the model with volume added; "" if not looked at."""
    own = threats.covariates
    own = own[own["measure"].eq(view.name) & own["kind"].eq("volume")]
    if len(own):
        row = own.iloc[0]
        said = effect(view, row["mean"], row["q025"], row["q975"])
        return (
            f"{numbers.capital(nouns[1])} with twice as many {view.params.cases} have {said}: "
            f"{certainty(row['probability'], words)}."
        )
    found = threats.of(view, "volume")
    if not found:
        return ""
    doubling = found["doubling"]
    said = effect(view, doubling.value, doubling.lower, doubling.upper)
    return (
        f"{numbers.capital(nouns[1])} with twice as many {view.params.cases} have {said}: "
        f"{certainty(doubling.probability, words)}."
    )


def missing(view: MeasureView, threats: Threats, nouns: tuple[str, str], words: Mapping[str, float]) -> str:
    """Whether sites that leave periods out do worse; "" where nothing is missing or it was not looked at."""
    found = threats.of(view, "missing")
    if not found:
        return ""
    ten = found["ten points"]
    said = effect(view, ten.value, ten.lower, ten.upper)
    return (
        f"{numbers.capital(nouns[1])} that left out a tenth more of their periods have {said}: "
        f"{certainty(ten.probability, words)}."
    )


def share_submitted(threats: Threats, view: MeasureView) -> float:
    """Share of all site-periods owed that arrived; NaN where none was owed."""
    rows = threats.missingness[threats.missingness["measure"].eq(view.name) & threats.missingness["period"].eq("")]
    return float(rows["submitted"].sum() / rows["due"].sum()) if rows["due"].sum() else math.nan


def season(view: MeasureView, threats: Threats) -> str:
    """Whether seasons differ, and the one that stands out most; "" where it was not looked at."""
    found = threats.of(view, "season")
    if not found:
        return ""
    far, most = max(((part, one) for part, one in found.items() if part != "any"), key=lambda pair: abs(pair[1].value))
    said = effect(view, most.value, most.lower, most.upper)
    if found["any"].probability < SEASON_DIFFERS:
        return f"Seasons differ: {season_name(far)} stands out with {said}, against the mean of all."
    return f"No season stands out beyond chance; farthest from the mean of all is {season_name(far)} with {said}."


def season_name(label: str) -> str:
    """ "the first quarter", "March", "the second half of the year"."""
    if label.isdigit():
        return MONTHS[int(label) - 1]
    order = ("first", "second", "third", "fourth")[int(label[1:]) - 1]
    return f"the {order} {'quarter' if label[0] == 'Q' else 'half of the year'}"


def regression_to_mean(view: MeasureView, threats: Threats, nouns: tuple[str, str]) -> str:
    """Of the change that the worst at baseline show as recorded, what is left in the estimates; "" if not asked."""
    found = threats.of(view, "regression_to_mean")
    if not found:
        return ""
    count, recorded, estimated = int(found["sites"].value), found["recorded"].value, found["modelled"]
    span = numbers.interval_95(estimated.lower, estimated.upper, 1 if view.is_mean else 2, sign=True)
    what = numbers.lower_first(view.params.label) if view.is_mean else f"the ratio of {view.params.events} to typical"
    places = 1 if view.is_mean else 2
    which = numbers.plural(count, (f"{nouns[0]} that was", f"{numbers.number_word(count)} {nouns[1]} that were"))
    return (
        f"For the {which} worst at baseline, {what} changed by {numbers.signed(recorded, places)} as recorded and by "
        f"{numbers.signed(estimated.value, places)} ({span}) in the estimates, which leave out what chance alone would "
        "do."
    )


def site_prediction(view: MeasureView, threats: Threats, nouns: tuple[str, str]) -> str:
    """How many sites lie outside what the model would make of a site like them, beside what chance gives."""
    found = threats.of(view, "site_prediction")
    if not found:
        return ""
    total, outside, chance = (found[part].value for part in ("sites", "outside", "by chance"))
    which = phrases.out_of(int(outside), int(total), nouns)
    return (
        f"{numbers.capital(which)} {numbers.verb(int(outside), ('lies', 'lie'))} outside 99{NO_BREAK}in{NO_BREAK}100 "
        f"of what the model makes of {nouns[1]} like them ({numbers.decimal(chance, 1)} would by chance)."
    )


def case_mix(view: MeasureView, threats: Threats, nouns: tuple[str, str]) -> str:
    """Whether the case-mix model tells patients apart alike at all sites; "" where there is no model of its own."""
    found = threats.of(view, "case_mix")
    if not found:
        return ""
    sites, left_out = int(found["sites"].value), int(found["not_assessed"].value)
    few = view.params.cases if view.is_mean else view.params.events
    if "any" not in found:
        return f"How well the case-mix model fits single {nouns[1]} is not assessed: too few have enough {few} for it."
    sentences = [_slopes(found, nouns)]
    if apart := int(found["apart"].value):
        which, stands = phrases.out_of(apart, sites, nouns), numbers.verb(apart, ("stands", "stand"))
        allowed = f"even allowing for having looked at {numbers.whole(sites)}"
        sentences.append(f"{numbers.capital(which)} {stands} apart, {allowed}.")
    if "c_statistic" in found:
        median = numbers.decimal(found["c_statistic"].value, 2)
        sentences.append(f"The median C statistic of single {nouns[1]} is {median} (0.5 would be chance).")
    if left_out:
        which = phrases.out_of(left_out, sites + left_out, nouns)
        sentences.append(f"Not assessed for {which}: too few {few}, or predictions all the same.")
    return " ".join(sentences)


def _slopes(found: Mapping[str, Found], nouns: tuple[str, str]) -> str:
    """Calibration slopes are said to differ below `SLOPES_DIFFER`."""
    mean, spread = found["slope"], found["slope_sd"]
    differ = found["any"].probability < SLOPES_DIFFER
    how = "more than chance would make them" if differ else "no more than chance would make them"
    said = (
        f"Calibration slopes of the case-mix model at {numbers.whole(found['sites'].value)} {nouns[1]} differ {how} "
        f"(mean {numbers.decimal(mean.value, 2)}, where 1 is right; standard deviation between {nouns[1]} "
        f"{numbers.decimal(spread.value, 2)}, {numbers.interval_95(spread.lower, spread.upper, 2)})"
    )
    return f"{said}: it does not serve all of them alike." if differ else f"{said}."


def moved(view: MeasureView, delta: float) -> str:
    """How far unsubmitted periods would have to be from the submitted: "1.8 times the odds", "+0.6 days"."""
    if view.is_mean:
        return f"{numbers.signed(delta, phrases.digits(view, delta))} {view.params.unit}".rstrip()
    return f"{numbers.decimal(math.exp(delta), 1)} times the {'odds' if view.params.family == 'binomial' else 'rate'}"
