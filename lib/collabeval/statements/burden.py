"""Sentences on what the collecting of data takes: words by rule, for all sites and for each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure import Published
from collabeval.params.value import Collecting
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Estimate, as_estimate
from collabeval.statements.figures import Words, words
from collabeval.statements.money import money
from collabeval.statements.numbers import NO_BREAK

WORDS = {"worse": "above", "better": "below"}


@dataclass(frozen=True)
class Burden:
    """Hours (or cost) per case: `what`. Rows of `sites` have site, the quantiles, `word` (slug), `chance`, `change`,
    `change_chance`, `hidden`; by median, least first.

    ``recorded`` and ``before`` are recorded amounts per case of this year and the last, ``amount`` the sum, NaN where
    unknown; ``change`` is modelled, of all sites together; ``none`` are sites that recorded nothing, ``failed`` the
    check that the fit did not pass.
    """

    what: str
    unit: str
    currency: str
    period: str
    benchmark: float | None
    recorded: float
    before: float
    amount: float
    change: Estimate | None
    rose: float
    sites: pd.DataFrame
    none: tuple[str, ...]
    failed: str

    def written(self, value: float) -> str:
        """One amount per case: "1.2", "US$58"."""
        if self.what == "cost":
            return money(value, self.currency)
        return numbers.decimal(value, 1 if abs(value) >= 10 else 2)

    def span(self, lower: float, upper: float) -> str:
        """An interval of such amounts."""
        if not (math.isfinite(lower) and math.isfinite(upper)):
            return numbers.NOT_ESTIMATED
        return f"{self.written(lower)}{NO_BREAK}to{NO_BREAK}{self.written(upper)}"


def gather(published: Published, what: str) -> Burden | None:
    """Look up hours or cost per case; None where nothing is known of them."""
    found = published.value
    if found is None or not found.burden["estimand"].eq(what).any():
        return None
    table, params = found.burden, published.params.value
    collecting = Collecting() if params is None else params.burden
    recorded = table[table["estimand"].eq(f"recorded_{what}_per_case")]["mean"].to_list()
    change = table[table["estimand"].eq(f"change_of_{what}_per_case") & table["site"].eq("")]
    failed = table.loc[table["estimand"].eq(f"{what}_not_fitted"), "event"]
    return Burden(
        what=what,
        unit="hours a case" if what == "hours" else "a case",
        currency="" if params is None else params.currency,
        period=str(table.loc[table["estimand"].eq(what), "period"].iloc[-1]),
        benchmark=getattr(collecting, what),
        recorded=recorded[-1],
        before=recorded[-2] if len(recorded) > 1 else math.nan,
        amount=float(table.loc[table["estimand"].eq(what), "mean"].iloc[-1]),
        change=as_estimate(change.iloc[0]) if len(change) else None,
        rose=float(change["probability"].iloc[0]) if len(change) else math.nan,
        sites=_sites(published, table, what),
        none=tuple(sorted(table.loc[table["estimand"].eq(f"without_{what}"), "site"])),
        failed=str(failed.iloc[0]) if len(failed) else "",
    )


def _sites(published: Published, table: pd.DataFrame, what: str) -> pd.DataFrame:
    rows = table[table["estimand"].eq(f"{what}_per_case") & table["site"].ne("")].copy()
    change = table[table["estimand"].eq(f"change_of_{what}_per_case") & table["site"].ne("")].set_index("site")
    rules = published.params.rules
    rows["word"] = [_word(chance, rules.level) for chance in rows["probability"]]
    rows["chance"] = rows["probability"].where(rows["word"].ne("better"), 1 - rows["probability"])
    rises = rows["site"].map(change["probability"])
    rows["change"] = ""
    rows.loc[rises.ge(rules.trajectory), "change"] = "rose"
    rows.loc[rises.le(1 - rules.trajectory), "change"] = "fell"
    rows["change_chance"] = rises.where(rises.ge(0.5), 1 - rises)
    for name in ("q025", "q50", "q975"):
        rows[f"change_{name}"] = rows["site"].map(change[name])
    place = rows["q50"].fillna((rows["q025"] + rows["q975"]) / 2)
    return rows.assign(place=place).sort_values(["place", "site"]).reset_index(drop=True)


def _word(chance: float, level: float) -> str:
    """Above the benchmark is what is to be avoided: the look of worse; "" without a benchmark."""
    if not math.isfinite(chance):
        return ""
    return "worse" if chance >= level else "better" if 1 - chance >= level else "unclear"


def finding(published: Published, found: Burden) -> str:
    """What collecting took in all and per case, and how that changed."""
    took = _took(found)
    change = _change(published, found)
    above = found.sites["word"].eq("worse").sum()
    nouns = published.params.report.site_noun
    said = f"{took}{change}"
    if found.benchmark is None or found.sites.empty:
        return f"{said}."
    clause = f"{numbers.counted(int(above), nouns, of=len(found.sites))} {numbers.plural(int(above), ('lies', 'lie'))}"
    sure = phrases.chances(published.params.rules.level)
    return f"{said}; {clause} above the benchmark of {found.written(found.benchmark)} (by the rule: {sure})."


def _took(found: Burden) -> str:
    when = phrases.in_period(found.period)
    each = f"{found.written(found.recorded)} {found.unit}"
    if found.what == "cost":
        return f"Collecting data cost {each}{when}, {found.written(found.amount)} in all"
    return f"Collecting data took {each}{when}, {numbers.whole(found.amount)} hours in all"


def _change(published: Published, found: Burden) -> str:
    if found.change is None or not math.isfinite(found.rose):
        return ""
    for verb, chance in (("more", found.rose), ("less", 1 - found.rose)):
        word = numbers.probability_word(chance, published.params.rules.probability_words)
        if word:
            return f", {word} {verb} than the year before ({numbers.chance(chance)})"
    return ", and whether more or less than the year before we cannot tell"


def against(slug: str, chance: float, hidden: bool) -> str:
    """Where a site lies to the benchmark, as a table says it: "above, >99 in 100"; "cannot be told"."""
    if slug not in WORDS:
        return "cannot be told"
    return f"{WORDS[slug]}, {_chance(chance, hidden)}".replace("more than ", ">")


def tag(slug: str, chance: float, hidden: bool) -> str:
    """The same at the end of a figure's row: "above · 98 in 100"; "" where there is no word."""
    return f"{WORDS[slug]} · {_chance(chance, hidden)}" if slug in WORDS else ""


def _chance(chance: float, hidden: bool) -> str:
    """Of a site with few cases only that it reaches a threshold."""
    return f"at least {numbers.chance(chance)}" if hidden else numbers.chance(chance)


def change(found: Burden, row: pd.Series) -> str:
    """The change of one site on last year: "−0.08 (−0.18 to +0.02)"."""
    if not math.isfinite(row["change_q975"]):
        return numbers.NOT_ESTIMATED
    digits = 0 if found.what == "cost" else 2
    span = numbers.interval(row["change_q025"], row["change_q975"], digits, sign=True)
    middle = "" if not math.isfinite(row["change_q50"]) else f"{numbers.signed(row['change_q50'], digits)}{NO_BREAK}"
    return f"{middle}({span})"


def changed(slug: str, chance: float, hidden: bool) -> str:
    """The word of that change with its chance: "fell, 97 in 100"; a dash where none is clear."""
    return f"{slug}, {_chance(chance, hidden)}".replace("more than ", ">") if slug else numbers.NOT_ESTIMATED


def notes(found: Burden, nouns: tuple[str, str]) -> str:
    """Sites that recorded none, and a fit that failed."""
    said = []
    if found.none:
        which = numbers.listed(found.none, 4)
        said.append(f"{which} recorded cases and no {found.what}: not estimated, since nothing takes no time at all.")
    if found.failed:
        said.append(f"The model of single {nouns[1]} failed a check ({found.failed}), so that none of them is shown.")
    return " ".join(said)


def figure(published: Published, found: Burden) -> Words:
    """Amounts per case of all sites, least first."""
    nouns, sites = published.params.report.site_noun, found.sites
    above, below = (int(sites["word"].eq(slug).sum()) for slug in ("worse", "better"))
    what = "Hours" if found.what == "hours" else "Cost"
    if found.benchmark is None:
        ends = (found.written(float(sites["place"].iloc[place])) for place in (0, -1))
        title = (
            f"{what} per case {'range' if what == 'Hours' else 'ranges'} from {' to '.join(ends)} between {nouns[1]}"
        )
    else:
        title = f"{numbers.counted(above, nouns)} {numbers.plural(above or 1, ('lies', 'lie'))} above the benchmark of "
        title += f"{found.written(found.benchmark)}, {numbers.number_word(below)} below"
    when = f", {numbers.period_name(found.period)}" if found.period else ""
    subtitle = f"{what} per case of collecting data{when}, by {nouns[0]}, least first."
    few = int(sites["hidden"].sum())
    note = (
        "Dot: estimate after partial pooling, which draws small numbers of cases towards the others.",
        f"Thick line: 1 chance in 2 that the truth is inside; thin line: 95 in{NO_BREAK}100.",
        "" if found.benchmark is None else f"Diamond: above the benchmark, triangle: below, each with "
        f"{phrases.chances(published.params.rules.level)}.",
        f"{numbers.capital(numbers.counted(few, nouns))} with few cases {numbers.plural(few, ('is', 'are'))} drawn "
        "without dot, with a rounded interval." if few else "",
        notes(found, nouns),
    )  # fmt: skip
    alt = (
        f"{what} per case of {len(sites)} {numbers.plural(len(sites), nouns)}, least first, with 95% intervals, from "
        f"{found.written(float(sites['place'].iloc[0]))} to {found.written(float(sites['place'].iloc[-1]))}. "
    )
    if found.benchmark is not None:
        alt += f"{above or 'None'} above the benchmark of {found.written(found.benchmark)}, {below or 'none'} below."
    return words(published, title, subtitle, note, alt.strip())
