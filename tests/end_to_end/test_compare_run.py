"""`collabeval compare` as a user calls it: real kernels, a model of one's own, and the grid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import own_models
from small_project import ROOT, states

FEW = ("sampling.draws=500", "sampling.tune=300", "sampling.minimum_ess=400", "report.formats=[html]")
COMPARED = (
    "compare.own.functions={death: own.py:build}",
    "compare.tight.priors.site_sd={dist: HalfNormal, sigma: 0.05}",
)

pytestmark = pytest.mark.slow  # each kernel that fits takes ten seconds and more


def call(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = [part for text in FEW for part in ("--set", text)]
    return subprocess.run(
        [sys.executable, "-m", "collabeval", command, "params/infant_cardiac_surgery.yml", *settings, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=1200, check=False,
        env={**os.environ, "COLLABEVAL_HOME": str(ROOT), "COLUMNS": "160"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("compare")
    (found / "params").symlink_to(ROOT / "params")
    (found / "data").symlink_to(ROOT / "data")
    own_models.write(found)
    return found


def test_models_are_compared_kept_and_fitted_again_only_where_something_changed(folder: Path) -> None:
    chosen = [part for text in COMPARED for part in ("--set", text)]
    run = folder / "runs/infant_cardiac_surgery/1996/compare/models"
    first = call(folder, "compare", *chosen)
    assert first.returncode == 0, first.stderr
    assert "Hospital H" in first.stdout
    assert "nested Laplace" in first.stdout
    assert (run / "models" / "own.py").read_bytes() == (folder / "own.py").read_bytes()
    html = (run / "report" / "infant_cardiac_surgery-1996-compare-models.html").read_text(encoding="utf-8")
    assert "would be others under at least one of the two other models" in html

    again = call(folder, "compare", *chosen, "--json")
    told = json.loads(again.stdout)
    assert {row["state"] for row in told["status"]["steps"]} == {"cached"}
    assert {row["alternative"] for row in told["alternatives"]} == {"params", "own", "tight"}
    assert {row["engine"] for row in told["alternatives"] if row["alternative"] == "own"} == {"nuts"}
    assert any(row["site"] == "Hospital H" and row["alternative"] == "tight" for row in told["changes"])

    path = folder / "own.py"
    path.write_text(path.read_text(encoding="utf-8") + "# another thought\n", encoding="utf-8")
    assert call(folder, "compare", *chosen).returncode == 0
    assert {name for name, state in states(run).items() if state == "run" and name.startswith("fit")} == {"fit-own"}


def test_the_report_shows_the_grid_once_it_has_been_run(folder: Path) -> None:
    page = folder / "runs/infant_cardiac_surgery/1996/report/infant_cardiac_surgery-1996.html"
    assert call(folder, "run").returncode == 0
    assert "Not assessed. <code>collabeval compare --sensitivity</code>" in page.read_text(encoding="utf-8")
    assert call(folder, "compare", "--sensitivity").returncode == 0
    again = call(folder, "run")
    assert again.returncode == 0, again.stderr
    done = states(page.parents[1])
    assert {step for step, state in done.items() if state == "run"} == {"report", "render"}
    text = page.read_text(encoding="utf-8")
    assert "three other models" in text
    assert "site sd doubled" in text
