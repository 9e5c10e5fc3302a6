"""The five features at a glance: the profile, what each score is made of, how raters saw it, what would improve it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from collabeval import plots
from collabeval.disclosure.profile import ProfileView
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks, callout, figure_text, text
from collabeval.statements import features, numbers
from collabeval.statements import profile as say
from collabeval.statements import ratings as say_ratings
from collabeval.statements.features import TARGET_WORDS

ON_100 = plots.Axis(kind="value", reference=None)
QUANTILES = ["q025", "q25", "q50", "q75", "q975"]


def missing(report: Report) -> Missing | None:
    """Why there is no profile."""
    if report.published.profile is not None:
        return None
    return Missing(
        "The five features",
        "no indicator with a target, no survey, no ratings and no audit",
        "tables of indicators, survey, ratings or audit (indicators.csv, survey.csv, ratings.csv, audit.csv)",
    )


@narrated("features")
def profile(report: Report) -> Section | Missing:
    """The chapter."""
    view = report.published.profile
    if view is None:
        found = missing(report)
        assert found is not None
        return found
    advice = say.advice(report.published, view)
    return Section(
        blocks(
            "# The five features {#sec-features}",
            callout("important", "Key message", text(f"{message(report)}")),
            _figure(report, view),
            text(" ".join(filter(None, _notes(report, view)))),
            _table(report, view),
            _ratings(report),
            blocks("## What would improve this", "\n".join(f"- {text(line)}" for line in advice)) if advice else "",
        )
    )


def _notes(report: Report, view: ProfileView) -> list[str]:
    return [say.weights(report.published), say.left_out(report.published, view), say.not_assessed(report.published)]


def unassessed(report: Report) -> list[Missing]:
    """What the profile is made without; none where there is no profile, which says so itself."""
    if report.published.profile is None:
        return []
    return [
        Missing(numbers.capital(what), f"not assessed: {why}", f"{say.TABLES[table]} ({table}.csv)")
        for what, table, why in say.unassessed(report.published)
    ]


def message(report: Report) -> str:
    """The finding and what has changed, as sentences; "" without a profile."""
    view = report.published.profile
    if view is None:
        return ""
    return f"{say.finding(report.published, view)}. {say.change(report.published, view)}".strip()


def _figure(report: Report, view: ProfileView) -> str:
    words = say.figure(report.published, view)
    slugs = say.verdicts(report.published, view)
    rows = view.scores[[*QUANTILES, "previous", "at_target"]].reset_index(drop=True)
    rows["label"] = [features.name(slug) for slug in view.scores["feature"]]
    rows["detail"] = [say.made_of(view, slug) for slug in view.scores["feature"]]
    rows["target"] = float(report.published.params.profile.target)
    rows["word"] = slugs
    rows["value"] = [numbers.whole(value) for value in rows["q50"]]
    rows["tag"] = [TARGET_WORDS[slug] for slug in slugs]
    pairs = zip(slugs, rows["at_target"], strict=True)
    rows["chance"] = [features.chance_line(slug, chance) for slug, chance in pairs]
    drawn = plots.scores(rows, figure_text(words, ""), ON_100)
    return report.figure("features", words, drawn)


def _table(report: Report, view: ProfileView) -> str:
    """The score of each feature, which stands out, and under it the parts that it is made of."""
    rows, bold = [], []
    for score in view.scores.to_dict("records"):
        feature = str(score["feature"])
        rows.append(_score(report, score))
        parts = [part for part in say.latest(view, feature).to_dict("records") if part["weight"] > 0]
        rows += [_part(report, view, feature, part) for part in parts]
        bold += [True, *[False] * len(parts)]
    if view.total is not None:
        middle, low, high = view.total
        rows.append({"Feature, and its parts": "Total", "Now": features.with_interval(middle, low, high)})
        bold.append(True)
    caption = (
        "The score of each feature, with its 95% interval, and the parts it is made of; weights are shares of the score"
    )
    table = pd.DataFrame(rows).fillna("")
    return report.table("feature-parts", table, caption, bold, right=list(table.columns[1:]))


def _score(report: Report, row: Mapping[Hashable, Any]) -> dict[str, str]:
    target = report.published.params.profile.target
    return {
        "Feature, and its parts": features.name(str(row["feature"])),
        "Now": features.with_interval(row["q50"], row["q025"], row["q975"]),
        "Last year": numbers.decimal(row["previous"], 0),
        "Target": f"{target:g}",
        "Weight": "",
        "At target": numbers.chance_short(row["at_target"]),
    }


def _part(report: Report, view: ProfileView, feature: str, part: Mapping[Hashable, Any]) -> dict[str, str]:
    code, when = str(part["part"]), str(part["period"])
    late = f" ({numbers.period_name(when)})" if part["years_back"] else ""
    return {
        "Feature, and its parts": f"{say.part_name(report.published, code)}{late}",
        "Now": say.amount(report.published, code, part["estimate"]),
        "Last year": say.amount(report.published, code, say.before(view, feature, code)),
        "Target": say.amount(report.published, code, part["target"]),
        "Weight": numbers.percent(part["weight"]),
        "At target": numbers.chance_short(part["at_target"]),
    }


def _ratings(report: Report) -> str:
    """How raters saw the features: scores free of severity, and how far the raters agree."""
    view = report.published.ratings
    if view is None:
        return ""
    table = pd.DataFrame([_rating(report, row) for row in view.scores.to_dict("records")])
    if view.scores["previous"].isna().all():
        table = table.drop(columns=["Before", "Change", ""])
    caption = (
        f"Scores from 1 to 5 that a rater of average severity would give, {numbers.period_name(view.period)}, with 95% "
        f"intervals; target {report.published.params.profile.rating_target:g}"
    )
    right = [name for name in ("Score", "Before", "Change", "At target") if name in table]
    shown = report.table("ratings", table, caption, right=right)
    return blocks("## How raters saw it", text(say_ratings.agreement(view)), shown)


def _rating(report: Report, row: Mapping[Hashable, Any]) -> dict[str, str]:
    slug = features.change_of(row["improved"], report.published.params.rules.trajectory)
    return {
        "Feature": features.name(str(row["feature"])),
        "Score": features.with_interval(row["q50"], row["q025"], row["q975"], 1),
        "Before": numbers.decimal(row["previous"], 1),
        "Change": features.with_interval(row["change"], row["change_low"], row["change_high"], 1, sign=True),
        "": features.CHANGE_WORDS[slug] if slug else "",
        "At target": numbers.chance_short(row["at_target"]),
    }
