"""Sentences on what the programme cost and what it was worth. What is change and not effect says so in each of them."""

from __future__ import annotations

import math

from collabeval.disclosure import Published
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Estimate
from collabeval.statements.money import money, money_interval
from collabeval.statements.numbers import NO_BREAK
from collabeval.statements.value_facts import Events, Worth

COARSE = "only a coarse interval, since counts are small"
NO_RETURN = "no return on investment is claimed"
REASONS = {
    "no_effect_step": "there is nothing to compare with",
    "periods": "the data have no periods",
    "dates": "no site has a date of joining",
    "expected": "predicted numbers are given for the sites or the comparators only",
    "after": "there are no data from after joining",
    "before": "there are too few data from before joining",
    "untreated": "there is nothing to compare with once all have joined",
    "in_doubt": "those that joined already differed in their course before",
    "not_reliable": "its draws cannot be relied on",
    "no_baseline": "there is no baseline",
    "other_window": "its data end in another period than those of the other measures",
}


def hedged(sentence: str, basis: str) -> str:
    """The sentence, marked where it rests on a change that is no effect."""
    return f"Change, not effect: {numbers.lower_first(sentence)}" if basis == "change" else sentence


def amount(estimate: Estimate, currency: str) -> str:
    """ "about US$20m (95% interval US$13m to US$27m)"."""
    span = money_interval(estimate.lower, estimate.upper, currency)
    if not math.isfinite(estimate.median):
        return f"{span} ({COARSE})"
    return f"about {money(estimate.median, currency)} (95%{NO_BREAK}interval {span})"


def digits(worth: Worth) -> int:
    """Decimals of the two ratios, the same for both since one is the other less 1: two below 2, where they matter."""
    return 2 if worth.ratio is None or not abs(worth.ratio.median) >= 1.995 else 1


def ratio(estimate: Estimate, digits: int) -> str:
    """ "4.0 (95% interval 2.6 to 5.4)"."""
    span = numbers.interval(estimate.lower, estimate.upper, digits)
    if not math.isfinite(estimate.median):
        return f"{span} ({COARSE})"
    return f"{numbers.decimal(estimate.median, digits)} (95%{NO_BREAK}interval {span})"


def verdict(worth: Worth, words: dict[str, float]) -> tuple[str, str, float]:
    """Whether it saved more than it cost: `saved`, `cost_more` or `unclear`, the word, and the chance of that."""
    for slug, chance in (("saved", worth.chance), ("cost_more", 1 - worth.chance)):
        word = numbers.probability_word(chance, words)
        if word:
            return slug, word, chance
    return "unclear", "", worth.chance


def finding(published: Published, worth: Worth) -> str:
    """The chapter's first sentence."""
    if worth.net is None:
        return _without_net(published, worth)
    slug, word, chance = verdict(worth, published.params.rules.probability_words)
    effect, sums = worth.basis == "effect", in_and_out(worth)
    if slug == "unclear":
        said = "whether the programme saved more than it cost, we cannot tell" if effect else (
            "whether it was worth more than the programme cost, we cannot tell")  # fmt: skip
        return hedged(numbers.capital(f"{said}: the chance is {numbers.chance(chance)} ({sums})."), worth.basis)
    if effect:
        what = "saved more than it cost" if slug == "saved" else "cost more than it saved"
        return f"The programme {word} {what} ({numbers.chance(chance)}): {sums}."
    more = "more" if slug == "saved" else "less"
    return hedged(f"It was {word} worth {more} than the programme cost ({numbers.chance(chance)}): {sums}.", "change")


def in_and_out(worth: Worth) -> str:
    """Cost avoided and money spent, each with its time where what was spent on starting makes them differ."""
    currency, same = worth.params.currency, worth.span == worth.cost_span
    when = "" if same else phrases.in_period(worth.span)
    spent = f"{money(worth.cost, currency)} spent{phrases.in_period(worth.cost_span)}"
    return f"{saved(worth, currency)}{when}, {spent}"


def saved(worth: Worth, currency: str) -> str:
    assert worth.saved is not None
    if not math.isfinite(worth.saved.median):
        return f"{money_interval(worth.saved.lower, worth.saved.upper, currency)} of cost avoided"
    if worth.saved.median < 0:
        return f"about {money(-worth.saved.median, currency)} of cost caused"
    return f"about {money(worth.saved.median, currency)} of cost avoided"


def _without_net(published: Published, worth: Worth) -> str:
    currency = worth.params.currency
    if worth.saved is not None:
        said = (
            f"The events avoided would have cost {amount(worth.saved, currency)}; what the programme cost is not known."
        )
        return hedged(said, worth.basis)
    if not math.isfinite(worth.cost):
        return f"What the programme cost is not known, and {NO_RETURN}."
    spent = f"The programme cost {money(worth.cost, currency)}{phrases.in_period(worth.cost_span)}"
    each = next((one for one in worth.valued if one.break_even is not None), None)
    if each is not None and each.break_even is not None:
        return hedged(
            f"{spent}, {amount(each.break_even, currency)} for each event avoided ({each.noun}).", worth.basis
        )
    if worth.valued:
        return hedged(f"{spent}; whether it avoided any {worth.valued[0].noun}, we cannot tell.", worth.basis)
    return f"{spent}; {NO_RETURN}, since {why_not(worth)}."


def why_not(worth: Worth, whose: str = "its") -> str:
    """Why nothing is valued, of the leading measure; `whose` effect cannot be told."""
    reason = next(iter(worth.reasons.values()), "")
    if not reason:
        return "no measure counts events that could be avoided"
    return f"these data cannot tell {whose} effect ({REASONS.get(reason, reason)})"


def events(each: Events) -> str:
    """How many events were avoided, against what."""
    against = (
        f"than there would have been without the programme{phrases.in_period(each.span)}"
        if each.basis == "effect" else f"{phrases.in_period(each.span).strip()} than at the rate of the baseline"
    )  # fmt: skip
    return hedged(f"{numbers.capital(fewer(each))} {against}{interval(each)}.", each.basis)


def fewer(each: Events) -> str:
    """ "about 120 fewer deaths", "about 30 more deaths"."""
    middle = each.events.median
    if not math.isfinite(middle):
        return f"a number of fewer {each.noun} that is not shown"
    return f"about {numbers.estimated_count(abs(middle))} {'more' if middle < 0 else 'fewer'} {each.noun}"


def interval(each: Events) -> str:
    """ " (95% interval 40 to 200)"; across zero "30 more to 200 fewer"."""
    low, high = each.events.lower, each.events.upper
    if not math.isfinite(each.events.median):
        return f" ({COARSE}: {numbers.interval(low, high, 0)})"
    if low * high > 0:
        ends = sorted((abs(low), abs(high)))
        span = f"{NO_BREAK}to{NO_BREAK}".join(map(numbers.estimated_count, ends))
    else:
        span = f"{numbers.estimated_count(-low)} more to {numbers.estimated_count(high)} fewer"
    return f" (95%{NO_BREAK}interval {span})"


def returns(worth: Worth) -> str:
    """Benefit–cost ratio and return on investment; "" where there are none."""
    if worth.ratio is None or worth.gain is None:
        return ""
    currency, places = worth.params.currency, digits(worth)
    said = (
        f"For every {money(1, currency)} spent, cost avoided came to {_times(worth.ratio, currency)}: a benefit–cost "
        f"ratio of {ratio(worth.ratio, places)} and a return on investment of {ratio(worth.gain, places)}."
    )
    return hedged(said, worth.basis)


def _times(estimate: Estimate, currency: str) -> str:
    if not math.isfinite(estimate.median):
        return money_interval(estimate.lower, estimate.upper, currency)
    return money(round(estimate.median, 2), currency)


def break_even(worth: Worth, each: Events) -> str:
    """What an event must cost for the programme to save what it cost, or why that is not said."""
    if each.spans_zero:
        said = f"No break-even cost is given ({each.noun}): "
        if each.events.upper <= 0:
            return hedged(f"{said}there were more of them, not fewer.", each.basis)
        said += (
            "their interval reaches from more to fewer, and a ratio to a number that may be none has no mean and no "
        )
        return hedged(f"{said}range that could be read. The curve shows the chance instead.", each.basis)
    if each.break_even is None:
        return ""
    others = ", what the other measures saved being counted" if len(worth.valued) > 1 else ""
    ratio, currency = each.break_even, worth.params.currency
    span = f" (95%{NO_BREAK}interval {least_interval(ratio, currency)})"
    if ratio.median <= 0:
        said = f"More likely than not the programme pays for itself whatever one of the {each.noun} costs"
        return hedged(f"{said}{others}{span}.", each.basis)
    if not math.isfinite(ratio.median):
        span, most = "", f"between {least_interval(ratio, currency).replace(f'{NO_BREAK}to{NO_BREAK}', ' and ')}"
    else:
        most = f"at least about {money(ratio.median, currency)}"
    said = f"The programme pays for itself where one of the {each.noun} avoided costs {most}"
    return hedged(f"{said}{span}{others}.", each.basis)


def least(amount_: float, currency: str) -> str:
    """A break-even cost: "nothing" where the programme pays for itself at any."""
    return "nothing" if amount_ <= 0 else money(amount_, currency)


def least_interval(ratio: Estimate, currency: str) -> str:
    """ "nothing to US$12,100"; an upper end beyond all numbers is "no limit"."""
    if math.isnan(ratio.lower) or math.isnan(ratio.upper):
        return numbers.NOT_ESTIMATED
    upper = least(ratio.upper, currency) if math.isfinite(ratio.upper) else "no limit"
    return f"{least(ratio.lower, currency)}{NO_BREAK}to{NO_BREAK}{upper}"


def told(each: Events) -> str:
    """A change that is not valued."""
    return f"{events(each)[:-1]}; {NO_RETURN} from it."
