"""Fits by one engine in a process of its own, from the start of Python to draws on disk (called by engines.py).

    python -m benchmarks.one_fit ENGINE FOLDER

FOLDER has `rows.parquet` and `params.json`; the draws go there, `draws-MEASURE.nc` of each measure, with the seconds
of each part as `parts.json`.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path

STARTED = time.perf_counter()
OWN = ("laplace", "nuts")
PEERS = {"stan": "with_stan", "pymc": "with_pymc", "bambi": "with_bambi"}


def own_fit(engine: str, folder: Path) -> None:
    """The package's own way, all that an evaluation keeps included (replicates and log-likelihood of every cell)."""
    import pandas as pd

    from benchmarks.goal import reported
    from collabeval import fit
    from collabeval.params import Params

    params = Params.model_validate_json((folder / "params.json").read_text())
    rows = pd.read_parquet(folder / "rows.parquet")
    loaded = time.perf_counter()
    saving, proposals = 0.0, 0
    for measure in rows["measure"].unique():
        tree = fit.sample(rows, str(measure), params, lambda draws: reported(draws["posterior"].to_dataset()))
        fitted = time.perf_counter()
        fit.save(tree, folder / f"draws-{measure}.nc")
        saving += time.perf_counter() - fitted
        proposals += int(tree.attrs.get("proposals", 0))
    write_parts(folder, loaded, saving, proposals)


def peer_fit(engine: str, folder: Path) -> None:
    """A peer's way: it keeps the parameters alone."""
    import pandas as pd

    from collabeval.models.design import read_design
    from collabeval.params import Params

    params = Params.model_validate_json((folder / "params.json").read_text())
    rows = pd.read_parquet(folder / "rows.parquet")
    sample = import_module(f"benchmarks.peers.{PEERS[engine]}").sample
    loaded = time.perf_counter()
    saving = 0.0
    for measure, own in rows.groupby("measure", sort=False):
        design = read_design(own.reset_index(drop=True), "binomial", params.model)
        posterior = sample(design, params.sampling)
        fitted = time.perf_counter()
        posterior.to_netcdf(folder / f"draws-{measure}.nc", group="posterior", engine="h5netcdf")
        saving += time.perf_counter() - fitted
    write_parts(folder, loaded, saving)


def write_parts(folder: Path, loaded: float, saving: float, proposals: int = 0) -> None:
    """Seconds of importing and reading, fitting, and writing; and how many proposals the fast engine made."""
    parts = {"load": loaded - STARTED, "fit": time.perf_counter() - loaded - saving, "save": saving}
    parts["proposals"] = proposals
    (folder / "parts.json").write_text(json.dumps(parts))


if __name__ == "__main__":
    name, where = sys.argv[1], Path(sys.argv[2])
    (own_fit if name in OWN else peer_fit)(name, where)
