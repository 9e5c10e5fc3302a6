"""Steps run when something they depend on has changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from collabeval import command
from collabeval.command import Command
from collabeval.errors import UsageError
from collabeval.pipeline import Request, plan_of, quick, tasks
from collabeval.pipeline.job import Step
from collabeval.run_folder import RunFolder
from pipeline_stand_ins import ALL, Notebooks, evaluation_steps, run
from small_project import told


def test_a_second_run_of_the_same_runs_nothing(notebooks: Notebooks, folder: Path) -> None:
    assert run() == ALL
    before = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and ".state" not in path.parts
    }
    assert run() == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert told(folder)["status"] == "complete"


@pytest.mark.parametrize(
    ("overrides", "ran"),
    [
        (["model.priors.site_sd={on: sd, dist: HalfNormal, sigma: 1}"], ALL[1:]),
        (["sampling.draws=500"], ALL[1:]),
        (["measures.death.family=poisson"], ALL),
        (["measures.death.label=Deaths in hospital"], ALL[-2:]),
        (["measures.death.benchmark=3"], ALL[3:]),
        (["rules.level=0.9"], ALL[3:]),
        (["sampling.seed=2"], ALL[1:]),
        (["title=Another title"], ALL[-2:]),
        (["report.minimum_cell=5"], ALL[-2:]),
        (["report.formats=[html, pdf]"], ALL[-2:]),
        (["data.note=From the registry"], ALL[-2:]),
    ],
    ids=lambda value: value[0].partition("=")[0] if isinstance(value, list) and "=" in value[0] else "",
)
def test_a_changed_setting_runs_what_depends_on_it(
    overrides: list[str], ran: list[str], notebooks: Notebooks, folder: Path
) -> None:
    run()
    due = [row.step for row in plan_of(Request(Path("small.yml"), tuple(overrides))) if row.outcome == "run"]
    assert sorted(due, key=ALL.index) == ran


def test_results_that_come_out_the_same_end_the_chain(notebooks: Notebooks, folder: Path) -> None:
    run()
    notebook = folder.parents[2] / "notebooks" / "checks.ipynb"
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("rhat", "ess"), encoding="utf-8")
    assert run() == ["checks"]
    assert (folder / "report" / "small-2025.html").exists()


def test_a_changed_word_in_a_template_runs_only_the_report(notebooks: Notebooks, project: Path) -> None:
    run()
    template = project / "reports" / "evaluation.qmd"
    template.write_text(template.read_text(encoding="utf-8").replace("Nothing", "Little"), encoding="utf-8")
    assert run() == ["report", "render"]


def test_another_command_for_the_same_results_writes_the_report_again_and_nothing_else(
    notebooks: Notebooks, project: Path, folder: Path
) -> None:
    run()
    assert command.read(RunFolder(folder)) == Command(("run",), "small.yml", outside=False)
    assert run("sampling.seed=1") == ["report"], "the seed is that of the file"
    assert command.read(RunFolder(folder)) == Command(("run",), "small.yml", False, ("sampling.seed=1",))
    (project / "small.yml").rename(project / "other.yml")
    (row,) = [row for row in plan_of(Request(Path("other.yml"))) if row.outcome == "run" and row.step != "render"]
    assert (row.step, row.reasons) == ("report", ("command changed",))
    assert run(file="other.yml") == ["report"]
    assert command.read(RunFolder(folder)) == Command(("run",), "other.yml", outside=False)
    assert run(file=str(project / "other.yml")) == [], "the same file"


def test_a_plan_and_a_step_alone_leave_a_report_with_the_command_that_made_it(
    notebooks: Notebooks, folder: Path
) -> None:
    run()
    plan_of(Request(Path("small.yml"), ("rules.level=0.9",)))
    assert run("rules.level=0.9", only="data") == []
    assert command.read(RunFolder(folder)) == Command(("run",), "small.yml", outside=False)


def test_a_changed_style_only_renders(notebooks: Notebooks, project: Path) -> None:
    run()
    (project / "reports" / "style" / "report.css").write_text("body {}", encoding="utf-8")
    assert run() == ["render"]


def test_changed_data_run_everything_unless_they_say_the_same(notebooks: Notebooks, project: Path) -> None:
    run()
    (project / "outcomes.csv").write_text("site,numerator\nA,2\n", encoding="utf-8")
    assert run() == ["data"], "the stand-in writes the same panel whatever the data say"
    (project / "requirements.lock").write_text("pandas==4\n", encoding="utf-8")
    assert run() == ALL


def test_outputs_and_metadata_of_a_notebook_are_no_reason_to_run_it(notebooks: Notebooks, project: Path) -> None:
    run()
    notebook = project / "notebooks" / "data.ipynb"
    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(
        text.replace('"outputs": []', '"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]')
    )
    assert notebook.read_text(encoding="utf-8") != text
    assert run() == []


def test_a_file_that_was_meddled_with_is_made_again(notebooks: Notebooks, folder: Path) -> None:
    run()
    (folder / "results" / "funnel.parquet").unlink()
    assert run() == ["performance"]
    (folder / "report" / "small-2025.html").unlink()
    assert run() == [], "the rendered file is kept, and only put in its place again"
    assert (folder / "report" / "small-2025.html").exists()


def test_force_runs_everything_and_only_stops_after_its_step(notebooks: Notebooks, folder: Path) -> None:
    run()
    assert run(force=True) == ALL
    assert run("sampling.seed=2", only="fit") == ["fit-death", "fit-fall"]
    assert told(folder)["status"] == "running"
    assert told(folder)["reasons"] == ["only the steps up to fit were asked for"]
    assert run("sampling.seed=2") == ["performance", "improvement", "checks", "report"]
    with pytest.raises(UsageError, match=r"unknown step 'fot' → one of data, fit-death"):
        run(only="fot")


def test_a_step_that_was_asked_for_alone_and_is_up_to_date_leaves_the_rest_to_be_found_stale(
    notebooks: Notebooks,
) -> None:
    run()
    assert run("rules.level=0.9", only="data") == []
    assert run("rules.level=0.9") == ["performance", "improvement", "checks", "report"]


def test_the_plan_says_what_changed_and_writes_nothing(notebooks: Notebooks, folder: Path) -> None:
    assert {row.reasons for row in plan_of(Request(Path("small.yml")))} == {("it has not run yet",)}
    assert not folder.exists()
    run()
    before = (folder / "run.json").read_bytes()
    rows = {row.step: row for row in plan_of(Request(Path("small.yml"), ("model.trend=linear",)))}
    assert rows["data"].outcome == "cached"
    assert rows["fit-death"].reasons == ("params model changed",)
    assert rows["checks"].reasons[0].endswith("runs first")
    assert (folder / "run.json").read_bytes() == before


def test_the_quick_look_doubts_what_comes_after_a_doubtful_step(notebooks: Notebooks, folder: Path) -> None:
    run()
    every, place = evaluation_steps(), RunFolder(folder)
    assert quick.changed(place, every) == []
    (folder / "results" / "spc.parquet").touch()
    assert [step.name for step in quick.changed(place, every)] == ["improvement", "checks", "report", "render"]


def test_a_step_that_reads_less_than_before_runs_again(tmp_path: Path) -> None:
    """What is taken out of params changes no file: without a list of names the step would keep what it made of it."""
    folder = RunFolder(tmp_path)

    def steps(*needs: str) -> list[Step]:
        return [Step("value", "", None, needs=tuple(map(folder.table, needs)), makes=(folder.table("made"),))]

    def outcomes(*needs: str) -> list[str]:
        return [verdict.outcome for verdict in tasks.plan(folder, steps(*needs))]

    for name in ("costs", "burden"):
        folder.table(name).parent.mkdir(parents=True, exist_ok=True)
        folder.table(name).write_text(name, encoding="utf-8")
    tasks.execute(folder, steps("costs", "burden"), lambda step: step.makes[0].touch(), 1, False, False)
    quick.remember(folder, steps("costs", "burden"))
    assert outcomes("costs", "burden") == ["cached"]
    assert outcomes("burden") == ["run"]
    assert [step.name for step in quick.changed(folder, steps("burden"))] == ["value"]
    assert quick.changed(folder, steps("costs", "burden")) == []
