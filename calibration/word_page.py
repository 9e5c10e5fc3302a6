"""docs/operating_characteristics.md: result files, figure and page from `python -m calibration words`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from calibration import collaboratives, figures, judged
from calibration.tables import filled, listed, percent, scenarios, spread_heads, table_of
from collabeval.params import Rules
from collabeval.plots.saving import save_svg

COUNTS = ["sites", "named", "wrong", "not_true", "sought", "found"]


def write(work: Path, results: Path, docs: Path) -> None:
    """Everything that the replicates in `work` allow."""
    table, said = judged.sites(work), judged.fits(work)
    counts, tried, covered = judged.judged(table), judged.with_thresholds(table), judged.coverage(table, said)
    for name, frame in (("words", counts), ("thresholds", tried), ("coverage", covered)):
        frame.round(4).to_csv(results / f"{name}.csv", index=False, lineterminator="\n")
    save_svg(figures.characteristics(counts), docs / "pictures" / "operating_characteristics.svg")
    tables = {
        "coverage": _coverage_table(covered),
        "words": "\n\n".join(_claim_tables(counts)),
        "thresholds": _threshold_table(tried),
        "levels": _level_table(table),
        "totals": _totals(counts),
        "blocked": _blocked(table),
        "kept": _kept_by_persistence(table),
    }
    filled("operating_characteristics.md", {**tables, **_sizes(table, said)}, docs)


def _sizes(table: pd.DataFrame, said: list[dict]) -> dict[str, str]:
    """How much was simulated, of what, and what the engine said."""
    failures = pd.Series([fit["failure"] for fit in said])
    lost = failures.str.contains("refused|broke down")
    return {
        "collaboratives": str(len(said)),
        "sites": f"{len(table):,}",
        "fewest": str(int(table.groupby(judged.SCENARIO)["replicate"].nunique().min())),
        "refused": str(int(lost.sum())),
        "failed": str(int((failures.ne("") & ~lost).sum())),
        "of": str(collaboratives.SITES),
        "periods": str(collaboratives.PERIODS),
        "volumes": listed(collaboratives.VOLUMES),
        "spreads": listed(collaboratives.SPREADS),
        "rate": f"{100 * collaboratives.RATE:g}",
        "slope": f"{collaboratives.SLOPE:g}",
        "jumps": f"{collaboratives.JUMPS:g}",
        "trend": f"{collaboratives.TREND:g}",
        "draws": f"{collaboratives.DRAWS:,}",
    }


def _kept_by_persistence(table: pd.DataFrame) -> str:
    """Of the sites that pass for the best share, how many pass for persistence too, in per cent."""
    rules = Rules()
    best = table["enough"].eq(True) & (table["p_best_share"] >= rules.deviant)
    kept = best & (table["p_sustained"] >= rules.persistence) & table["good_in_each"].eq(True)
    return percent(kept.sum(), best.sum())


def _coverage_table(covered: pd.DataFrame) -> str:
    rows = []
    for quantity in covered["quantity"].drop_duplicates():
        part = covered[covered["quantity"] == quantity]
        rows += [[f"`{quantity}`", *row] for row in scenarios(part, _coverage_cell)]
    return table_of(["quantity", "events a year", *spread_heads(covered)], rows)


def _coverage_cell(part: pd.DataFrame) -> str:
    shares = part.set_index("level")["share"]
    return f"{100 * shares[50]:.0f} · {100 * shares[95]:.0f} ({part['intervals'].iloc[0]})"


def _claim_tables(counts: pd.DataFrame) -> Iterable[str]:
    for (claim, rule), part in counts.groupby(["claim", "rule"], sort=False):
        title = f"**{claim}**, " + ("by the rule" if rule == "words" else "naive")
        yield f"{title}\n\n" + table_of(["events a year", *spread_heads(counts)], scenarios(part, _claim_cell))


def _claim_cell(part: pd.DataFrame) -> str:
    row = part.iloc[0]
    return " · ".join([percent(row["named"], row["sites"]), percent(row["wrong"], row["named"]),
                       percent(row["wrong"], row["not_true"]), percent(row["found"], row["sought"])])  # fmt: skip


def _threshold_table(tried: pd.DataFrame) -> str:
    rows = [
        [row.claim, f"{row.threshold:g}" + (" (default)" if row.default else ""), percent(row.named, row.sites),
         percent(row.wrong, row.named), percent(row.found, row.sought)]
        for row in tried.sort_values(["claim", "threshold"]).itertuples()
    ]  # fmt: skip
    return table_of(["rule", "threshold", "named, % of sites", "wrong, % of named", "found, % of sought"], rows)


def _level_table(table: pd.DataFrame) -> str:
    """How many names that the level gives are wrong, at each threshold, by the true spread between sites."""
    tried = {spread: judged.with_thresholds(part) for spread, part in table.groupby("spread")}
    first = next(iter(tried.values()))
    rows = []
    for claim, threshold in first.loc[first["claim"].str.startswith("level"), ["claim", "threshold"]].to_numpy():
        found = [part[part["claim"].eq(claim) & part["threshold"].eq(threshold)].iloc[0] for part in tried.values()]
        rows.append([claim, f"{threshold:g}", *(f"{one['wrong']} of {one['named']}" for one in found)])
    return table_of(["rule", "threshold", *(f"τ {spread:g}" for spread in tried)], sorted(rows))


def _totals(counts: pd.DataFrame) -> str:
    rows = []
    for (claim, rule), row in counts.groupby(["claim", "rule"], sort=False)[COUNTS].sum().iterrows():
        said = "by the rule" if rule == "words" else "naive"
        pairs = (("named", "sites"), ("wrong", "named"), ("wrong", "not_true"), ("found", "sought"))
        rows.append([claim, said, *(percent(row[part], row[whole]) for part, whole in pairs)])
    head = ["word", "rule", "named, % of sites", "wrong, % of named", "wrong, % of those it is not true of"]
    return table_of([*head, "found, % of sought"], rows)


def _blocked(table: pd.DataFrame) -> str:
    enough = (
        table.assign(share=table["enough"].astype(float)).groupby(["volume", "spread"], as_index=False)["share"].mean()
    )
    rows = scenarios(enough, lambda part: f"{100 * part['share'].iloc[0]:.0f}")
    return table_of(["events a year", *spread_heads(enough)], rows)
