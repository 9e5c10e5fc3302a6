"""From replicates to docs: result files, figures, and the pages with their numbers filled in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd

from calibration import figures, judged
from calibration.ranks import FAMILIES, FORMS, read
from calibration.uniform import Curve, curve
from collabeval.plots.saving import save_svg

TEXT = Path(__file__).parent / "text"
SAID = ("replicate", "failure", "seconds", "pareto_k", "pareto_k_site")
KINDS = ("passed", "site", "k̂ above", "few effective", "refused", "broke down")
COUNTS = ["sites", "named", "wrong", "not_true", "sought", "found"]
ERROR = 0.05  # over all curves of all studies together (Bonferroni)


def write(work: Path, results: Path, docs: Path) -> None:
    """Everything that the replicates in `work` allow."""
    _calibration(work, results, docs)
    _characteristics(work, results, docs)


def _calibration(work: Path, results: Path, docs: Path) -> None:
    studies = {path.stem.removeprefix("ranks_"): read(path) for path in sorted(work.glob("ranks_*.jsonl"), key=_order)}
    curves = {name: {quantity: curve(places) for quantity, places in _places(table)} for name, table in studies.items()}
    asked = sum(len(found) for found in curves.values())
    for name, table in studies.items():
        table.drop(columns="seconds").round(4).to_csv(results / f"ranks_{name}.csv", index=False, lineterminator="\n")
    fast = {_title(name): found for name, found in curves.items() if "_laplace_" in name}
    save_svg(figures.rank_curves(fast, ERROR / asked), docs / "pictures" / "calibration.svg")
    summary = {name: {quantity: round(found.p_value, 4) for quantity, found in study.items()}
               for name, study in curves.items()}  # fmt: skip
    (results / "ranks.json").write_text(json.dumps({"p_values": summary}, indent=1) + "\n")
    below = [f"{_title(name)}: {quantity}" for name, study in curves.items() for quantity, found in study.items()
             if found.p_value < ERROR / asked]  # fmt: skip
    at_95 = sum(found.p_value < ERROR for study in curves.values() for found in study.values())
    said = {
        "studies": _study_table(studies, curves),
        "p_values": _p_value_table(curves),
        "curves": str(asked),
        "limit": f"{ERROR / asked:.2g}",
        "below": "None of them." if not below else "These: " + "; ".join(below) + ".",
        "at_95": str(at_95),
        "expected": f"{ERROR * asked:.1f}",
        "passed_alone": _passed_alone(studies),
    }
    _filled("calibration.md", said, docs)


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
    kinds = [("refused", "refused"), ("broke down", "broke down"), ("site", "worst site"), ("k̂ above", "have k̂"),
             ("few effective", "effective")]  # fmt: skip
    found = pd.Series("passed", index=table.index)
    for name, mark in reversed(kinds):
        found[failure.str.contains(mark)] = name
    found[failure.ne("") & found.eq("passed")] = "other"
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
    checks = ["passed", "site's k̂", "k̂", "few effective", "refused", "broke down"]
    return _table(["study", "draws", "replicates", "ranked", *checks, "smallest p"], rows)


def _p_value_table(curves: dict[str, dict[str, Curve]]) -> str:
    quantities = list(dict.fromkeys(quantity for study in curves.values() for quantity in study))
    rows = []
    for quantity in quantities:
        cells = [f"{study[quantity].p_value:.3f}" if quantity in study else "–" for study in curves.values()]
        rows.append([f"`{quantity}`", *cells])
    return _table(["quantity", *(_title(name) for name in curves)], rows)


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
    return _table(["study", "passed", "smallest p", "failed, yet ranked", "smallest p"], rows)


def _characteristics(work: Path, results: Path, docs: Path) -> None:
    table, said = judged.sites(work), judged.fits(work)
    counts, tried, covered = judged.judged(table), judged.with_thresholds(table), judged.coverage(table, said)
    for name, frame in (("words", counts), ("thresholds", tried), ("coverage", covered)):
        frame.round(4).to_csv(results / f"{name}.csv", index=False, lineterminator="\n")
    save_svg(figures.characteristics(counts), docs / "pictures" / "operating_characteristics.svg")
    failures = pd.Series([fit["failure"].split(":")[0].split(" in the fast")[0] for fit in said])
    refused = int(failures.str.contains("refused|broke down").sum())
    filled = {
        "collaboratives": str(len(said)),
        "sites": f"{len(table):,}",
        "refused": str(refused),
        "failed": str(int(failures.ne("").sum()) - refused),
        "coverage": _coverage_table(covered),
        "words": "\n\n".join(_claim_tables(counts)),
        "thresholds": _threshold_table(tried),
        "totals": _totals(counts),
        "blocked": _blocked(table),
    }
    _filled("operating_characteristics.md", filled, docs)


def _scenarios(frame: pd.DataFrame, cell: Callable[[pd.DataFrame], str]) -> list[list[str]]:
    """A row per volume, a column per spread."""
    spreads = sorted(frame["spread"].unique())
    return [
        [str(volume), *(cell(part[part["spread"] == spread]) for spread in spreads)]
        for volume, part in frame.groupby("volume")
    ]


def _coverage_table(covered: pd.DataFrame) -> str:
    rows = []
    for quantity in covered["quantity"].drop_duplicates():
        part = covered[covered["quantity"] == quantity]
        rows += [[f"`{quantity}`", *row] for row in _scenarios(part, _coverage_cell)]
    return _table(["quantity", "events a year", *_spread_heads(covered)], rows)


def _coverage_cell(part: pd.DataFrame) -> str:
    shares = part.set_index("level")["share"]
    return f"{100 * shares[50]:.0f} · {100 * shares[95]:.0f} ({part['intervals'].iloc[0]})"


def _spread_heads(frame: pd.DataFrame) -> list[str]:
    return [f"τ = {spread:g}" for spread in sorted(frame["spread"].unique())]


def _claim_tables(counts: pd.DataFrame) -> Iterable[str]:
    for (claim, rule), part in counts.groupby(["claim", "rule"], sort=False):
        title = f"**{claim}**, " + ("by the rule" if rule == "words" else "naive")
        yield f"{title}\n\n" + _table(["events a year", *_spread_heads(counts)], _scenarios(part, _claim_cell))


def _claim_cell(part: pd.DataFrame) -> str:
    row = part.iloc[0]
    return " · ".join([_percent(row["named"], row["sites"]), _percent(row["wrong"], row["named"]),
                       _percent(row["wrong"], row["not_true"]), _percent(row["found"], row["sought"])])  # fmt: skip


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def _threshold_table(tried: pd.DataFrame) -> str:
    rows = [
        [row.claim, f"{row.threshold:g}" + (" (default)" if row.default else ""), _percent(row.named, row.sites),
         _percent(row.wrong, row.named), _percent(row.found, row.sought)]
        for row in tried.sort_values(["claim", "threshold"]).itertuples()
    ]  # fmt: skip
    return _table(["rule", "threshold", "named, % of sites", "wrong, % of named", "found, % of sought"], rows)


def _totals(counts: pd.DataFrame) -> str:
    rows = []
    for (claim, rule), row in counts.groupby(["claim", "rule"], sort=False)[COUNTS].sum().iterrows():
        said = "by the rule" if rule == "words" else "naive"
        pairs = (("named", "sites"), ("wrong", "named"), ("wrong", "not_true"), ("found", "sought"))
        rows.append([claim, said, *(_percent(row[part], row[whole]) for part, whole in pairs)])
    head = ["word", "rule", "named, % of sites", "wrong, % of named", "wrong, % of those it is not true of"]
    return _table([*head, "found, % of sought"], rows)


def _blocked(table: pd.DataFrame) -> str:
    enough = (
        table.assign(share=table["enough"].astype(float)).groupby(["volume", "spread"], as_index=False)["share"].mean()
    )
    rows = _scenarios(enough, lambda part: f"{100 * part['share'].iloc[0]:.0f}")
    return _table(["events a year", *_spread_heads(enough)], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _filled(name: str, numbers: dict[str, str], docs: Path) -> None:
    text = Template((TEXT / name).read_text(encoding="utf-8")).substitute(numbers)
    (docs / name).write_text(text, encoding="utf-8", newline="\n")
