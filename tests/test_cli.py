"""The command line answers at once, says what is wrong in plain words, and ends with the exit code it documents."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collabeval import __version__
from collabeval.cli.progress import Pace, PlainReporter, duration
from small_project import ROOT

COMMANDS = (
    "new",
    "check",
    "run",
    "compare",
    "plan",
    "register",
    "status",
    "render",
    "schema",
    "doctor",
    "provenance",
    "simulate",
)
HEAVY = (
    "numpy", "pandas", "pymc", "matplotlib", "scipy", "pytask", "papermill", "jupyter_client", "pyarrow", "pydantic",
    "ruamel", "collabeval.params", "collabeval.pipeline",
)  # fmt: skip


def collabeval(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call the command line as a user does, from some folder; an empty variable is taken out of the environment."""
    variables = {**os.environ, "COLUMNS": "100", "COLLABEVAL_HOME": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-m", "collabeval", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
        env={name: value for name, value in variables.items() if value},
    )  # fmt: skip


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom collabeval.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_help_names_every_command_and_the_exit_codes(tmp_path: Path) -> None:
    done = collabeval("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in COMMANDS:
        assert f" {command} " in done.stdout
    for words in ("0 complete", "1 failed", "2 something is wrong with params", "3 provisional"):
        assert words in " ".join(done.stdout.split())
    assert collabeval("--version", cwd=tmp_path).stdout.strip() == f"collabeval {__version__}"


def test_no_color_is_respected(tmp_path: Path) -> None:
    colour = re.compile(r"\x1b\[[\d;]*3\dm")
    assert colour.search(collabeval("--help", cwd=tmp_path, FORCE_COLOR="1", TERM="xterm", NO_COLOR="").stdout)
    assert not colour.search(collabeval("--help", cwd=tmp_path, FORCE_COLOR="1", TERM="xterm", NO_COLOR="1").stdout)


def test_an_unknown_option_is_a_usage_error(tmp_path: Path) -> None:
    assert collabeval("run", "x.yml", "--fast", cwd=tmp_path).returncode == 2


def test_a_missing_file_says_where_it_looked(tmp_path: Path) -> None:
    done = collabeval("run", "stroke.yml", cwd=tmp_path)
    assert done.returncode == 2
    assert str(tmp_path / "stroke.yml") in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_every_wrong_key_is_named_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "params" / "infant_cardiac_surgery.yml").read_text(encoding="utf-8")
    (tmp_path / "x.yml").write_text(text.replace("family:", "famly:").replace("title:", "titel:"), encoding="utf-8")
    done = collabeval("check", "x.yml", cwd=tmp_path)
    assert done.returncode == 2
    assert "x.yml:3" in done.stderr
    assert "did you mean" in done.stderr
    assert "problems:" in done.stderr.splitlines()[0]


def test_a_new_collaborative_is_refused_until_its_example_rows_are_gone(tmp_path: Path) -> None:
    made = collabeval("new", "stroke", "--edition", "2025", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for name in ("params/stroke.yml", "data/stroke/sites.csv", "data/stroke/outcomes.csv", "data/stroke/stroke.xlsx"):
        assert (tmp_path / name).exists()
        assert name in made.stdout
    checked = collabeval("check", "params/stroke.yml", cwd=tmp_path)
    assert checked.returncode == 2
    assert "sites.csv:2" in checked.stderr
    again = collabeval("new", "stroke", "--edition", "2025", cwd=tmp_path)
    assert again.returncode == 2
    assert "already there" in again.stderr


def test_further_tables_are_asked_for_and_their_rows_counted(tmp_path: Path) -> None:
    assert collabeval("new", "hip", "--with", "costs,audi", cwd=tmp_path).returncode == 2
    made = collabeval("new", "hip", "--with", "costs,audit", cwd=tmp_path)
    assert made.returncode == 0
    assert "data/hip/costs.csv" in made.stdout
    assert not (tmp_path / "data" / "hip" / "survey.csv").exists()
    (tmp_path / "data" / "hip" / "sites.csv").write_text("site\nA\nB\n")
    rows = "A,2025Q4,death,1,50\nB,2025Q4,death,2,50\n"
    (tmp_path / "data" / "hip" / "outcomes.csv").write_text(f"site,period,measure,numerator,denominator\n{rows}")
    (tmp_path / "data" / "hip" / "costs.csv").write_text("period,item,amount\n2025,centre,5\n2025,visits,6\n")
    (tmp_path / "data" / "hip" / "audit.csv").write_text("site,period,field,checked,agreed\nA,2025,age,9,9\n")
    done = collabeval("check", "params/hip.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rows of further tables: 1 of audit, 2 of costs" in done.stdout


def test_checking_writes_nothing(tmp_path: Path) -> None:
    done = collabeval("check", str(ROOT / "params" / "infant_cardiac_surgery.yml"), "--json", cwd=ROOT)
    said = json.loads(done.stdout)
    assert said["usable"] is True
    assert list(tmp_path.iterdir()) == []


def test_data_that_break_the_contract_end_with_2_and_name_the_row(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("site,name\nA,First\nB,Second\n", encoding="utf-8")
    (tmp_path / "outcomes.csv").write_text(
        "site,measure,numerator,denominator\nA,death,9,5\nB,death,x,5\n", encoding="utf-8"
    )
    file = ROOT / "params" / "infant_cardiac_surgery.yml"
    done = collabeval(
        "check", str(file), "--set", "data.sites=sites.csv", "--set", "data.outcomes=outcomes.csv", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "outcomes.csv:2" in done.stderr
    assert "outcomes.csv:3" in done.stderr


def test_the_plan_and_the_status_of_what_has_not_run(tmp_path: Path) -> None:
    file = str(ROOT / "params" / "infant_cardiac_surgery.yml")
    located = [f"--set=data.{table}={ROOT}/data/infant_cardiac_surgery/{table}.csv" for table in ("sites", "outcomes")]
    done = collabeval("plan", file, *located, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["step"] for row in rows] == [
        "data",
        "fit-death",
        "performance",
        "improvement",
        "checks",
        "report",
        "render",
    ]
    assert {row["state"] for row in rows} == {"run"}
    assert "not run yet" in collabeval("status", file, *located, cwd=tmp_path).stdout
    assert collabeval("provenance", file, *located, cwd=tmp_path).returncode == 2
    assert not (tmp_path / "runs").exists()


def test_rendering_needs_results_and_publishing_is_refused(tmp_path: Path) -> None:
    file = str(ROOT / "params" / "infant_cardiac_surgery.yml")
    located = [f"--set=data.{table}={ROOT}/data/infant_cardiac_surgery/{table}.csv" for table in ("sites", "outcomes")]
    done = collabeval("render", file, *located, cwd=tmp_path)
    assert done.returncode == 2
    assert "not up to date" in done.stderr
    refused = collabeval("render", file, *located, "--to", "reports/published/x/2025", cwd=tmp_path)
    assert refused.returncode == 2
    assert "only primary suppression exists in this version" in refused.stderr
    assert not (tmp_path / "reports").exists()


def test_the_schema_is_the_one_beside_the_shipped_params(tmp_path: Path) -> None:
    printed = collabeval("schema", cwd=tmp_path).stdout
    assert json.loads(printed) == json.loads((ROOT / "params" / "schema.json").read_text(encoding="utf-8"))
    collabeval("schema", "--write", "schema.json", cwd=tmp_path)
    assert (tmp_path / "schema.json").read_bytes() == (ROOT / "params" / "schema.json").read_bytes()


def test_the_doctor_finds_this_machine_fit_and_says_what_is_missing(tmp_path: Path) -> None:
    done = collabeval("doctor", "--json", cwd=tmp_path)
    found = {row["what"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"Python", "sampler", "renderer", "fonts", "disk", "packages", "project folder"} <= set(found)
    (tmp_path / "cache" / "pytensor").mkdir(parents=True)
    (tmp_path / "cache" / "pytensor" / "model.nbc").write_bytes(bytes(3_000_000))
    cached = collabeval("doctor", cwd=tmp_path, COLLABEVAL_CACHE=str(tmp_path / "cache")).stdout
    assert f"3 MB kept in {tmp_path / 'cache'}" in cached
    lost = collabeval("doctor", cwd=tmp_path, COLLABEVAL_HOME=str(tmp_path))
    assert lost.returncode == 1
    assert "MISSING project folder" in lost.stdout
    assert "set COLLABEVAL_HOME" in lost.stdout


def test_simulated_data_are_those_of_their_seed(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        done = collabeval("simulate", folder, "--seed", "5", "--sites", "8", "--quarters", "6", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    for name in ("sites.csv", "outcomes.csv", "truth.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert collabeval("simulate", "c", "--sites", "5000", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (125, "2 min 5 s")])
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_time_left_goes_by_the_last_run_and_shrinks_as_steps_end() -> None:
    pace = Pace(("data", "fit-death", "render"), {"data": 3.0, "fit-death": 40.0})
    first = pace.left()
    assert first == pytest.approx(3.0 + 40.0 + 5.0)
    pace.done.add("fit-death")
    assert pace.left() == pytest.approx(first - 40.0)


def test_outside_a_terminal_progress_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    from collabeval.pipeline.job import Step

    reporter, step = PlainReporter(sys.stderr), Step("fit-death", "Fitting the model of death", None, samples=True)
    reporter.planned([step], [step], {"fit-death": 20.0})
    reporter.started(step)
    reporter.said(step, "sampling 4 chains")
    reporter.finished(step, 21.3)
    assert capsys.readouterr().err.splitlines() == [
        "1 of 1 steps to run, about 20 s: fit-death", "Fitting the model of death …", "  sampling 4 chains",
        "Fitting the model of death: 21.3 s, about 0 s left",
    ]  # fmt: skip


def test_the_evaluators_guide_names_only_commands_and_options_that_exist() -> None:
    from typer.main import get_command

    from collabeval.cli import app

    known = {
        name: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for name, command in get_command(app).commands.items()  # type: ignore[attr-defined]
    }
    calls = re.findall(
        r"collabeval ((?:\w+)(?: [^`\n|#]*)?)", (ROOT / "docs" / "evaluator.md").read_text(encoding="utf-8")
    )
    named = {call.split()[0] for call in calls if call.split()[0] in known}
    assert named >= {"new", "check", "run", "plan", "status", "render", "provenance", "doctor"}
    for call in calls:
        name, *words = call.split()
        options = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert not options - known.get(name, set()), call
