"""docs/calibration.md: result files, figure and page from the replicates of `python -m calibration ranks`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from calibration import feature_page, figures, spread_page
from calibration.ranks import CASES, CENTRES, FAMILIES, FORMS, SPREADS, of_study
from calibration.tables import filled, table_of
from calibration.uniform import Curve, curve
from collabeval.plots.saving import save_svg

SAID = ("replicate", "failure", "seconds", "pareto_k", "site_share")
KINDS = {
    "passed": "passed",
    "k̂": "have k̂",
    "site's share": "worst site",
    "lost": "could not weigh",
    "few effective": "effective proposals",
    "refused": "refused",
    "broke down": "broke down",
}  # column of the table of studies: what the engine's own check says
ERROR = 0.05  # over all curves of all studies together (Bonferroni)


def write(work: Path, results: Path, docs: Path) -> None:
    """Everything that the replicates in `work` allow, and those kept in `results` of studies that it has none of."""
    files = [*work.glob("ranks_*.jsonl"), *results.glob("ranks_*.csv")]
    names = list(dict.fromkeys(path.stem for path in sorted(files, key=_order)))
    found = {name.removeprefix("ranks_"): of_study(name, work, results) for name in names}
    studies = {name: table for name, table in found.items() if table is not None}
    curves = {name: {quantity: curve(places) for quantity, places in _places(table)} for name, table in studies.items()}
    for name, table in studies.items():
        kept = table.drop(columns="seconds", errors="ignore").replace(-np.inf, np.nan).round(4)
        kept.to_csv(results / f"ranks_{name}.csv", index=False, lineterminator="\n")
    summary = {name: {quantity: round(found.p_value, 4) for quantity, found in study.items()}
               for name, study in curves.items()}  # fmt: skip
    (results / "ranks.json").write_text(json.dumps({"p_values": summary}, indent=1) + "\n")
    fast = {_title(name): found for name, found in curves.items() if "_laplace_" in name}
    save_svg(figures.rank_curves(fast, _limit(curves)), docs / "pictures" / "calibration.svg")
    tables = {
        "studies": _study_table(studies, curves),
        "p_values": _p_value_table(curves),
        "ends": _ends(studies),
        "passed_alone": _passed_alone(studies),
    }
    tables |= feature_page.write(work, results, docs) | spread_page.write(work, results)
    filled("calibration.md", {**tables, **_strays(curves), **_sizes()}, docs)


def _limit(curves: dict[str, dict[str, Curve]]) -> float:
    return ERROR / sum(len(found) for found in curves.values())


def _strays(curves: dict[str, dict[str, Curve]]) -> dict[str, str]:
    """How many curves leave their band, and which do so by the limit for all together."""
    limit = _limit(curves)
    values = {f"{_title(name)}: {quantity}": found.p_value for name, study in curves.items()
              for quantity, found in study.items()}  # fmt: skip
    below = [name for name, p_value in values.items() if p_value < limit]
    return {
        "curves": str(len(values)),
        "limit": f"{limit:.2g}",
        "below": "none." if not below else "; ".join(below) + ".",
        "at_95": str(sum(p_value < ERROR for p_value in values.values())),
        "expected": f"{ERROR * len(values):.1f}",
    }


def _sizes() -> dict[str, str]:
    """What the worlds are made of."""
    median, spread = CASES
    return {
        "cases": f"{median:.0f}",
        "few_cases": f"{median * np.exp(-1.96 * spread):.0f}",
        "many_cases": f"{median * np.exp(1.96 * spread):.0f}",
        "centre": f"{CENTRES['binomial']:g}".replace("-", "−"),
        "prior": f"{SPREADS['binomial']:g}",
        "prior_of_means": f"{SPREADS['normal']:g}",
    }


def _order(path: Path) -> tuple[int, int, str]:
    _, form, family, *rest = path.stem.split("_")
    return list(FORMS).index(form), FAMILIES.index(family), "".join(rest)  # type: ignore[arg-type]


def _title(name: str) -> str:
    form, family, engine, _ = name.split("_")
    shape = FORMS[form]
    return f"{family}, {shape.sites} × {shape.periods}" + ("" if engine == "laplace" else f", {engine}")


def _places(table: pd.DataFrame) -> Iterable[tuple[str, np.ndarray]]:
    for quantity in table.columns.difference(SAID, sort=False):
        yield quantity, table[quantity].dropna().to_numpy(float)


def _kinds(table: pd.DataFrame) -> pd.Series:
    failure = table["failure"].fillna("")
    found = pd.Series("passed", index=table.index)
    for name, mark in KINDS.items():
        found[failure.str.contains(mark)] = name
    unknown = failure[failure.ne("") & found.eq("passed")]
    if len(unknown):
        raise ValueError(f"no column of the table of studies counts: {unknown.iloc[0]}")
    return found


def _study_table(studies: dict[str, pd.DataFrame], curves: dict[str, dict[str, Curve]]) -> str:
    rows = []
    for name, table in studies.items():
        shares = _kinds(table).value_counts()
        ranked = int(table["log_likelihood"].notna().sum())
        smallest = min(curves[name].items(), key=lambda item: item[1].p_value)
        row = [_title(name), name.split("_")[3], str(len(table)), str(ranked)]
        row += [str(shares.get(kind, 0)) for kind in KINDS]
        rows.append([*row, f"{smallest[1].p_value:.3f} ({smallest[0]})"])
    return table_of(["study", "draws", "replicates", "ranked", *KINDS, "smallest p"], rows)


def _p_value_table(curves: dict[str, dict[str, Curve]]) -> str:
    quantities = list(dict.fromkeys(quantity for study in curves.values() for quantity in study))
    rows = []
    for quantity in quantities:
        cells = [f"{study[quantity].p_value:.3f}" if quantity in study else "–" for study in curves.values()]
        rows.append([f"`{quantity}`", *cells])
    return table_of(["quantity", *(_title(name) for name in curves)], rows)


def _ends(studies: dict[str, pd.DataFrame]) -> str:
    """How often the truth lies in the outer 3 % of the draws, by study and quantity."""
    shares = {
        name: {quantity: float(np.mean(np.abs(places - 0.5) > 0.485)) for quantity, places in _places(table)}
        for name, table in studies.items()
    }
    quantities = list(dict.fromkeys(quantity for study in shares.values() for quantity in study))
    rows = []
    for quantity in quantities:
        cells = [f"{100 * study[quantity]:.1f}" if quantity in study else "–" for study in shares.values()]
        rows.append([f"`{quantity}`", *cells])
    return table_of(["quantity", *(_title(name) for name in shares)], rows)


def _passed_alone(studies: dict[str, pd.DataFrame]) -> str:
    """Smallest p-value over the quantities among replicates that pass the engine's check, and among those that fail."""
    rows = []
    for name, table in studies.items():
        ranked = table[table["log_likelihood"].notna()]
        passed = ranked["failure"].fillna("").eq("")
        cells = []
        for part in (ranked[passed], ranked[~passed]):
            found = [curve(places).p_value for _, places in _places(part)] if len(part) >= 30 else []
            cells += [str(len(part)), f"{min(found):.3f}" if found else "–"]
        rows.append([_title(name), *cells])
    return table_of(["study", "passed", "smallest p", "failed, yet ranked", "smallest p"], rows)
