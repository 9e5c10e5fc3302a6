"""Steps run when something they depend on has changed, and only then; `run.json` is right at every moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collabeval import execute, params_file, render
from collabeval.errors import ContractError, ParamsError, Problem, StepError, UsageError
from collabeval.pipeline import Request, Run, keys, plan_of, quick
from collabeval.pipeline.request import sole_use, upto
from collabeval.pipeline.steps import Evaluation, steps
from collabeval.render import Rendered
from collabeval.run_folder import RunFolder
from small_project import ROOT, make_project, states, told

ALL = ["data", "fit-death", "fit-fall", "performance", "improvement", "checks", "report", "render"]


class Silent:
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.began: list[str] = []

    def planned(self, due: object, every: object, seconds: object) -> None: ...

    def started(self, step: object) -> None:
        self.began.append(step.name)  # type: ignore[attr-defined]

    def said(self, step: object, words: str) -> None: ...

    def finished(self, step: object, seconds: float) -> None: ...


class Notebooks:
    """Stands for kernels: writes what each notebook would write, or fails where it is told to."""

    def __init__(self, run: Path) -> None:
        self.run, self.failing, self.passed = run, {}, True  # type: tuple[Path, dict[str, Exception], bool]
        self.seen: Callable[[str], None] = lambda step: None

    def __call__(self, source: Path, target: Path, parameters: dict[str, object], kernel: object) -> Path:
        import h5py
        import pyarrow as pa
        import pyarrow.parquet as pq

        step = target.stem
        self.seen(step)
        if step in self.failing:
            raise self.failing[step]
        made = {
            "data": ["data/panel", "data/sites", "data/data_checks"],
            "performance": [f"results/{name}" for name in
                            ("site_estimates", "site_probabilities", "site_statements", "funnel")],
            "improvement": [f"results/{name}" for name in
                            ("programme_estimates", "programme_trend", "spc")],
            "checks": ["results/diagnostics", "data/quality"],
        }  # fmt: skip
        for name in made.get(step, []):
            path = self.run / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            row = {"model": "death", "check": "rhat", "value": 1.5, "limit": 1.01, "advice": "more draws"}
            pq.write_table(pa.Table.from_pylist([{**row, "level": "blocking", "passed": self.passed}]), path)
        if step == "data":
            (self.run / "data" / "sources.json").write_text("{}", encoding="utf-8")
        if step.startswith("fit-"):
            (self.run / "draws").mkdir(exist_ok=True)
            with h5py.File(self.run / "draws" / f"{step[4:]}.nc", "w") as file:
                file.attrs["engine"], file.attrs["seed"] = "nuts", 1
        if step == "report":
            (self.run / "figures" / "dot.svg").write_text("<svg/>", encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{step} {sorted(parameters)}", encoding="utf-8")
        return target


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, the working folder of the test."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLLABEVAL_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def folder(project: Path) -> Path:
    return project / "runs" / "small" / "2025"


@pytest.fixture
def notebooks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Notebooks:
    """The real pipeline without kernels and renderer."""
    stand_in = Notebooks(folder)
    monkeypatch.setattr(execute, "run_notebook", stand_in)
    monkeypatch.setattr("collabeval.pipeline.run.AHEAD", 0)

    def rendering(
        notebook: Path, figures: Path, out: Path, formats: list[str], preference: str, work: Path
    ) -> Rendered:
        # below a folder whose name starts with a dot Quarto does not find its own packages
        assert not any(part.startswith(".") for part in work.relative_to(Path.cwd()).parts)
        out.mkdir(parents=True, exist_ok=True)
        for kind in formats:
            (out / f"report.{kind}").write_text(notebook.read_text(encoding="utf-8"), encoding="utf-8")
        return Rendered((), "embedded", "1")

    monkeypatch.setattr(render, "render", rendering)
    return stand_in


def run(*overrides: str, **settings: object) -> list[str]:
    """Run the small project; the steps that ran, in the order of the pipeline."""
    reporter = Silent()
    Run(Request(Path("small.yml"), overrides, **settings), reporter).go()  # type: ignore[arg-type]
    return sorted(reporter.began, key=ALL.index)


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


def test_run_json_first_says_running_and_the_report_folder_is_empty_meanwhile(
    notebooks: Notebooks, folder: Path
) -> None:
    run()
    seen: dict[str, tuple[str, bool, str]] = {}

    def look(step: str) -> None:
        said = told(folder)
        seen[step] = (str(said["status"]), (folder / "report").exists(), states(folder)[step])

    notebooks.seen = look
    run("sampling.seed=2")
    assert set(seen) == {step for step in ALL if step not in ("data", "render")}
    assert set(seen.values()) == {("running", False, "running")}
    assert states(folder) == {step: "cached" if step in ("data", "render") else "run" for step in ALL}
    assert all(row["seconds"] is not None for row in told(folder)["steps"])  # type: ignore[attr-defined]


def test_a_blocking_check_that_fails_makes_a_draft(notebooks: Notebooks, folder: Path) -> None:
    notebooks.passed = False
    run()
    said = told(folder)
    assert said["status"] == "provisional"
    assert said["reasons"] == ["death: rhat is 1.5, limit 1.01. more draws"]
    assert said["engines"]["death"] == {"engine": "nuts", "seed": 1, "check": "failed"}  # type: ignore[index]
    assert said["engines"]["fall"]["check"] == "passed"  # type: ignore[index]
    assert [path.name for path in (folder / "report").iterdir()] == ["DRAFT-small-2025.html"]
    notebooks.passed = True
    run("sampling.seed=2")
    assert [path.name for path in (folder / "report").iterdir()] == ["small-2025.html"]


def test_a_failed_step_fails_the_run_and_the_next_goes_on_from_there(notebooks: Notebooks, folder: Path) -> None:
    run()
    notebooks.failing = {"performance": StepError("step performance failed: no")}
    with pytest.raises(StepError, match="performance failed: no"):
        run("sampling.seed=2", jobs=1)
    said = told(folder)
    assert said["status"] == "failed"
    assert said["reasons"] == ["step performance failed: no"]
    assert states(folder)["performance"] == "failed"
    assert {states(folder)[step] for step in ("checks", "report", "render")} == {"waiting"}
    assert not (folder / "report").exists()
    notebooks.failing = {}
    done = {step for step, state in states(folder).items() if state in ("run", "cached")}
    assert set(run("sampling.seed=2")) == set(ALL) - done - {"render"}
    assert told(folder)["status"] == "complete"


def test_keep_going_runs_what_does_not_depend_on_the_failure(notebooks: Notebooks, folder: Path) -> None:
    notebooks.failing = {"fit-death": StepError("no"), "data": StepError("never")}
    del notebooks.failing["data"]
    with pytest.raises(StepError):
        run(keep_going=True)
    assert states(folder)["fit-fall"] == "run"
    notebooks.failing["fit-fall"] = StepError("neither")
    with pytest.raises(StepError):
        run("sampling.seed=2", keep_going=False, jobs=1)
    assert {states(folder)["fit-death"], states(folder)["fit-fall"]} == {"failed", "waiting"}


def test_an_error_in_the_data_keeps_its_exit_code(notebooks: Notebooks) -> None:
    notebooks.failing = {"data": ContractError([Problem("outcomes.csv", "text in a number", row=3)])}
    with pytest.raises(ContractError) as caught:
        run()
    assert caught.value.exit_code == 2


def test_a_step_that_does_not_make_its_files_has_failed(notebooks: Notebooks, folder: Path) -> None:
    def nothing(source: Path, target: Path, parameters: object, kernel: object) -> Path:
        return target

    execute.run_notebook = nothing  # the fixture's monkeypatch puts the real one back
    with pytest.raises(StepError, match=r"step data ended without making panel.parquet, sites.parquet"):
        run()
    assert told(folder)["status"] == "failed"


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


def test_what_a_killed_run_left_half_written_and_what_no_step_makes_any_more_is_cleared(
    notebooks: Notebooks, folder: Path
) -> None:
    run()
    (folder / "draws" / ".death-x1_y2z3w.nc").touch()
    (folder / "draws" / "gone.nc").touch()
    run("sampling.seed=2")
    assert sorted(path.name for path in (folder / "draws").iterdir()) == ["death.nc", "fall.nc"]


def test_two_runs_of_one_folder_never_mix(notebooks: Notebooks, folder: Path) -> None:
    with sole_use(RunFolder(folder)), pytest.raises(UsageError, match=r"another run of .* is under way"):
        run()
    assert run() == ALL


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


def test_independent_steps_run_at_the_same_time(notebooks: Notebooks) -> None:
    together = threading.Barrier(2)

    def meet(step: str) -> None:
        if step.startswith("fit-"):
            together.wait(20)  # a single worker would break the barrier

    notebooks.seen = meet
    assert run(jobs=2) == ALL


def test_finished_steps_are_noticed_at_once(notebooks: Notebooks) -> None:
    """pytask-parallel by itself waits longer and longer between looks, up to a second, and twice per step."""
    ends: dict[str, float] = {}

    class Clock(Silent):
        def started(self, step: object) -> None:
            ends[f"{step.name} began"] = time.monotonic()  # type: ignore[attr-defined]

        def finished(self, step: object, seconds: float) -> None:
            ends[f"{step.name} ended"] = time.monotonic()  # type: ignore[attr-defined]

    notebooks.seen = lambda step: time.sleep(1.5 if step == "data" else 0)
    Run(Request(Path("small.yml"), jobs=2), Clock()).go()
    assert ends["fit-death began"] - ends["data ended"] < 0.4


@pytest.mark.parametrize(("jobs", "due", "shares"), [(2, 1, (4, 2)), (2, 2, (2, 2)), (4, 3, (1, 1)), (1, 3, (4, 4))])
def test_steps_at_once_never_have_more_cores_than_there_are(
    jobs: int, due: int, shares: tuple[int, int], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collabeval.pipeline.run.cores", lambda: 4)
    this = Run(Request(Path("small.yml"), jobs=jobs), Silent())
    samplers = [step for step in evaluation_steps() if step.samples]
    share = this.shared_cores((samplers * 2)[:due])
    assert (share[True], share[False]) == shares
    assert share[True] * min(jobs, due) <= 4


def evaluation_steps() -> list:
    params, folder = Request(Path("small.yml")).load()
    return steps(Evaluation(params, folder))


def test_every_step_is_given_what_its_notebook_asks_for(project: Path) -> None:
    for step in evaluation_steps():
        if step.source and step.source.suffix == ".ipynb":
            params_file.check_parameters(step.parameters, ROOT / "notebooks" / step.source.name)


def test_a_step_asked_for_brings_what_it_needs(project: Path) -> None:
    every = evaluation_steps()
    assert [step.name for step in upto(every, "performance")] == ["data", "fit-death", "fit-fall", "performance"]
    assert [step.name for step in upto(every, "fit-fall")] == ["data", "fit-fall"]
    assert [step.name for step in upto(every, "")] == ALL


def test_modules_behind_a_notebook_are_followed_through_their_own_imports() -> None:
    behind = keys.modules_behind("from collabeval import draws\nfrom collabeval.params_file import from_blocks")
    assert {
        "collabeval",
        "collabeval.draws",
        "collabeval.run_folder",
        "collabeval.params_file",
        "collabeval.params",
    } <= set(behind)
    assert not {
        name for name in behind if name.startswith(("collabeval.plots", "collabeval.pipeline", "collabeval.cli"))
    }
    assert keys.modules_behind("import pandas") == {}


def test_fitting_does_not_depend_on_how_results_are_shown() -> None:
    code = keys.python_of(ROOT / "notebooks" / "fit.ipynb")
    behind = keys.modules_behind(code)
    assert any(name.startswith("collabeval.models.") for name in behind)
    for shown in ("plots", "statements", "sections", "tables", "disclosure", "render", "pipeline"):
        assert not any(name.split(".")[1:2] == [shown] for name in behind), shown


def test_a_remote_source_is_known_by_its_version_and_a_query_is_read_every_time() -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/a.csv", b"1")
    assert len(keys.source_digests("memory://a.csv")) == 1
    query = {"url": "sqlite://", "query": "select 1"}
    assert keys.source_digests(query) != keys.source_digests(query)


def test_a_glob_is_its_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    found = keys.source_digests(str(tmp_path / "*.csv"))
    assert list(found) == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert keys.source_digests(str(tmp_path / "c.csv")) == {str(tmp_path / "c.csv"): "missing"}


def test_the_quick_look_doubts_what_comes_after_a_doubtful_step(notebooks: Notebooks, folder: Path) -> None:
    run()
    every, place = evaluation_steps(), RunFolder(folder)
    assert quick.changed(place, every) == []
    (folder / "results" / "spc.parquet").touch()
    assert [step.name for step in quick.changed(place, every)] == ["improvement", "checks", "report", "render"]


def test_wrong_params_write_nothing(project: Path) -> None:
    with pytest.raises(ParamsError):
        run("sampling.seed=minus one")
    assert not (project / "runs").exists()
