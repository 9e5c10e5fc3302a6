"""The analysis plan: its fingerprint, its history in a run, and what a report says of changes after the results."""

from datetime import date

import pytest

from collabeval import analysis_plan
from collabeval.analysis_plan import changes, fingerprint, note, plan_of, register
from collabeval.run_folder import RunFolder
from collabeval.statements.plan import moved
from fitting import params_for


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return RunFolder(tmp_path / "runs" / "c" / "1")


def with_level(params, level):
    return params.model_copy(update={"rules": params.rules.model_copy(update={"level": level})})


def with_results(run):
    run.table("site_statements").parent.mkdir(parents=True, exist_ok=True)
    run.table("site_statements").write_bytes(b"")


def test_wording_and_engine_are_no_part_of_the_plan_and_thresholds_are():
    params = params_for()
    measure = params.measures["m"]
    reworded = params.model_copy(update={"measures": {"m": measure.model_copy(update={"label": "Other words"})}})
    faster = params.model_copy(update={"model": params.model.model_copy(update={"engine": "laplace"})})
    assert fingerprint(plan_of(reworded)) == fingerprint(plan_of(faster)) == fingerprint(plan_of(params))
    for name, value in (("minimum_denominator", 5.0), ("better", "higher"), ("numerator", "deaths in hospital")):
        other = params.model_copy(update={"measures": {"m": measure.model_copy(update={name: value})}})
        assert fingerprint(plan_of(other)) != fingerprint(plan_of(params))
    assert changes(plan_of(params), plan_of(with_level(params, 0.95))) == ["rules.level: 0.975 → 0.95"]


def test_a_run_notes_its_plan_once_and_every_change(run):
    params = params_for()
    note(params, run, "2026-03-03")
    assert "stored on 3\u00a0March\u00a02026, at the first run" in moved(note(params, run, "2026-04-01"))
    assert moved(note(params, run, "2026-04-01")).endswith("Nothing in it has changed since.")
    note(with_level(params, 0.99), run, "2026-04-02")
    assert "changed before there were results, last on 2\u00a0April" in moved(
        analysis_plan.read(run.path / "analysis_plan.json")
    )
    with_results(run)
    said = moved(note(with_level(params, 0.9), run, "2026-05-01"))
    assert said.endswith("Changed after results were there, last on 1\u00a0May\u00a02026: rules.level: 0.99 → 0.9.")


def test_a_registered_plan_comes_before_the_results(run):
    params = params_for()
    register(params, "2026-01-10", results=False)
    said = moved(note(params, run, "2026-03-03"))
    assert (
        "was registered on 10\u00a0January\u00a02026, before this edition had results. Nothing in it has changed"
        in said
    )
    assert analysis_plan.registered_file(params).exists()
    with_results(run)
    changed = moved(note(with_level(params, 0.9), run, "2026-03-04"))
    assert "rules.level: 0.975 → 0.9" in changed


def test_a_plan_registered_after_the_results_says_so_and_does_not_pass_for_an_earlier_one(run):
    params = params_for()
    with_results(run)
    assert "when results were there already" in moved(register(params, "2026-03-03", results=True))
    assert "when results were there already" in moved(note(params, run, str(date(2026, 3, 4))))


def test_nothing_is_written_where_nothing_changed(run):
    params = params_for()
    note(params, run, "2026-03-03")
    path = analysis_plan.history_file(run)
    before = path.stat().st_mtime_ns
    note(params, run, "2026-03-04")
    assert path.stat().st_mtime_ns == before
