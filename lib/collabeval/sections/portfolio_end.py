"""The end of a portfolio's report: sites in several collaboratives, names by chance, gaps, methods, checks."""

from __future__ import annotations

import platform
from collections.abc import Collection, Hashable, Mapping
from importlib import metadata
from typing import Any

import pandas as pd

from collabeval import tables
from collabeval.sections import portfolio_features, portfolio_parts
from collabeval.sections.portfolio import FunderReport
from collabeval.sections.provenance import PACKAGES, again
from collabeval.sections.report import Missing, Section, blocks, callout, text
from collabeval.statements import checks, engines, numbers
from collabeval.statements import portfolio as say

NAMING = ("better", "worse", "worse_few_cases", "improved", "worsened", "positive_deviant", "emerging", "candidate",
          "review", "review_persistent")  # fmt: skip
NEEDS = {
    "effect": "comparators (comparators.csv), or sites that join at different times",
    "features": "a table of indicators (indicators.csv)",
    "practices": "a table of practices (practices.csv)",
    "value": "costs (costs.csv), and what an event costs",
    "scorecards": "a scorecard in its params",
}
TABLE = {"effect": "comparators", "features": "indicators", "practices": "practices", "value": "costs"}
PARTS = {"effect": "Effect", "features": "The five features", "practices": "Practices", "value": "Value",
         "scorecards": "Scorecards"}  # fmt: skip


def shared_sites(report: FunderReport) -> Section | Missing:
    """How many sites take part in several collaboratives, and their scores over all of them."""
    rows = report.published.overlap
    if rows.empty:
        needs = "a table that says which sites are the same (“site_register” in the portfolio's params)"
        return Missing("Sites in several collaboratives", "there is no register of sites", needs)
    return Section(
        blocks(
            "# Sites in several collaboratives {#sec-overlap}",
            callout("important", "Key message", text(_shared_message(report))),
            _by_number_table(report),
            _overlap_table(report),
            _best_of(report),
            callout("note", "What would improve this",
                    text("A row in the register for every site of every collaborative: one that is missing counts as a "
                         "site of its own.")),
        )
    )  # fmt: skip


def _shared_message(report: FunderReport) -> str:
    rows, nouns = report.published.by_number, report.facts.nouns
    if rows.empty:
        return f"How many {nouns[1]} take part in several collaboratives is not told: the numbers are small."
    total, places = int(rows["sites_counted"].sum()), sum(member.sites for member in report.published.members)
    most, more = int(rows["collaboratives"].max()), bool(rows["more"].iloc[-1])
    said = f"About {numbers.whole(total)} {numbers.plural(total, nouns)} fill {numbers.whole(places)} places; "
    if most == 1:
        return said + ("how many are in several is not told, being few." if more else "none is in two.")
    return f"{said}some take part in {numbers.number_word(most)} collaboratives{' or more' if more else ''}."


def _by_number_table(report: FunderReport) -> str:
    rows = report.published.by_number
    if len(rows) < 2:
        return ""
    numbers_of = [f"{row['collaboratives']}{' or more' if row['more'] else ''}" for row in rows.to_dict("records")]
    nouns = numbers.capital(report.facts.nouns[1])
    table = pd.DataFrame({"Collaboratives": numbers_of, nouns: [numbers.whole(n) for n in rows["sites_counted"]]})
    base = report.published.params.report.minimum_sites
    caption = f"{nouns} by the number of collaboratives they take part in, to the nearest {base}"
    return report.table("portfolio-sites", table, caption, (nouns,))


def _overlap_table(report: FunderReport) -> str:
    """Shared sites of each pair; small counts are hidden."""
    labels = {member.name: member.label for member in report.published.members}
    fewest = report.published.params.report.minimum_sites
    wide = report.published.overlap.pivot(index="collaborative", columns="other", values="sites")
    order = [name for name in labels if name in wide.index]
    wide = wide.reindex(index=order, columns=order)
    numbered = {name: str(place) for place, name in enumerate(order, start=1)}
    shown = wide.map(lambda count: f"<{fewest}" if count != count else numbers.whole(count))
    for row in range(len(order)):
        shown.iloc[row, row + 1 :] = ""
    shown.columns = [numbered[name] for name in order]
    shown.insert(0, "Collaborative", [f"{numbered[name]} {labels[name]}" for name in order])
    nouns = numbers.capital(report.facts.nouns[1])
    caption = f"{nouns} that two collaboratives share, to the nearest {fewest}; on the diagonal, all of one"
    return report.table("portfolio-overlap", shown.reset_index(drop=True), caption, tuple(shown.columns[1:]))


def _best_of(report: FunderReport) -> str:
    rows = report.published.best_of
    if rows.empty:
        return ""
    asked, shown = report.published.params.best_of, []
    for row in rows.to_dict("records"):
        spans = {of: f"{numbers.decimal(row[f'{of}_50'], 0)} ({numbers.interval(row[f'{of}_25'], row[f'{of}_75'], 0)})"
                 for of in ("points", "expected")}  # fmt: skip
        best = asked[row["score"]].best
        shown.append({
            "Score": asked[row["score"]].label,
            "Counted": "all" if best is None else f"best {best}",
            f"{numbers.capital(report.facts.nouns[1])} scored": numbers.whole(row["scored"]),
            "Points on the data": spans["points"], "Points expected": spans["expected"],
            "Paid for luck": numbers.signed(row["luck"], 1),
        })  # fmt: skip
    caption = "Percentage of points over all collaboratives: middle and middle half of the scored"
    table = report.table("portfolio-best-of", pd.DataFrame(shown), caption, tuple(shown[0])[2:])
    said = (
        "Counting the best results of each picks good luck along with good work: the points on the data exceed those "
        "expected by what the last column says, in points of 100."
    )
    return blocks("## Scores over all collaboratives", table, text(said))


def multiplicity(report: FunderReport) -> Section:
    """How many of the names that all these reports give can be expected to be chance."""
    rows = report.published.words
    named = rows[rows["statement"].isin(NAMING)]
    labels = {member.name: member.label for member in report.published.members}
    shown = []
    for name, own in named.groupby("collaborative", sort=False):
        wrong, sites = float(own["wrongly"].sum()), int(own["sites"].sum())
        shown.append({"Collaborative": labels[str(name)], "Measures": own["measure"].nunique(), "Words that name":
                      numbers.whole(sites), "By chance, expected": numbers.decimal(wrong, 1)})  # fmt: skip
    total, wrong = int(named["sites"].sum()), float(named["wrongly"].sum())
    message = f"The reports of the collaboratives name {report.facts.nouns[1]} {numbers.whole(total)} times. "
    message += say.expected_wrong(wrong, total)
    lines = [line for line in report.facts.lines(report.facts.basis) if line.good or line.bad]
    if lines:
        said = f"{numbers.whole(len(lines))} words about measures of collaboratives in this report"
        message += f" Of the {said}, {say.about(say.wrongly(lines))}."
    caption, right = "Words that name, and how many of them chance would give", tuple(shown[0])[1:] if shown else ()
    table = report.table("portfolio-words", pd.DataFrame(shown), caption, right) if shown else ""
    why = (
        "Each word needs the chance that its rule asks for; over many measures and collaboratives some are wrong all "
        "the same. The expected number is the sum of what each word lacks to certainty. A word such as candidate needs "
        "less, and says so where it stands."
    )
    return Section(blocks("# How many names are chance {#sec-multiplicity}",
                          callout("important", "Key message", text(message)), table, text(why)))  # fmt: skip


CHAPTERS = (
    portfolio_features.features, portfolio_features.association, portfolio_parts.practices, portfolio_parts.value,
    shared_sites,
)  # fmt: skip


def absent(report: FunderReport) -> Section:
    """Collaboratives left out, chapters left out, and what each collaborative lacks."""
    rows = [(label, "all of it", _why(kind)) for label, kind in report.published.left_out]
    missing = [part(report) for part in CHAPTERS]
    rows += [("all", part.section, f"{part.why}: {part.needs}") for part in missing if isinstance(part, Missing)]
    for member in report.published.members:
        rows += [(member.label, PARTS[part], _would_take(part, member.given)) for part in member.lacks]
    if not rows:
        return Section(blocks("# Not in this report {#sec-absent}", "Nothing is left out."))
    table = pd.DataFrame(rows, columns=["Collaborative", "Part", "Why, or what would fill it"])
    said = callout("important", "Key message", text(_left_out(report))) if report.published.left_out else ""
    shown = tables.wide(tables.pipe_table(table, "Left out, and what would fill it", "absent"))
    return Section(blocks("# Not in this report {#sec-absent}", said, shown))


def _left_out(report: FunderReport) -> str:
    names = [label for label, _ in report.published.left_out]
    verb = numbers.plural(len(names), ("is", "are"))
    said = f"{numbers.capital(numbers.listed(names, 6))} {verb} left out of every number here"
    return f"{said}; what is said of all is said of the others."


def _would_take(part: str, given: Collection[str]) -> str:
    """What a collaborative would have to give; or that it gave it, and its own run found nothing with it."""
    if TABLE.get(part) in given:
        return f"{TABLE[part]}.csv is there, but its own run has no result of it"
    return f"would take {NEEDS[part]}"


def _why(kind: str) -> str:
    if kind == "refused":
        return "its params or data were refused; the log of the run says every problem"
    return "a step of its evaluation failed; the log of the run says which"


METHODS = (
    "Each collaborative is evaluated by its own run: its own params, models and rules (its own report has them). "
    "Nothing is pooled over collaboratives but what the chapter on features and improvement says.",
    "What is not wanted is, where fewer is better, the events of a measure; where more is better, the cases without "
    "them (or, of measures that are no shares, the ratio turned round). Its ratio, now over baseline, or with the "
    "programme over without it, puts every measure on one scale. Change is of all sites together, whoever joined or "
    "left.",
    "Improvement of a collaborative is minus the logarithm of that ratio, averaged over its outcome measures, with "
    "the standard error that the interval gives; measures of one collaborative are taken as independent. Effects are "
    "used where at least eight collaboratives have one, else changes; never some of each.",
    "Improvement on the scores of the five features: linear regression with a regularised horseshoe prior (Piironen &"
    " Vehtari 2017), in which scores and improvements both have their errors, sampled with the No-U-Turn sampler; what "
    "its checks said stands under Diagnostics. It takes eight collaboratives, and "
    "twenty for a figure.",
    "A site in several collaboratives is one site where the register says so. Numbers on fewer sites than the params "
    "allow, and small numbers of shared sites, are not shown; sites have neither name nor code here.",
)


def methods(report: FunderReport) -> Section:
    """How it was made, in words."""
    return Section(blocks("# Methods {#sec-methods}", *map(text, METHODS)))


def diagnostics(report: FunderReport) -> Section:
    """Checks of the fit across collaboratives, and whether each collaborative's own run passed its own."""
    rows = report.published.diagnostics
    failed = rows[~rows["passed"].astype(bool)]
    message = checks.message(len(rows), len(failed), bool(failed["level"].eq("blocking").any()))
    advice = "\n".join(_advice(row) for row in failed.to_dict("records"))
    table = pd.DataFrame({
        "Of": list(rows["model"]), "Check": [checks.name(str(check)) for check in rows["check"]],
        "Passed": ["yes" if passed else "no" for passed in rows["passed"]],
    })  # fmt: skip
    said, shown = (
        callout("important", "Key message", text(message)),
        report.table("portfolio-diagnostics", table, "Checks"),
    )
    return Section(blocks("# Diagnostics {#sec-diagnostics}", said, advice, shown))


def _advice(check: Mapping[Hashable, Any]) -> str:
    name = text(checks.name(str(check["check"])))
    return f"- **{name}** ({text(str(check['model']))}): {text(str(check['advice']))}"


def provenance(report: FunderReport) -> Section:
    """What the report was made from, and how to make it again."""
    rows = [(member.label, member.edition, f"{member.first} to {member.last}", member.status,
             engines.of_run(member.engines))
            for member in report.published.members]  # fmt: skip
    table = pd.DataFrame(rows, columns=["Collaborative", "Edition", "Data", "Own run", "Engines of its measures"])
    software = [("Python", platform.python_version()), *((name, metadata.version(name)) for name in PACKAGES)]
    versions = pd.DataFrame(software, columns=["Software", "Version"])
    return Section(blocks("# Provenance {#sec-provenance}",
                          report.table("portfolio-runs", table, "The runs behind this report"),
                          report.table("portfolio-versions", versions, "Software that made the numbers"),
                          "## How to make it again", again(report.published.command)))  # fmt: skip
