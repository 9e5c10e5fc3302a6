"""Tables and curves of docs/calibration.md on the studies of simulation-based calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from calibration.forms import FORMS
from calibration.studies import GOAL, Study
from calibration.tables import p_value, table_of
from calibration.uniform import Curve, curve

SAID = ("replicate", "failure", "seconds", "pareto_k", "site_share")
KINDS = {
    "passed": "passed",
    "k̂": "have k̂",
    "site's share": "worst site",
    "lost": "could not weigh",
    "few effective": "effective proposals",
    "diverged": "divergences",
    "refused": "refused",
    "broke down": "broke down",
}  # column of the tables of studies: what the engine's own check says
OF_FAST = ("passed", "k̂", "site's share", "lost", "few effective", "refused", "broke down")
OF_NUTS = ("passed", "diverged", "refused", "broke down")
FEWEST = 20  # places of which a curve is drawn and tested
OUTER = 0.485  # further than this from the middle: the outer 3 %

Tables = Mapping[Study, pd.DataFrame]
Curves = Mapping[Study, Mapping[str, Curve]]


def places(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Places of the truth of each quantity, in those replicates that could be ranked."""
    return {
        str(quantity): table[quantity].dropna().to_numpy(float)
        for quantity in table.columns.difference(SAID, sort=False)
    }


def curves_of(table: pd.DataFrame) -> dict[str, Curve]:
    """The curve of each quantity that has places enough."""
    return {quantity: curve(found) for quantity, found in places(table).items() if len(found) >= FEWEST}


def kinds(table: pd.DataFrame) -> pd.Series:
    """What the engine's own check said of each replicate, by the names of `KINDS`."""
    failure = table["failure"].fillna("")
    found = pd.Series("passed", index=table.index)
    for name, mark in KINDS.items():
        found[failure.str.contains(mark)] = name
    unknown = failure[failure.ne("") & found.eq("passed")]
    if len(unknown):
        raise ValueError(f"no column of the table of studies counts: {unknown.iloc[0]}")
    return found


def form_table() -> str:
    """What each form is."""
    rows = [
        [form.title, f"{form.sites} × {form.periods}", ", ".join(form.families), form.says] for form in FORMS.values()
    ]
    return table_of(["form", "sites × periods", "families", "model"], rows)


def study_table(tables: Tables, curves: Curves, studies: Iterable[Study], engine: str) -> str:
    """How many replicates each study of an engine has, what its own check said, and how far the worst curve strays."""
    own = [study for study in studies if study.engine == engine]
    columns = OF_FAST if engine == "laplace" else OF_NUTS
    rows = [_study_row(study, tables.get(study), curves.get(study, {}), columns) for study in own]
    parts = ["passed alone", "failed alone"] if engine == "laplace" else []
    return table_of(["study", f"worlds of {GOAL[engine]:,}", "ranked", *columns, "smallest p", *parts], rows)


def _study_row(
    study: Study, table: pd.DataFrame | None, curves: Mapping[str, Curve], columns: tuple[str, ...]
) -> list[str]:
    parts = 2 * (study.engine == "laplace")
    if table is None:
        return [study.title, "0", *["–"] * (2 + len(columns) + parts)]
    said, ranked = kinds(table), table[table["log_likelihood"].notna()]
    shares = said.value_counts()
    row = [study.title, f"{len(table):,}", f"{len(ranked):,}", *(f"{shares.get(kind, 0):,}" for kind in columns)]
    row.append(_smallest(curves))
    if parts:
        passed = said[ranked.index].eq("passed")
        row += [_smallest(curves_of(part)) for part in (ranked[passed], ranked[~passed])]
    return row


def _smallest(curves: Mapping[str, Curve]) -> str:
    if not curves:
        return "–"
    name, found = min(curves.items(), key=lambda item: item[1].p_value)
    return f"{p_value(found.p_value)} (`{name}`)"


def quantity_tables(tables: Tables, curves: Curves) -> str:
    """A table a form: of each quantity p, and the share of places in the outer 3 %, by family and engine."""
    return "\n\n".join(
        f"**{form.title[:1].upper()}{form.title[1:]}**\n\n{_quantity_table(own, curves)}"
        for form in FORMS.values()
        if (own := {study: table for study, table in tables.items() if study.form == form and curves[study]})
    )


def _quantity_table(tables: Tables, curves: Curves) -> str:
    ranked = {study: places(table) for study, table in tables.items()}
    quantities = list(dict.fromkeys(quantity for study in tables for quantity in curves[study]))
    rows = [[f"`{quantity}`", *(_cell(quantity, ranked[study], curves[study]) for study in tables)]
            for quantity in quantities]  # fmt: skip
    heads = [f"{study.family}{', NUTS' * (study.engine == 'nuts')} ({len(table):,})" for study, table in tables.items()]
    return table_of(["quantity", *heads], rows)


def _cell(quantity: str, ranked: Mapping[str, np.ndarray], curves: Mapping[str, Curve]) -> str:
    if quantity not in curves:
        return "–"
    outer = 100 * np.mean(np.abs(ranked[quantity] - 0.5) > OUTER)
    return f"{p_value(curves[quantity].p_value)} ({outer:.1f})"
