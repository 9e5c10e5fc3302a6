"""One fit by one engine in a process of its own, from the start of Python to draws on disk (called by engines.py).

    python -m benchmarks.one_fit ENGINE MEASURE FAMILY FOLDER

FOLDER has `rows.parquet` and `settings.json` (model, sampling); the draws go there as `draws.nc`, with the seconds
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
    measure = str(rows["measure"].iloc[0])
    tree = fit.sample(rows, measure, params, lambda draws: reported(draws["posterior"].to_dataset()))
    fitted = time.perf_counter()
    fit.save(tree, folder / "draws.nc")
    write_parts(folder, loaded, fitted)


def peer_fit(engine: str, folder: Path) -> None:
    """A peer's way: it keeps the parameters alone."""
    import pandas as pd

    from collabeval.models.design import read_design
    from collabeval.params import Params

    params = Params.model_validate_json((folder / "params.json").read_text())
    rows = pd.read_parquet(folder / "rows.parquet")
    sample = import_module(f"benchmarks.peers.{PEERS[engine]}").sample
    loaded = time.perf_counter()
    posterior = sample(read_design(rows, "binomial", params.model), params.sampling)
    fitted = time.perf_counter()
    posterior.to_netcdf(folder / "draws.nc", group="posterior", engine="h5netcdf")
    write_parts(folder, loaded, fitted)


def write_parts(folder: Path, loaded: float, fitted: float) -> None:
    """Seconds of importing and reading, fitting, and writing."""
    parts = {"load": loaded - STARTED, "fit": fitted - loaded, "save": time.perf_counter() - fitted}
    (folder / "parts.json").write_text(json.dumps(parts))


if __name__ == "__main__":
    name, where = sys.argv[1], Path(sys.argv[2])
    (own_fit if name in OWN else peer_fit)(name, where)
