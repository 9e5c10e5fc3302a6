"""The report of a comparison of models: words that would change, which model predicts better, what each model is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure import Compared
from collabeval.params import PARAMS_MODEL
from collabeval.run_folder import RunFolder
from collabeval.sections.report import FrontMatter, Section, blocks, callout, text, write_table
from collabeval.sections.sensitivity import finding, models_table, unnamed, words_table
from collabeval.statements import alternatives, checks, numbers


@dataclass(frozen=True)
class ComparisonReport:
    """A comparison, and where its tables are written."""

    compared: Compared
    run: RunFolder
    checks: pd.DataFrame

    @property
    def nouns(self) -> tuple[str, str]:
        return self.compared.params.report.site_noun

    def table(self, name: str, table: pd.DataFrame, caption: str, right: tuple[str, ...] = ()) -> str:
        return write_table(self.run, name, table, caption, right=right)


def comparison_front_matter(report: ComparisonReport) -> FrontMatter:
    """The finding as the document's title."""
    params = report.compared.params
    return FrontMatter(
        {
            "title": finding(report.compared, report.nouns).rstrip("."),
            "subtitle": f"{params.title}. Comparison of models, {params.edition}",
            "author": params.report.author,
            "lang": params.report.language,
            "date": params.edition,
        }
    )


def comparison_kicker(report: ComparisonReport) -> Section:
    """Above the title: whose report this is, and a banner where a fit failed its check."""
    params, failed = report.compared.params, report.checks[~report.checks["passed"].astype(bool)]
    left, right = text(params.title), text(f"Comparison of models {params.edition}")
    line = f"::: {{.kicker}}\n[{left}]{{.kicker-left}} [{right}]{{.kicker-right}}\n:::"
    if failed.empty:
        return Section(line)
    names = [f"{numbers.lower_first(checks.name(str(row['check'])))} ({_model(str(row['model']))})"
             for row in failed.to_dict("records")]  # fmt: skip
    what = text(f"Do not circulate. Checks that failed: {numbers.listed(names, 4)}.")
    return Section(
        blocks(f"::: {{.banner}}\n[Provisional: a fit failed its check]{{.banner-title}}\n\n{what}\n:::", line)
    )


def _model(fit: str) -> str:
    alternative, _, measure = fit.partition("@")
    return f"{alternatives.name(alternative)}, {measure}"


def changed_words(report: ComparisonReport) -> Section:
    """The sites whose word changes in any slot between models."""
    compared = report.compared
    said = callout("important", "Key message", text(finding(compared, report.nouns)))
    return Section(
        blocks("# Words that would change", said, words_table(report.run, compared), unnamed(compared, report.nouns))
    )


def prediction(report: ComparisonReport) -> Section:
    """Leave-one-out, weights, engines and checks: one table for each measure."""
    compared = report.compared
    labels = {name: measure.label for name, measure in compared.params.measures.items()}
    tables = [
        report.table(f"prediction-{number}", prediction_table(rows), labels[str(measure)], RIGHT)
        for number, (measure, rows) in enumerate(compared.alternatives.groupby("measure", sort=False), start=1)
    ]  # fmt: skip
    return Section(blocks("# Which model predicts better", *map(text, HOW_TO_READ), *tables))


RIGHT = ("Against params", "Standard error", "Weight", "Rows with high k", "Seconds")
HOW_TO_READ = (
    "Each row of the data is left out in turn and predicted from the rest (LOO, by Pareto-smoothed importance "
    "sampling). Above 0 an alternative predicts better than the model of params; a difference below about four, or "
    "below twice its standard error, tells the models apart too little to choose by it. Weights are those of the best "
    "mixture of the models (stacking).",
    "Effects that only one row informs are integrated out first, since plain leave-one-out fails for them: the ups "
    "and downs of a site in one period, and the level of a site with one row (of a model of one’s own only the "
    "former). Where more than one row, and more than one in twenty, has a high Pareto k, leave-one-out flatters the "
    "model by an unknown amount: its difference and weight are not told.",
)


def prediction_table(rows: pd.DataFrame) -> pd.DataFrame:
    """A measure's models, best first, as they are read."""
    cells = []
    for row in rows.sort_values("elpd_difference", ascending=False).to_dict("records"):
        own = row["alternative"] == PARAMS_MODEL
        cells.append({
            "Model": alternatives.name(row["alternative"]),
            "Against params": "–" if own else _told(numbers.signed, row["elpd_difference"], 1),
            "Standard error": "–" if own else _told(numbers.decimal, row["difference_se"], 1),
            "Weight": _told(numbers.decimal, row["weight"], 2),
            "Rows with high k": f"{row['high_k']} of {row['rows']}",
            "Engine": alternatives.VALUES.get(row["engine"], row["engine"]),
            "Its check": "failed" if row["failed"] else "passed",
            "Seconds": numbers.decimal(row["seconds"], 1),
        })  # fmt: skip
    return pd.DataFrame(cells)


def _told(write: Callable[[float, int], str], value: float, digits: int) -> str:
    return write(value, digits) if value == value else "not told"


def models(report: ComparisonReport) -> Section:
    """What each model has otherwise than that of params."""
    return Section(blocks("# The models", models_table(report.run, report.compared)))
