"""The shipped example with its real models: killed in the middle of its fit or not, the same report comes out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from small_project import ROOT, states, told

FEW = ("--set", "sampling.draws=300", "--set", "sampling.tune=500", "--set", "sampling.minimum_ess=50")
RESULTS = (
    "site_estimates", "site_probabilities", "site_statements", "programme_estimates", "programme_trend", "funnel",
    "spc", "diagnostics",
)  # fmt: skip


def make_folder(folder: Path) -> Path:
    """A folder to call the command in, which is its own project folder, so that a test may change a template."""
    for name in ("notebooks", "reports", "params", "data/infant_cardiac_surgery"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("published"))
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "COLLABEVAL_HOME": str(folder), "SOURCE_DATE_EPOCH": "1767225600"}
    file = "params/infant_cardiac_surgery.yml"
    return subprocess.Popen(
        [sys.executable, "-m", "collabeval", "run", file, "--set", "render=embedded", *FEW, *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def run(folder: Path, *arguments: str) -> str:
    process = command(folder, *arguments)
    said, wrong = process.communicate(timeout=900)
    assert process.returncode in (0, 3), wrong
    return said


def results(folder: Path) -> Path:
    return folder / "runs" / "infant_cardiac_surgery" / "1996"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_folder(tmp_path_factory.mktemp("undisturbed"))
    run(folder)
    return folder


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, killed while it fits, and called again."""
    folder = make_folder(tmp_path_factory.mktemp("disturbed"))
    process = command(folder)
    while not results(folder).joinpath("run.json").exists() or states(results(folder)).get("fit-death") != "running":
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    time.sleep(2)
    os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate()
    assert told(results(folder))["status"] == "running"
    run(folder)
    return folder


def test_the_run_leaves_behind_what_the_data_guide_says(undisturbed: Path) -> None:
    folder = results(undisturbed)
    said = told(folder)
    for name in ("params.yml", "ro-crate-metadata.json", "data/panel.parquet", "data/quality.parquet", "draws/death.nc",
                 "notebooks/report.ipynb", *(f"results/{name}.parquet" for name in RESULTS)):  # fmt: skip
        assert (folder / name).is_file(), name
    assert said["status"] in ("complete", "provisional")
    for name in said["report"]:  # type: ignore[attr-defined]
        assert (folder / name).stat().st_size > 50_000
    assert list((folder / "figures").glob("*.svg"))
    engine = said["engines"]["death"]  # type: ignore[index]
    assert engine["engine"] == "laplace"
    assert said["renderer"]["name"] == "embedded"  # type: ignore[index]


@pytest.mark.slow  # the small project is killed in its fit as well
def test_killed_in_its_fit_the_next_run_ends_with_the_same_results(undisturbed: Path, disturbed: Path) -> None:
    for name in RESULTS:
        table = Path("results") / f"{name}.parquet"
        assert (results(undisturbed) / table).read_bytes() == (results(disturbed) / table).read_bytes(), name
    assert told(results(disturbed))["status"] == told(results(undisturbed))["status"]


@pytest.mark.slow
def test_figures_and_report_of_both_are_the_same_bytes(undisturbed: Path, disturbed: Path) -> None:
    for folder in ("figures", "tables", "report"):
        for path in sorted((results(undisturbed) / folder).iterdir()):
            assert path.read_bytes() == (results(disturbed) / folder / path.name).read_bytes(), path.name


def test_a_word_changed_in_the_template_only_writes_and_renders_the_report(disturbed: Path) -> None:
    template = disturbed / "reports" / "evaluation.qmd"
    template.write_text(template.read_text(encoding="utf-8") + "\nA word more.\n", encoding="utf-8")
    run(disturbed)
    done = states(results(disturbed))
    assert {step for step, state in done.items() if state == "run"} == {"report", "render"}
    html = next((results(disturbed) / "report").glob("*.html")).read_text(encoding="utf-8")
    assert "A word more." in html
