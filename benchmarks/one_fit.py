"""Fits by one engine in a process of its own, from the start of Python to draws on disk (called by engines.py).

    python -m benchmarks.one_fit ENGINE FOLDER

FOLDER has `rows.parquet` and `params.json`; the draws go there, `draws-MEASURE.nc` of each measure, with the seconds
of each part as `parts.json`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded only where they are used: loading is timed
    import pandas as pd

    from collabeval.params import Params

STARTED = time.perf_counter()
OWN = ("laplace", "nuts")
PEERS = {"stan": "with_stan", "pymc": "with_pymc", "bambi": "with_bambi"}


def own_fit(engine: str, folder: Path) -> None:
    """The package's own way, all that an evaluation keeps included (replicates and log-likelihood of every cell).

    Several measures are fitted at once, as many as there are cores, each in a process of its own: so does a run.
    """
    import pandas as pd

    from collabeval import fit  # noqa: F401 its import is a part of loading
    from collabeval.machine import cores

    measures = [str(name) for name in pd.read_parquet(folder / "rows.parquet", columns=["measure"])["measure"].unique()]
    at_once = min(cores(), len(measures))
    os.environ["COLLABEVAL_CORES"] = str(max(1, cores() // at_once))
    loaded = time.perf_counter()
    if at_once == 1:
        done = [one_measure(folder, measure) for measure in measures]
    else:
        with ProcessPoolExecutor(at_once, get_context("spawn")) as pool:
            done = list(pool.map(partial(one_measure, folder), measures))
    proposals, saving = (sum(part) for part in zip(*done, strict=True))
    write_parts(folder, loaded, saving / at_once, int(proposals))


def one_measure(folder: Path, measure: str) -> tuple[int, float]:
    """Draws of one measure on disk; how many proposals were made, and the seconds of writing."""
    from benchmarks.goal import reported
    from collabeval import fit

    rows, params = _read(folder)
    tree = fit.sample(rows, measure, params, lambda draws: reported(draws["posterior"].to_dataset()))
    fitted = time.perf_counter()
    fit.save(tree, folder / f"draws-{measure}.nc")
    return int(tree.attrs.get("proposals", 0)), time.perf_counter() - fitted


@cache
def _read(folder: Path) -> tuple[pd.DataFrame, Params]:
    """Rows and params, read once in each process."""
    import pandas as pd

    from collabeval.params import Params

    return pd.read_parquet(folder / "rows.parquet"), Params.model_validate_json((folder / "params.json").read_text())


def peer_fit(engine: str, folder: Path) -> None:
    """A peer's way: it keeps the parameters alone."""
    import pandas as pd

    from collabeval.draws import ENGINE
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
        posterior.to_netcdf(folder / f"draws-{measure}.nc", group="posterior", engine=ENGINE)
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
