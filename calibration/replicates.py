"""Replicates of the studies: a line each as they are made (`work`), a table a study to keep (`results`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

DIGITS = 5  # of places and numbers that are kept: fewer would move places over the points at which a curve is tested


@dataclass(frozen=True)
class Store:
    """Where replicates are: `work` is this machine's own, `results` belongs to the project."""

    work: Path
    results: Path

    def table(self, name: str) -> pd.DataFrame | None:
        """A study's replicates, one a row in order of their numbers: those in `work`, and others kept in `results`.

        None without any. Those kept have no seconds.
        """
        made, kept = self.work / f"{name}.jsonl", self.results / f"{name}.csv"
        parts = [pd.read_json(made, lines=True, dtype=False)] if made.exists() and made.stat().st_size else []
        if kept.exists():
            table = pd.read_csv(kept)
            parts.append(table[~table["replicate"].isin(parts[0]["replicate"])] if parts else table)
        if not parts:
            return None
        parts = [part for part in parts if len(part)]
        table = pd.concat(parts).drop_duplicates("replicate").sort_values("replicate", ignore_index=True)
        if "failure" in table:  # blank is read as missing
            table["failure"] = table["failure"].astype(object).fillna("")
        return table

    def add(self, name: str, row: dict) -> None:
        """Append a replicate to a study."""
        with (self.work / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def keep(self, name: str, table: pd.DataFrame) -> None:
        """Write a study's table to `results`."""
        kept = table.drop(columns="seconds", errors="ignore").replace(-np.inf, np.nan).round(DIGITS)
        kept.to_csv(self.results / f"{name}.csv", index=False, lineterminator="\n")


@cache
def held(store: Store, name: str) -> frozenset[int]:
    """Numbers of a study's replicates when this process first looked."""
    table = store.table(name)
    return frozenset() if table is None else frozenset(table["replicate"])
