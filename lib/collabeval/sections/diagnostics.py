"""Diagnostics: which checks the fit passed, and what those mean that it did not."""

from __future__ import annotations

import pandas as pd

from collabeval.sections.report import Report, Section, blocks, callout, text
from collabeval.sections.sensitivity import sensitivity
from collabeval.statements import checks, numbers


def diagnostics(report: Report) -> Section:
    """The chapter: all checks in one table, advice on those that failed."""
    rows = report.published.diagnostics
    failed = rows[~rows["passed"].astype(bool)]
    blocking = bool(failed["level"].eq("blocking").any())
    return Section(
        blocks(
            "# Diagnostics {#sec-diagnostics}",
            callout("important", "Key message", text(checks.message(len(rows), len(failed), blocking))),
            "\n".join(_advice(report, row) for row in failed.to_dict("records")),
            _table(report, rows),
            sensitivity(report),
        )
    )


def _advice(report: Report, check: dict) -> str:
    """What one failed check means, and which words it puts in doubt."""
    several = report.published.diagnostics["model"].nunique() > 1
    about = f" ({numbers.lower_first(checks.model_name(check['model'], _labels(report)))})" if several else ""
    doubts = checks.doubts(check["changes"])
    doubt = f" In doubt: {numbers.listed(doubts, 8)}." if doubts else ""
    return f"- **{text(checks.name(check['check']) + about)}**: {with_code(check['advice'])}{text(doubt)}"


def _labels(report: Report) -> dict[str, str]:
    return {view.name: view.params.label for view in report.published.measures}


def with_code(sentence: str) -> str:
    """A sentence as Markdown in which only backticks keep their meaning."""
    parts = sentence.split("`")
    return "".join(f"`{part}`" if number % 2 else text(part) for number, part in enumerate(parts))


def _table(report: Report, rows: pd.DataFrame) -> str:
    """One line per check: its value and limit, whether it passed."""
    labels = _labels(report)
    table = pd.DataFrame(
        {
            "Measure": [checks.model_name(str(model), labels) for model in rows["model"]],
            "Check": [checks.name(str(check)) for check in rows["check"]],
            "Value": [checks.figure(value) for value in rows["value"]],
            "Limit": [checks.figure(value) for value in rows["limit"]],
            "Kind": list(rows["level"]),
            "Passed": ["yes" if passed else "no" for passed in rows["passed"]],
        }
    )
    if rows["model"].nunique() == 1:
        table = table.drop(columns="Measure")
    bold = [not passed for passed in rows["passed"]]
    return report.table("diagnostics", table, "Checks of the fit", bold, right=["Value", "Limit"])
