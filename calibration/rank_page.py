"""docs/calibration.md: result files, figures and page from the replicates of its studies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from calibration import control_page, feature_page, figures, rank_tables, spread_page, together_page
from calibration.forms import CASES, CENTRES, FAMILIES, FORMS, SPREADS
from calibration.rank_tables import Curves, Tables
from calibration.replicates import Store
from calibration.studies import BY_NUTS_ALONE, EFFECTIVE, GOAL, STUDIES
from calibration.tables import filled
from calibration.uniform import limit_for, strays
from collabeval.plots.saving import save_svg

PICTURES = {"laplace": ("calibration", "Where the truth lies among the draws: the fast engine"),
            "nuts": ("calibration_nuts", "Where the truth lies among the draws: NUTS")}  # fmt: skip


def write(store: Store, docs: Path) -> None:
    """Everything that the replicates allow, however few."""
    found = {study: store.table(study.name) for study in STUDIES}
    tables = {study: table for study, table in found.items() if table is not None}
    curves = {study: rank_tables.curves_of(table) for study, table in tables.items()}
    for study, table in tables.items():
        store.keep(study.name, table)
    summary = {study.name.removeprefix("ranks_"): {quantity: round(one.p_value, 5) for quantity, one in own.items()}
               for study, own in curves.items()}  # fmt: skip
    (store.results / "ranks.json").write_text(json.dumps({"p_values": summary}, indent=1) + "\n")
    p_values = named(curves)
    limit = limit_for(len(p_values))
    for engine, (name, title) in PICTURES.items():
        rows = _panels(engine, tables, curves)
        save_svg(figures.rank_curves(title, rows, limit), docs / "pictures" / f"{name}.svg")
    words = {
        "forms": rank_tables.form_table(),
        "fast": rank_tables.study_table(tables, curves, STUDIES, "laplace"),
        "nuts": rank_tables.study_table(tables, curves, STUDIES, "nuts"),
        "quantities": rank_tables.quantity_tables(tables, curves),
    }
    words |= feature_page.write(store, docs) | spread_page.write(store) | control_page.write(store)
    words |= together_page.write(store, docs)
    filled("calibration.md", {**words, **strays(p_values), **_sizes()}, docs)


def _panels(engine: str, tables: Tables, curves: Curves) -> list[figures.Row]:
    """A row of panels for each form of which an engine has curves, a column for each family."""
    rows = []
    for form in FORMS.values():
        studies = {study.family: study for study, found in curves.items()
                   if study.form == form and study.engine == engine and found}  # fmt: skip
        panels = [(f"{study.family}, {len(tables[study]):,} worlds", curves[study]) if study else ("", {})
                  for study in map(studies.get, FAMILIES)]  # fmt: skip
        rows += [(form.title, panels)] if studies else []
    return rows


def named(curves: Curves) -> dict[str, float]:
    """p-value of every curve by study and quantity."""
    engines = {"laplace": "", "nuts": " by NUTS"}
    return {f"{study.title}{engines[study.engine]}: `{quantity}`": one.p_value
            for study, own in curves.items() for quantity, one in own.items()}  # fmt: skip


def _sizes() -> dict[str, str]:
    """What the worlds are made of, and how many there are to be."""
    median, spread = CASES
    return {
        "cases": f"{median:.0f}",
        "few_cases": f"{median * np.exp(-1.96 * spread):.0f}",
        "many_cases": f"{median * np.exp(1.96 * spread):.0f}",
        "centre": f"{CENTRES['binomial']:g}".replace("-", "−"),
        "prior": f"{SPREADS['binomial']:g}",
        "prior_of_means": f"{SPREADS['normal']:g}",
        "effective": str(EFFECTIVE),
        "fewest": str(rank_tables.FEWEST),
        "goal": f"{GOAL['laplace']:,}",
        "goal_of_nuts": str(GOAL["nuts"]),
        "number": str(sum(study.engine == "laplace" for study in STUDIES)),
        "refused": ", ".join(FORMS[form].title for form in BY_NUTS_ALONE),
    }
