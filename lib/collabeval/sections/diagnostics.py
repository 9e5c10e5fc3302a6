"""Diagnostics: which checks the fit passed, and what those mean that it did not."""

from __future__ import annotations

import pandas as pd

from collabeval.sections.report import Report, Section, blocks, callout, text
from collabeval.statements import numbers


def diagnostics(report: Report) -> Section:
    """The chapter: all checks in one table, advice on those that failed."""
    rows = report.published.diagnostics
    failed = rows[~rows["passed"].astype(bool)]
    return Section(
        blocks(
            "# Diagnostics {#sec-diagnostics}",
            callout(
                "important", "Key message", text(_message(len(rows), len(failed), failed["level"].eq("blocking").any()))
            ),
            _advice(failed),
            _table(report, rows),
        )
    )


def _message(number: int, failed: int, blocking: bool) -> str:
    if not failed:
        return f"All {numbers.whole(number)} checks passed."
    said = f"{numbers.capital(numbers.number_word(failed))} of {numbers.whole(number)} checks did not pass."
    if blocking:
        return f"{said} At least one of them is blocking: this report is provisional."
    return f"{said} {numbers.plural(failed, ('It is', 'They are'))} advisory: the results stand."


def _advice(failed: pd.DataFrame) -> str:
    lines = []
    for row in failed.itertuples():
        name = str(row.check).replace("_", " ")
        lines.append(f"- {text(f'{row.model}, {name}: {row.advice}')}")
    return "\n".join(lines)


def _table(report: Report, rows: pd.DataFrame) -> str:
    """One line per check: how often it was made, its worst value and limit, whether it passed."""
    labels = {view.name: view.params.label for view in report.published.measures}
    table = pd.DataFrame(
        {
            "Model": [labels.get(str(model), str(model)) for model in rows["model"]],
            "Check": [numbers.capital(str(check).replace("_", " ")) for check in rows["check"]],
            "Value": [_value(value) for value in rows["value"]],
            "Limit": [_value(value) for value in rows["limit"]],
            "Kind": list(rows["level"]),
            "Passed": ["yes" if passed else "no" for passed in rows["passed"]],
        }
    )
    if table["Model"].nunique() == 1:
        table = table.drop(columns="Model")
    return report.table(
        "diagnostics", table, "Checks of the fit", [not passed for passed in rows["passed"]], right=["Value", "Limit"]
    )


def _value(value: float) -> str:
    if value != value:
        return numbers.NOT_ESTIMATED
    if value == round(value):
        return numbers.whole(value)
    return f"{value:.3g}".replace("-", numbers.MINUS)
