"""What a step is given, and what decides whether it must run again."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec

from collabeval import params_file
from collabeval.pipeline import keys
from collabeval.pipeline.request import upto
from pipeline_stand_ins import ALL, evaluation_steps
from small_project import ROOT


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


def test_a_query_is_read_every_time() -> None:
    query = {"url": "sqlite://", "query": "select 1"}
    assert keys.source_digests(query) != keys.source_digests(query)


def test_a_remote_source_is_known_by_its_version(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("1", encoding="utf-8")
    url = f"file://{file}"
    first = keys.source_digests(url)
    assert list(first) == [url]
    assert keys.source_digests(url) == first
    os.utime(file, (1, 1))
    assert keys.source_digests(url) != first


def test_a_remote_pattern_is_its_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    pattern = f"file://{tmp_path}/*.csv"
    first = keys.source_digests(pattern)
    assert list(first) == [f"file://{tmp_path}/a.csv", f"file://{tmp_path}/b.csv"]
    (tmp_path / "c.csv").write_text("c", encoding="utf-8")
    assert len(keys.source_digests(pattern)) == 3
    assert keys.source_digests(f"file://{tmp_path}/*.tsv") == {f"file://{tmp_path}/*.tsv": "missing"}


def test_a_store_that_tells_no_version_or_fails_is_read_every_time() -> None:
    store = fsspec.filesystem("memory")
    store.pipe({"/versions/a.csv": b"1", "/versions/b.csv": b"2"})
    for url in ("memory://versions/*.csv", "memory://versions/none.csv", "nosuchstore://a.csv"):
        assert keys.source_digests(url) != keys.source_digests(url), url
    assert list(keys.source_digests("memory://versions/*.csv")) == [
        "memory:///versions/a.csv",
        "memory:///versions/b.csv",
    ]


def test_a_glob_is_its_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    found = keys.source_digests(str(tmp_path / "*.csv"))
    assert list(found) == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert keys.source_digests(str(tmp_path / "c.csv")) == {str(tmp_path / "c.csv"): "missing"}
