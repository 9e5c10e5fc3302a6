"""Audits, a part of the chapter on measurement and feedback."""

from __future__ import annotations

import math

import pandas as pd

from collabeval import plots
from collabeval.disclosure.audit import AuditView
from collabeval.sections.diagnostics import with_code
from collabeval.sections.report import Report, blocks, figure_text, text
from collabeval.statements import audit as say
from collabeval.statements import features, numbers
from collabeval.statements.features import TARGET_WORDS

QUANTILES = ["q025", "q25", "q50", "q75", "q975"]


def audit(report: Report) -> str:
    """The finding, the figure by field, the table by field, the sites, what would improve it; "" without audits."""
    view = report.published.audit
    if view is None:
        return ""
    advice = say.advice(report.published, view)
    return blocks(
        "## Audited records",
        text(f"{say.finding(report.published, view)}. {say.sureness(view)} {say.correction(view)}"),
        _figure(report, view),
        _table(report, view.fields, "Field", "audit-fields", "Agreement by field, with 95% intervals; lowest first"),
        text(say.sites(report.published, view)),
        _sites(report, view),
        blocks("### What would improve this", "\n".join(f"- {with_code(line)}" for line in advice)) if advice else "",
    )


def _figure(report: Report, view: AuditView) -> str:
    words = say.figure(report.published, view)
    rows = say.lowest_first(view.fields).reset_index(drop=True)
    slugs = [say.verdict(report.published, chance) for chance in rows["at_target"]]
    pairs = zip(slugs, rows["at_target"], strict=True)
    shown = rows[["label", *QUANTILES, "previous"]].assign(
        detail="",
        target=float(report.published.params.profile.audit_target),
        word=slugs,
        value=[f"{numbers.decimal(value, 1)}%" for value in rows["q50"]],
        tag=[TARGET_WORDS[slug] for slug in slugs],
        chance=[features.chance_line(slug, chance) for slug, chance in pairs],
    )
    axis = plots.Axis(label="per cent of records", kind="value", reference=None)
    last = numbers.period_name(view.before)
    return report.figure("audit", words, plots.scores(shown, figure_text(words, ""), axis, last))


def _sites(report: Report, view: AuditView) -> str:
    if len(view.sites) < 2:
        return ""
    noun = numbers.capital(report.lead.nouns[0])
    return _table(
        report, view.sites, noun, "audit-sites", f"Agreement by {report.lead.nouns[0]}, all on the same fields"
    )


def _table(report: Report, rows: pd.DataFrame, heading: str, name: str, caption: str) -> str:
    """One row a field or site, lowest agreement first."""
    ordered = say.lowest_first(rows)
    of_site = name == "audit-sites"
    slugs = [say.verdict(report.published, chance, of_site) for chance in ordered["at_target"]]
    pairs = zip(slugs, ordered["at_target"], strict=True)
    table = pd.DataFrame(
        {
            heading: list(ordered["label"]),
            "Records": [numbers.whole(value) if math.isfinite(value) else "few" for value in ordered["checked"]],
            "Agree, %": _intervals(ordered, ["q50", "q025", "q975"], 1),
            "Kappa": _intervals(ordered, ["kappa", "kappa_low", "kappa_high"], 2),
            "Before, %": [numbers.decimal(value, 1) for value in ordered["previous"]],
            f"Target {report.published.params.profile.audit_target:g}%": [
                f"{TARGET_WORDS[slug]} ({features.chance_of(slug, chance)})" for slug, chance in pairs
            ],
        }
    )
    empty = {"Kappa": rows["kappa"].isna().all(), "Before, %": rows["previous"].isna().all()}
    table = table.drop(columns=[column for column, all_empty in empty.items() if all_empty])
    right = [column for column in ("Records", "Agree, %", "Kappa", "Before, %") if column in table]
    return report.table(name, table, caption, right=right)


def _intervals(rows: pd.DataFrame, columns: list[str], digits: int) -> list[str]:
    values = zip(*(rows[column].to_list() for column in columns), strict=True)
    return [features.with_interval(middle, low, high, digits) for middle, low, high in values]
