"""What a comparison rests on, as one digest: a report shows it only where its own results rest on the same."""

from __future__ import annotations

import hashlib
import json

import pandas as pd

from collabeval import __version__
from collabeval.covariates import columns
from collabeval.panel import COLUMNS
from collabeval.params import Params

BLOCKS = ("measures", "periods", "rules", "sampling")


def basis(params: Params, panel: pd.DataFrame) -> str:
    """SHA-256 of the analysed rows, the model but for its engine, the rules, the sampling, and the version."""
    values = params.model_dump(mode="json")
    model = {name: value for name, value in values["model"].items() if name != "engine"}
    said = json.dumps([__version__, model, {name: values[name] for name in BLOCKS}], sort_keys=True)
    rows = panel[[*COLUMNS, *columns(params.model)]].to_csv(index=False, float_format="%.12g")
    return hashlib.sha256(f"{said}\n{rows}".encode()).hexdigest()
