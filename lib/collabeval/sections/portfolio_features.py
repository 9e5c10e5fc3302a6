"""Chapters of a portfolio's report: the five features, and what goes with improvement."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from collabeval import plots
from collabeval.disclosure.portfolio import MemberView
from collabeval.params.indicators import FIVE
from collabeval.portfolio.association import FIGURE
from collabeval.sections.portfolio import FunderReport
from collabeval.sections.report import Missing, Section, blocks, callout, text
from collabeval.statements import numbers
from collabeval.statements import portfolio as say
from collabeval.statements import portfolio_parts as parts
from collabeval.statements.portfolio_parts import FEATURES, SHORT


def features(report: FunderReport) -> Section | Missing:
    """The five features side by side."""
    facts = report.facts
    scored, judged = parts.with_features(facts), parts.with_indicators(facts)
    if not scored and not judged:
        return Missing("The five features", "no collaborative has indicators with a target",
                       "a table of indicators (indicators.csv)")  # fmt: skip
    return Section(
        blocks(
            "# The five features {#sec-features}",
            callout("important", "Key message",
                    text((parts.features_message if scored else parts.indicators_message)(facts))),
            _features_figure(report) if scored else "",
            _features_table(report) if scored else "",
            _indicators_table(report, judged) if judged else "",
            text(parts.lacking(facts, "features", "Without indicators")),
            callout("note", "What would improve this", text("Targets for every indicator, and more indicators of the "
                                                            "features that have few.")),
        )
    )  # fmt: skip


def _ordered(report: FunderReport) -> list[MemberView]:
    """Collaboratives in the order of the first figure, those without a comparison last."""
    return [line.member for line in report.facts.leading]


def _features_figure(report: FunderReport) -> str:
    there = set(report.published.features["collaborative"])
    rows = []
    for member in (member for member in _ordered(report) if member.name in there):
        for feature in FIVE:
            score = report.facts.score(member, feature)
            nothing = [math.nan] * 5
            values = (
                nothing
                if score is None
                else [score.lower, score.inner_lower, score.median, score.inner_upper, score.upper]
            )
            short = report.facts.feature_chance(member, feature) <= parts.BELOW
            rows.append({"label": member.label, "panel": feature, "target": report.facts.target(member),
                         "word": "not_enough_data" if short else "unclear",
                         **dict(zip(("q025", "q25", "q50", "q75", "q975"), values, strict=True))})  # fmt: skip
    words = parts.features_figure(report.facts)
    panels = [(feature, SHORT[feature]) for feature in FIVE]
    drawn = plots.portfolio_features(pd.DataFrame(rows), report.words_of(words), panels)
    return report.figure("portfolio-features", words, drawn)


def _features_table(report: FunderReport) -> str:
    rows = []
    for member in parts.with_features(report.facts):
        row = {"Collaborative": member.label}
        for feature in FIVE:
            score = report.facts.score(member, feature)
            row[SHORT[feature]] = numbers.NOT_ESTIMATED if score is None else (
                f"{numbers.decimal(score.median, 0)} ({numbers.interval(score.lower, score.upper, 0)})")  # fmt: skip
        rows.append(row)
    return report.table("portfolio-features", pd.DataFrame(rows), "Scores from 0 to 100, with 95% intervals")


def _indicators_table(report: FunderReport, members: list[MemberView]) -> str:
    """How many indicators of each feature are at target, and how many short of it."""
    rows = []
    for member in members:
        found = {feature: report.facts.at_target(member, feature) for feature in FIVE}
        told = {SHORT[feature]: f"{at} of {every}" + (f", {short} short" if short else "") if every else "–"
                for feature, (at, short, every) in found.items()}  # fmt: skip
        rows.append({"Collaborative": member.label, **told})
    caption = "Indicators with a target: how many are probably at it, and how many probably short of it"
    return report.table("portfolio-indicators", pd.DataFrame(rows), caption)


def association(report: FunderReport) -> Section | Missing:
    """What goes with improvement: a figure from twenty collaboratives on, a table below."""
    if not parts.with_features(report.facts):
        return Missing("What goes with improvement", "no collaborative has scores of the features",
                       "scores of all five features in the collaboratives' own runs")  # fmt: skip
    rows = report.published.association
    estimated = bool(rows["feature"].ne("").all())
    enough = estimated and int(rows["collaboratives"].iloc[0]) >= FIGURE
    basis = {"effect": "the effect of the programme", "change": "the change since baseline"}
    what = basis.get(str(rows["basis"].iloc[0]), "")
    about = f"Improvement is {what} in the outcome measures of each collaborative, of which there are " if what else ""
    about += f"{numbers.whole(rows['collaboratives'].iloc[0])}." if what else ""
    return Section(
        blocks(
            "# What goes with improvement {#sec-association}",
            callout("important", "Key message", text(parts.association_message(report.facts))),
            text(f"{parts.EXPLORATORY} {about}".strip()) if estimated else "",
            _association_figure(report) if enough else "",
            _association_table(report) if estimated else "",
            _side_by_side(report),
            callout("note", "What would improve this",
                    text("More collaboratives with scores and a measured effect; a figure is drawn from "
                         f"{numbers.number_word(FIGURE)} on.")),
        )
    )  # fmt: skip


def _association_figure(report: FunderReport) -> str:
    found = report.published.association.sort_values("q50", ascending=False)
    quantiles = {f"q{at}": np.exp(-found[f"q{end}"]) for at, end in
                 (("025", "975"), ("25", "75"), ("50", "50"), ("75", "25"), ("975", "025"))}  # fmt: skip
    tags = [numbers.chance_short(value) for value in found["probability"]]
    rows = pd.DataFrame(
        {"label": [FEATURES[name] for name in found["feature"]], "word": "unclear", "tag": tags, **quantiles}
    )
    words = parts.association_figure(report.facts)
    axis = plots.Axis(label="goes with more improvement ← ratio → with less", reference_label="no difference")
    return report.figure("portfolio-association", words, plots.caterpillar(rows, report.words_of(words), axis))


def _association_table(report: FunderReport) -> str:
    found = report.published.association.sort_values("probability", ascending=False)
    table = pd.DataFrame({
        "Ten points more of": [FEATURES[name] for name in found["feature"]],
        "Go with so much of what is not wanted": [parts.less_for_points(row) for _, row in found.iterrows()],
        "Chance that it goes with improvement": [numbers.chance_short(value) for value in found["probability"]],
    })  # fmt: skip
    right = ("Chance that it goes with improvement",)
    return report.table(
        "portfolio-association", table, "Features and improvement, exploratory, with 95% intervals", right
    )


def _side_by_side(report: FunderReport) -> str:
    """Scores beside improvements, for the reader's own eye."""
    rows = []
    for line in report.facts.leading:
        row = {"Collaborative": line.member.label,
               "Leading measure": numbers.NOT_ESTIMATED if line.ratio is None else say.less(line.ratio)}  # fmt: skip
        for feature in FIVE:
            score = report.facts.score(line.member, feature)
            row[SHORT[feature]] = numbers.NOT_ESTIMATED if score is None else numbers.decimal(score.median, 0)
        rows.append(row)
    right = tuple(SHORT.values())
    caption = "What is not wanted, beside the scores of the features; most improved first"
    return report.table("portfolio-side-by-side", pd.DataFrame(rows), caption, right)
