"""From patients' records to a finished report: Arizona Medicare, with the real models."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

from medpar import medpar_project
from reading import html_blocks, page_of
from small_project import ROOT

FEW = ("sampling.draws=300", "sampling.tune=500", "sampling.minimum_ess=50", "model.engine=nuts")


@pytest.mark.slow
def test_records_become_a_report(tmp_path):
    file = medpar_project(tmp_path)
    settings = [part for setting in FEW for part in ("--set", setting)]
    done = subprocess.run(
        [sys.executable, "-m", "collabeval", "run", str(file), *settings],
        cwd=tmp_path, env={**os.environ, "COLLABEVAL_HOME": str(ROOT)}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    folder = tmp_path / "runs" / "medpar" / "1991"
    expected = pd.read_parquet(folder / "results" / "case_mix_expected.parquet")
    rows = pd.read_parquet(folder / "data" / "panel.parquet")
    assert rows.set_index("site")["expected"].to_dict() == expected.set_index("site")["frozen"].to_dict()
    told = "\n".join(html_blocks(page_of(next((folder / "report").glob("*.html")))))
    assert "Predicted from the records for days in hospital" in told
    assert "14,732" in told
