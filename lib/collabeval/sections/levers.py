"""Motivational levers: what the performance index pays, how much of it is chance, and what would make it less."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from collabeval import plots
from collabeval.disclosure.scorecards import PublishedScorecard
from collabeval.sections import indicators
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks, callout, figure_text, slugged, text
from collabeval.statements import numbers
from collabeval.statements import scorecards as say

BANDS = {"": "all", "small": "smallest third", "medium": "middle third", "large": "largest third"}
UNITS = {"site": "own value", "group": "group", "region": "region", "collaborative": "collaborative"}
FEATURES = ("levers",)  # of the indicators shown here
NEAREST = 2  # next tiers named for a site
DOUBT = 0.5
NOTHING = "Nothing, by the rules of this report."
TITLE = "Motivational levers"
INDICATORS = "a table of indicators (indicators.csv)"
MISSING = Missing(TITLE, "no performance index is declared", "a scorecard in the params file")
NO_WAIVERS = "No table of waivers (waivers.csv) was given: no line is waived for any {noun}."


def missing(report: Report) -> Missing | None:
    """What stands in the list of chapters left out; None where there is a scorecard, or indicators have numbers."""
    if report.published.scorecards or indicators.there(report, FEATURES):
        return None
    unscored = _unscored(report)
    return Missing(TITLE, _without_table(unscored), INDICATORS) if unscored else MISSING


def unassessed(report: Report) -> list[Missing]:
    """The scorecards that cannot be scored where others can; none where the whole chapter is left out."""
    if missing(report):
        return []
    return [Missing(label, _without_table([label]), INDICATORS) for label in _unscored(report)]


def _unscored(report: Report) -> list[str]:
    """Labels of the scorecards that look at indicators, of which there is no table."""
    params = report.published.params
    return [card.label for name, card in params.scorecards.items() if name not in params.scored]


def _without_table(labels: Sequence[str]) -> str:
    looks = numbers.plural(len(labels), ("looks", "look"))
    return f"{numbers.listed(labels)} {looks} at indicators, and no table of them was given"


@narrated("levers")
def levers(report: Report) -> Section | Missing:
    """The chapter, one part per scorecard, then the indicators."""
    if lacking := missing(report):
        return lacking
    cards = report.published.scorecards
    shown = [_scorecard(report, card, "##" if len(cards) == 1 else "###") for card in cards]
    of_levers = indicators.added(report, "levers", FEATURES, "motivational levers")
    without = "" if cards else text("No performance index is declared; a scorecard in the params file would be one.")
    if unscored := _unscored(report):
        without = text(f"Not scored: {_without_table(unscored)} (indicators.csv).")
    return Section(blocks(f"# {TITLE} {{#sec-levers}}", without, *shown, of_levers))


def _scorecard(report: Report, card: PublishedScorecard, level: str) -> str:
    nouns = report.lead.nouns
    apart = math.isfinite(card.value("noise_share"))
    looks, wanted = say.signals(card), say.improvements(card, nouns)
    by_site = (f"{level} How far each {nouns[0]} is from its next tier", _sites(report, card))
    return blocks(
        "" if level == "##" else f"## {text(card.card.label)}",
        callout("important", "Key message", text(say.finding(card, nouns))),
        *((_figure(report, card), _volume(report, card)) if apart else ()),
        text(say.money(card, nouns)),
        f"{level} The lines of the index",
        "" if "waivers" in report.published.params.data.further else text(NO_WAIVERS.format(noun=nouns[0])),
        _lines(report, card),
        _targets(report, card),
        *(by_site if apart else ()),
        f"{level} Reasons to look at what is recorded",
        text("These are reasons to look, not evidence of anything:" if looks else NOTHING),
        _bullets(looks),
        f"{level} What would improve this",
        _bullets(wanted) or text(NOTHING),
    )


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {text(sentence)}" for sentence in sentences)


def name_of(card: PublishedScorecard, what: str) -> str:
    """Name of a figure or table of one scorecard."""
    own = slugged(card.name)
    return f"levers-{what}-{own}"


def figure_rows(card: PublishedScorecard) -> pd.DataFrame:
    """One row per site with a score, most points first, as `plots.scorecard` takes them."""
    table = card.sites[card.sites["q025"].notna() | card.sites["points"].notna()]
    doubt = table["misclassified"].ge(DOUBT)
    rows = table.rename(columns={"site": "label"}).assign(
        word=doubt.map({True: "award_in_doubt", False: ""}),
        tag=[_tag(row, bool(card.card.steps), card.card.total) for _, row in table.iterrows()],
        place=table["points"].fillna((table["q025"] + table["q975"]) / 2),
        q50=table["expected_points"],
    )
    return rows.sort_values(["place", "label"], ascending=[False, True], ignore_index=True)


def _tag(row: pd.Series, awards: bool, total: float) -> str:
    if row["silent"]:
        return "not shown"
    earned = f"{say.points(row['points'], total)} points"
    if not awards:
        return earned
    chance = say.chance_of_another(row)
    return row["award"] if chance == numbers.NOT_ESTIMATED else f"{row['award']}, {chance}"


def _figure(report: Report, card: PublishedScorecard) -> str:
    rows = figure_rows(card)
    nouns = report.lead.nouns
    words = say.figure(report.published, card, nouns, int(rows["word"].ne("").sum()))
    axis = plots.Axis(
        f"points of {say.points(card.card.total, card.card.total)}", "value", None, ends=("most", "fewest")
    )
    awards = [(step.at, step.name) for step in card.card.steps]
    drawn = plots.scorecard(rows, figure_text(words, nouns[1]), axis, awards)
    return report.figure(name_of(card, "points"), words, drawn)


def _volume(report: Report, card: PublishedScorecard) -> str:
    """How much is chance, by size of the site."""
    nouns, total = report.lead.nouns, card.card.total
    rows = []
    for volume in [band for band in BANDS if band in set(card.summary["volume"])]:
        value = {
            name: card.value(name, volume) for name in ("sites", "points", "error", "noise_share", "misclassified")
        }
        row = {
            f"{numbers.capital(nouns[1])} by size": BANDS[volume],
            "Number": numbers.whole(value["sites"]),
            "Points, mean": say.points(value["points"], total),
            "Points wrong by, mean": numbers.decimal(value["error"], 1),
            "Share of differences that is chance": numbers.percent(value["noise_share"]),
        }
        if card.card.steps:
            row["Chance of another award, mean"] = numbers.chance_short(value["misclassified"])
        rows.append(row)
    table = pd.DataFrame(rows)
    caption = f"{card.card.label}: how much of the points is chance, by the number of cases of a {nouns[0]}"
    return report.table(name_of(card, "volume"), table, caption, right=list(table.columns[1:]))


def _lines(report: Report, card: PublishedScorecard) -> str:
    lines, nouns = card.lines, report.lead.nouns
    table = pd.DataFrame(
        {
            "Line": [card.labels[code] for code in lines["part"]],
            "Kind": list(lines["kind"]),
            "Scored on": [UNITS[unit] for unit in lines["unit"]],
            f"{numbers.capital(nouns[1])} scored": [numbers.whole(value) for value in lines["sites"]],
            "Points": [say.points(value, 1) for value in lines["worth"]],
            "Points earned, mean": [numbers.decimal(value, 1) for value in lines["points"]],
        }
    )
    if math.isfinite(card.value("noise_share")):
        table["Of its differences, chance"] = [numbers.percent(value) for value in lines["noise_share"]]
        table["Of all differences, made here"] = [numbers.percent(value) for value in lines["variance_share"]]
    caption = f"{card.card.label}: its lines, and where points differ between {nouns[1]}"
    return report.table(name_of(card, "lines"), table, caption, right=list(table.columns[3:]))


def _targets(report: Report, card: PublishedScorecard) -> str:
    """Lines that are scored on the collaborative as a whole: its value, the target, the chance that it is met."""
    lines = card.lines[card.lines["observed"].notna()]
    if lines.empty:
        return ""
    table = pd.DataFrame(
        {
            "Line": [card.labels[code] for code in lines["part"]],
            "Collaborative, recorded": [numbers.decimal(value, 1) for value in lines["observed"]],
            "Target": [numbers.decimal(value, 1) for value in lines["at"]],
            "Chance that the true value meets it": [numbers.chance_short(value) for value in lines["reached"]],
        }
    )
    caption = f"{card.card.label}: what is scored on the collaborative as a whole"
    return report.table(name_of(card, "targets"), table, caption, right=list(table.columns[1:]))


def _sites(report: Report, card: PublishedScorecard) -> str:
    """Every site: points, what true rates would have earned, award, and its nearest next tiers."""
    total, awards = card.card.total, card.card.steps
    table = card.sites.sort_values("site", ignore_index=True)
    shown = pd.DataFrame({numbers.capital(report.lead.nouns[0]): list(table["site"])})
    shown["Points"] = [say.points(value, total) for value in table["points"]]
    bounds = zip(table["q025"], table["q975"], strict=True)
    shown["In truth, 95% interval"] = [numbers.interval(low, high, 0 if total >= 50 else 1) for low, high in bounds]
    if awards:
        shown["Award (chance of another)"] = [_award(row) for _, row in table.iterrows()]
        shown["To the next award"] = [_to_next(value, card) for value in table["points"]]
    if table["money"].gt(0).any():
        shown["Money"] = [_money(value, card) for value in table["money"]]
    shown["Nearest next tiers (points of the line)"] = [_nearest(report, card, site) for site in table["site"]]
    caption = f"{card.card.label}: every {report.lead.nouns[0]}, and what it lacks for its nearest next tiers"
    right = [name for name in shown.columns[1:-1] if not name.startswith("Award")]
    return report.table(name_of(card, "sites"), shown, caption, right=right)


def _award(row: pd.Series) -> str:
    if not row["award"]:
        return numbers.NOT_ESTIMATED
    chance = say.chance_of_another(row)
    return row["award"] if chance == numbers.NOT_ESTIMATED else f"{row['award']} ({chance})"


def _money(value: float, card: PublishedScorecard) -> str:
    return numbers.NOT_ESTIMATED if math.isnan(value) else f"{card.card.money.currency}{numbers.whole(value)}"


def _to_next(points: float, card: PublishedScorecard) -> str:
    if not math.isfinite(points):
        return numbers.NOT_ESTIMATED
    ahead = [step.at - points for step in card.card.steps if step.at - points > 1e-9 * card.card.total]
    return f"{say.points(min(ahead), card.card.total)} points" if ahead else "highest"


def _nearest(report: Report, card: PublishedScorecard, site: str) -> str:
    """The next tiers that are nearest, relative to their thresholds; only those of lines scored on the site itself."""
    own = card.steps[card.steps["site"].eq(site)]
    own = own[[card.card.parts[code].unit == "site" for code in own["part"]]]
    if own.empty:
        return numbers.NOT_ESTIMATED
    near = own.assign(far=own["away"] / own["at"].abs().clip(lower=1e-9)).sort_values(["far", "part"]).head(NEAREST)
    return "; ".join(say.step(row, card, report.published) for _, row in near.iterrows())
