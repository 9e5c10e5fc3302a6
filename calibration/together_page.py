"""The part of docs/calibration.md on measures fitted together: figure, table and what strays."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from calibration import figures
from calibration.forms import FAMILIES, FORMS
from calibration.rank_tables import OF_FAST, curves_of, kinds
from calibration.replicates import Store
from calibration.tables import p_value, table_of
from calibration.together import CORRELATIONS, STUDIED, name_of
from calibration.uniform import Curve, limit_for, strays
from collabeval.plots.saving import save_svg

PICTURE = "calibration_together"
PARTS = (*FAMILIES, "correlation")


def write(store: Store, docs: Path) -> dict[str, str]:
    """Result files and figure, and what the page is filled with."""
    found = {form: store.table(name_of(form)) for form in STUDIED}
    tables = {form: table for form, table in found.items() if table is not None}
    curves = {form: curves_of(table) for form, table in tables.items()}
    for form, table in tables.items():
        store.keep(name_of(form), table)
    every = {f"{FORMS[form].title}: `{name}`": one.p_value for form, own in curves.items() for name, one in own.items()}
    limit = limit_for(len(every))
    rows = [row for form, own in curves.items() for row in _panels(form, tables[form], own)]
    save_svg(figures.rank_curves("Where the truth lies among the draws: measures together", rows, limit),
             docs / "pictures" / f"{PICTURE}.svg")  # fmt: skip
    return {"together": _table(tables, curves), **{f"together_{name}": said for name, said in strays(every).items()}}


def _panels(form: str, table: pd.DataFrame, curves: dict[str, Curve]) -> list[figures.Row]:
    """A panel for each measure, and one for the correlations in a row of its own."""
    if not curves:
        return []
    own = {part: {name.removeprefix(f"{part} "): one for name, one in curves.items() if name.startswith(part)}
           for part in PARTS}  # fmt: skip
    title = f"{FORMS[form].title}, {len(table):,} worlds"
    return [(title, [(family, own[family]) for family in FAMILIES]), ("", [("correlations", own["correlation"])])]


def _table(tables: dict[str, pd.DataFrame], curves: dict[str, dict[str, Curve]]) -> str:
    """How many worlds, what the check said of them, and the smallest p of each part."""
    rows = []
    for form, table in tables.items():
        counts = kinds(table).value_counts()
        smallest = []
        for part in PARTS:
            own = {name: one.p_value for name, one in curves[form].items() if name.startswith(part)}
            least = min(own, key=lambda name: own[name], default="")
            shown = least if part == "correlation" else least.removeprefix(f"{part} ")
            smallest.append(f"{p_value(own[least])} (`{shown}`)" if own else "–")
        ranked = table[CORRELATIONS[0]].notna().sum()
        cells = [f"{counts.get(kind, 0):,}" for kind in OF_FAST]
        rows.append([FORMS[form].title, f"{len(table):,}", f"{ranked:,}", *cells, *smallest])
    heads = [*(f"smallest p, {family}" for family in FAMILIES), "smallest p, R"]
    return table_of(["form", "worlds", "ranked", *OF_FAST, *heads], rows)
