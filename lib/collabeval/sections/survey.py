"""The survey, a part of the chapter on leadership and community."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from collabeval import plots
from collabeval.disclosure.survey import SurveyView
from collabeval.sections.report import Report, blocks, figure_text, text
from collabeval.statements import features, numbers
from collabeval.statements import survey as say

MOST_ITEMS = 24  # drawn one by one; of more, only their groups are
QUANTILES = ["q025", "q25", "q50", "q75", "q975"]
EMPTY = {"value": "", "tag": "", "chance": "", "word": "", "detail": "", "previous": math.nan, "target": math.nan}


def survey(report: Report) -> str:
    """Who answered, the tables, differences between sites and roles, the figure; "" without a survey.

    The figure is as tall as half a page: before the tables it would go to the foot of a page of the next chapter.
    """
    view = report.published.survey
    if view is None:
        return ""
    advice = say.advice(report.published, view)
    return blocks(
        "## What people say",
        text(f"{say.finding(report.published, view)}. {say.people(view)}"),
        _table(report, view),
        text(say.groups(report.published, view)),
        _apart(report, view),
        _figure(report, view),
        blocks("### What would improve this", "\n".join(f"- {text(line)}" for line in advice)) if advice else "",
    )


def _figure(report: Report, view: SurveyView) -> str:
    items = view.items[view.items["item"].ne("")]
    by_item = len(items) <= MOST_ITEMS
    words = say.figure(report.published, view, by_item)
    rows: list[dict[str, Any]] = []
    for scale in say.scales(view).to_dict("records"):
        if not by_item:
            rows.append(_row(report, scale, say.scale_name(scale["scale"])))
            continue
        rows.append({"label": say.scale_name(scale["scale"]), **dict.fromkeys(QUANTILES, math.nan), **EMPTY})
        for item in items[items["scale"].eq(scale["scale"])].to_dict("records"):
            rows.append(_row(report, item, say.item_text(report.published, item["item"])))
    axis = plots.Axis(label="per cent who agree", kind="value", reference=None)
    last = numbers.period_name(str(view.people["period"].iloc[-1]))
    return report.figure("survey", words, plots.scores(pd.DataFrame(rows), figure_text(words, ""), axis, last))


def _row(report: Report, row: Mapping[Any, Any], label: str) -> dict[str, Any]:
    slug = features.change_of(row["improved"], report.published.params.rules.trajectory)
    decided = slug in ("improved", "worsened")
    return {
        **EMPTY,
        **{name: row[name] for name in QUANTILES},
        "label": label,
        "previous": row["previous"],
        "word": slug,
        "value": numbers.percent(row["q50"] / 100),
        "tag": features.CHANGE_WORDS[slug] if decided else "",
        "chance": f"chance {features.chance_of(slug, row['improved'])}" if decided else "",
    }


def _table(report: Report, view: SurveyView) -> str:
    """One row a question, after the row of its group, which stands out."""
    rows, bold = [], []
    level = report.published.params.rules.trajectory
    for scale in say.scales(view)["scale"]:
        own = view.items[view.items["scale"].eq(scale)].sort_values(
            "item", key=lambda codes: codes.ne(""), kind="stable"
        )
        for row in own.to_dict("records"):
            slug = features.change_of(row["improved"], level)
            whole = row["item"] == ""
            label = say.scale_name(str(scale)) if whole else say.item_text(report.published, row["item"])
            bold.append(whole)
            rows.append(
                {
                    "Question": label,
                    "Agree, %": features.with_interval(row["q50"], row["q025"], row["q975"]),
                    "Before, %": numbers.decimal(row["previous"], 0),
                    "Change": features.with_interval(row["change"], row["change_low"], row["change_high"], sign=True),
                    "": features.CHANGE_WORDS[slug] if slug else "",
                }
            )
    table = pd.DataFrame(rows)
    if not view.items["previous"].notna().any():
        table = table.drop(columns=["Before, %", "Change", ""])
    caption = "Per cent who agree, with 95% intervals; change in percentage points"
    right = [name for name in ("Agree, %", "Before, %", "Change") if name in table]
    return report.table("survey", table, caption, bold, right)


def _apart(report: Report, view: SurveyView) -> str:
    """Sites and roles that clearly differ from all."""
    clear = say.apart(report.published, view)
    if clear.empty:
        return ""
    table = pd.DataFrame(
        {
            "Who": list(clear["label"]),
            "Answered": [numbers.whole(number) for number in clear["respondents"]],
            "About": [say.scale_name(str(scale)) for scale in clear["scale"]],
            "Agree, %": _intervals(clear, ""),
            "Against all, points": _intervals(clear, "_apart", sign=True),
            "Chance": [numbers.chance_short(chance) for chance in clear["chance"]],
        }
    )
    caption = "Where people clearly see it otherwise than all together, for the same mix of people"
    return report.table(
        "survey-groups", table, caption, right=["Answered", "Agree, %", "Against all, points", "Chance"]
    )


def _intervals(rows: pd.DataFrame, suffix: str, sign: bool = False) -> list[str]:
    columns = (rows[f"{name}{suffix}"].to_list() for name in ("q50", "q025", "q975"))
    return [features.with_interval(middle, low, high, sign=sign) for middle, low, high in zip(*columns, strict=True)]
