"""Sentences on the performance index, by rule: how much of it is chance, and what would make it less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from collabeval.disclosure import Published
from collabeval.disclosure.scorecards import PublishedScorecard
from collabeval.statements import numbers
from collabeval.statements.figures import Words, words
from collabeval.statements.numbers import NO_BREAK

# a change in the share of chance, or between sizes of sites, that is worth a sentence: a twentieth, a tenth
WORTH_SAYING, APART = 0.05, 0.1
HALF, NEARLY_ALL = 0.5, 0.9
ASKED = 0.1  # share of the differences between sites that a line makes, from which it is worth a sentence


def finding(published: PublishedScorecard, nouns: Sequence[str]) -> str:
    """The finding of the section in one sentence."""
    share, sites = published.value("noise_share"), round(published.value("sites"))
    label = published.card.label
    if not math.isfinite(share):
        return f"{_all_alike(published, nouns)}."
    said = (
        f"{numbers.capital(numbers.share_in_words(share))} of the differences in points between {nouns[1]} under the "
        f"{numbers.lower_first(label)} {'is' if share < 0.945 else 'are'} chance"
    )
    other = published.value("misclassified") * sites
    if not math.isfinite(other):
        return f"{said}."
    count = "fewer than one" if other < 0.95 else f"about {numbers.estimated_count(other)}"
    return f"{said}, and {count} of {sites} {nouns[1]} would have another award if their true rates were known."


def _all_alike(published: PublishedScorecard, nouns: Sequence[str]) -> str:
    """Where no site has other points than the next: what all earn, and the chance that they should not."""
    sites, total = round(published.value("sites")), published.card.total
    label = numbers.lower_first(published.card.label)
    if not sites:
        return f"No {nouns[0]} could be scored under the {label}"
    earned = f"{points(published.value('points'), total)} of {points(total, total)} points"
    who = f"all {numbers.whole(sites)} {nouns[1]} earn" if sites > 1 else f"the one {nouns[0]} earns"
    said = f"Under the {label} {who} {earned}"
    other = published.value("misclassified")
    if not math.isfinite(other):
        return said
    return f"{said}; the chance that true rates would have brought another award is {numbers.chance(other)}"


def money(published: PublishedScorecard, nouns: Sequence[str]) -> str:
    """How much money goes where true rates would not have sent it; "" where the scorecard pays none."""
    paid, wrong = published.value("money"), published.value("money_too_much")
    if not paid > 0:
        return ""
    currency = published.card.money.currency
    missing = published.value("money_too_little")
    return (
        f"Of {amount(paid, currency)} paid on the data, about {amount(wrong, currency)} is more than the true rates of "
        f"the {nouns[1]} that get it would have earned; {nouns[1]} that get less than that miss about "
        f"{amount(missing, currency)}."
    )


def figure(all_published: Published, published: PublishedScorecard, nouns: Sequence[str], doubtful: int) -> Words:
    """The words around the figure of points; `doubtful` counts the sites more likely to have another award in truth."""
    card, sites = published.card, round(published.value("sites"))
    share = published.value("noise_share")
    title = f"Points on the data and in truth: {numbers.counted(sites, nouns)}"
    if math.isfinite(share):
        title = f"{numbers.capital(numbers.share_in_words(share))} of the differences in points is chance"
    if card.steps and doubtful:
        title += f"; {numbers.counted(doubtful, nouns)} more likely than not {_has(doubtful)} another award in truth"
    hidden, silent = int(published.sites["hidden"].sum()), int(published.sites["silent"].sum())
    note = (
        "Upright stroke: points on the data.",
        f"Lines: points that true rates would have earned; thick: 1 chance in 2, thin: 95 in{NO_BREAK}100.",
        "Mark: their mean.",
        "Square: another award is more likely than the one given." if card.steps and doubtful else "",
        f"{numbers.capital(numbers.counted(hidden, nouns))} with small counts {_is(hidden)} drawn with a widened "
        "interval only." if hidden else "",
        f"Of these, {numbers.number_word(silent)} without points, which would tell a count." if silent else "",
    )  # fmt: skip
    alt = (
        f"{numbers.capital(card.label)}: points of {numbers.counted(sites, nouns)}, on average "
        f"{points(published.value('points'), card.total)} of {points(card.total, card.total)} on the data and "
        f"{points(published.value('expected_points'), card.total)} in truth."
    )
    if math.isfinite(share):
        alt += f" {numbers.capital(numbers.share_in_words(share))} of the differences is chance."
    subtitle = f"{card.label}: points of each {nouns[0]}, most first."
    return words(all_published, title, subtitle, note, alt)


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def improvements(published: PublishedScorecard, nouns: Sequence[str]) -> list[str]:
    """What would make less of the award chance; none where no rule strikes."""
    return [
        *_ways_of_scoring(published),
        *_noisy_lines(published),
        *_sizes(published, nouns),
        *_ceiling(published, nouns),
    ]


def _ways_of_scoring(published: PublishedScorecard) -> Iterator[str]:
    now = published.value("noise_share")
    ways = {
        "noise_share_pooled": "Pay the mean of the points that true rates may have earned, not those of recorded rates",
        "noise_share_lines": "Let points rise evenly between thresholds instead of in steps",
    }
    for estimand, way in ways.items():
        then = published.value(estimand)
        if now - then >= WORTH_SAYING:
            yield f"{way}: the share of chance would fall from {numbers.percent(now)} to {numbers.percent(then)}."


def _noisy_lines(published: PublishedScorecard) -> Iterator[str]:
    lines = published.lines
    noisy = lines[lines["noise_share"].ge(HALF) & lines["variance_share"].ge(ASKED)]
    for row in noisy.sort_values("noise_share", ascending=False).to_dict("records"):
        yield (
            f"{published.labels[row['part']]}: {numbers.percent(row['noise_share'])} of the differences in its points "
            f"is chance, and it makes {numbers.percent(row['variance_share'])} of the differences in all points; score "
            "it over a longer time, on a group or the collaborative as a whole, or give it less weight."
        )


def _sizes(published: PublishedScorecard, nouns: Sequence[str]) -> Iterator[str]:
    small, large = (published.value("noise_share", band) for band in ("small", "large"))
    if small - large >= APART:
        yield (
            f"The smallest third of {nouns[1]} is paid by chance more than the largest ({numbers.percent(small)} "
            f"against {numbers.percent(large)} of the differences): score small {nouns[1]} over a longer time, or "
            "together."
        )


def _ceiling(published: PublishedScorecard, nouns: Sequence[str]) -> Iterator[str]:
    full = published.value("full_marks")
    if full >= NEARLY_ALL and math.isfinite(published.value("noise_share")):
        yield (
            f"{numbers.percent(full)} of {nouns[1]} have full points: the index no longer rewards anything that is not "
            "done already; raise its thresholds or change its lines."
        )


def signals(published: PublishedScorecard) -> list[str]:
    """Reasons to look at what is recorded, a sentence for each line and kind; none where nothing is flagged."""
    found = []
    for (part, signal), rows in published.signals.groupby(["part", "signal"], sort=False):
        label = published.labels[str(part)]
        found.append(f"{label}: {_signal(str(signal), rows)}.")
    return found


def _signal(signal: str, rows: pd.DataFrame) -> str:
    if signal == "crowding":
        return (
            f"of those within one event of a threshold, {numbers.percent(rows['value'].iloc[0])} lie on its good side, "
            "more than chance gives"
        )
    said, write = {
        "fewer_cases": ("fewer cases than before, against all together", lambda value: f"{numbers.percent(value)}"),
        "sicker_cases": ("cases recorded as at higher risk than before, against all together",
                         lambda value: f"{numbers.decimal(value, 2)} times"),
        "gaps": ("without the periods that are missing the tier is reached, with them probably not",
                 lambda value: f"{numbers.percent(value)} of periods missing"),
    }[signal]  # fmt: skip
    pairs = zip(rows["site"], rows["value"], strict=True)
    named = [f"{site} ({write(value)})" if math.isfinite(value) else str(site) for site, value in pairs]
    return f"{said}: {numbers.listed(named, 6)}"


def step(row: pd.Series, published: PublishedScorecard, all_published: Published) -> str:
    """How far one site is from a line's next tier: "Deaths: 3 fewer (+5)", "Cases on time: 88.0 to 90.0 (+4)"."""
    part = published.card.parts[row["part"]]
    label = published.labels[row["part"]]
    more = f"(+{points(row['gain'], 1)})"
    kind, code = part.source
    if kind == "measure" and math.isfinite(row["events"]):
        measure = all_published.params.measures[code]
        which = "fewer" if measure.better == "lower" else "more"
        return f"{label}: {numbers.whole(row['events'])} {which} {more}"
    digits = 1 if abs(row["away"]) < 10 else 0
    return f"{label}: {numbers.decimal(row['observed'], digits)} to {numbers.decimal(row['at'], digits)} {more}"


def chance_of_another(row: pd.Series) -> str:
    """The chance of another award; of a site with a hidden count only the floor it reaches."""
    chance = row["misclassified"]
    if not math.isfinite(chance) or (row["hidden"] and chance == 0):
        return numbers.NOT_ESTIMATED
    return f"at least {numbers.chance(chance)}" if row["hidden"] else numbers.chance_short(chance)


def points(value: float, total: float) -> str:
    """Points: whole where a scorecard has fifty or more, else with one decimal; never with a needless nought."""
    written = numbers.decimal(value, 0 if total >= 50 else 1)
    return written.removesuffix(".0")


def amount(value: float, currency: str) -> str:
    """Money to two figures: "$1.2 million", "$340,000"."""
    if value >= 1e6:
        return f"{currency}{numbers.decimal(value / 1e6, 1)}{NO_BREAK}million"
    step = 10 ** max(0, math.floor(math.log10(value)) - 1) if value >= 1 else 1
    return f"{currency}{numbers.whole(round(value / step) * step)}"
