"""The crate of a run: valid, complete, and able to say whether a file is still the one it was made from."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from collabeval import provenance
from collabeval.errors import CollabevalError
from collabeval.provenance import Account
from collabeval.run_folder import RunFolder
from collabeval.sources import Source

ACCOUNT = {
    "title": "A small collaborative", "status": "complete", "started": "2025-01-01T00:00:00+00:00",
    "finished": "2025-01-01T00:01:00+00:00", "author": "", "facts": {"seed": "1", "renderer": "embedded 1"},
    "versions": {"collabeval": "0.1.0", "pymc": "6.4.0"},
}  # fmt: skip

FILES = (
    "params.yml", "data/panel.parquet", "draws/death.nc", "results/funnel.parquet", "figures/a b.svg", "workflow.json",
    "notebooks/report.ipynb", "report/small.html", ".state/lock", "data/.panel-x.parquet",
)  # fmt: skip

QUERY = "postgresql://reader@registry/outcomes select * from outcomes where year > 2020"

# RO-Crate 1.1 names these otherwise than 1.3, whose context the package rocrate brings with it
TERMS_OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/properties/input",
    "output": "https://bioschemas.org/properties/output",
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run folder with a file of every kind."""
    folder = tmp_path / "runs" / "small" / "2025"
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    (tmp_path / "outcomes of 2025.csv").write_text("site\nA\n", encoding="utf-8")
    return RunFolder(folder)


@pytest.fixture
def crate(run: RunFolder, tmp_path: Path) -> dict[str, dict]:
    source = tmp_path / "outcomes of 2025.csv"
    inputs = {str(source): provenance.sha256(source), "s3://bucket/sites.csv": "0" * 64, QUERY: "1" * 64}
    metadata = provenance.write(run, Account(**ACCOUNT, inputs=inputs))  # type: ignore[arg-type]
    return {entity["@id"]: entity for entity in json.loads(metadata.read_text(encoding="utf-8"))["@graph"]}


def test_every_file_of_the_run_is_named_with_its_digest(run: RunFolder, crate: dict[str, dict]) -> None:
    for path in provenance.made_files(run):
        name = path.relative_to(run.path).as_posix().replace(" ", "%20")
        assert crate[name]["sha256"] == provenance.sha256(path)
        assert {"@id": name} in crate["#run"]["result"]
    assert not [name for name in crate if "/." in name or name.startswith(".state")]


def test_inputs_are_known_by_their_digest(crate: dict[str, dict], tmp_path: Path) -> None:
    address = (tmp_path / "outcomes of 2025.csv").as_uri()
    assert crate[address]["sha256"] == provenance.sha256(tmp_path / "outcomes of 2025.csv")
    assert crate["s3://bucket/sites.csv"]["sha256"] == "0" * 64
    assert {"@id": address} in crate["#run"]["object"]
    assert [name for name in crate if name.startswith("postgresql://") and " " not in name]


def test_seed_renderer_and_software_are_there(run: RunFolder, crate: dict[str, dict]) -> None:
    told = provenance.summary(run)
    assert told["seed"] == "1"
    assert told["renderer"] == "embedded 1"
    assert told["software"] == ["collabeval 0.1.0", "pymc 6.4.0"]
    assert crate["#run"]["instrument"] == {"@id": "workflow.json"}


def test_a_file_that_changed_or_went_is_named(run: RunFolder, crate: dict[str, dict], tmp_path: Path) -> None:
    assert provenance.changed(run) == []
    (run.path / "figures" / "a b.svg").write_text("other", encoding="utf-8")
    (tmp_path / "outcomes of 2025.csv").unlink()
    assert sorted(provenance.changed(run)) == sorted(
        [f"{run.path / 'figures' / 'a b.svg'} has changed", f"{tmp_path / 'outcomes of 2025.csv'} is gone"]
    )


def test_the_crate_is_a_valid_workflow_run_crate(
    run: RunFolder, crate: dict[str, dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert issues(run.path, monkeypatch) == []


def test_the_validator_would_find_a_crate_that_is_not(
    run: RunFolder, crate: dict[str, dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = run.path / provenance.METADATA
    told = json.loads(metadata.read_text(encoding="utf-8"))
    told["@graph"] = [entity for entity in told["@graph"] if entity["@id"] != "#run"]
    metadata.write_text(json.dumps(told), encoding="utf-8")
    assert any("instrument" in issue for issue in issues(run.path, monkeypatch))


def issues(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What roc-validator finds wrong, at the level of what a Workflow Run Crate must have; no network is asked."""
    pytest.importorskip("rocrate_validator", reason="roc-validator is not installed")
    from rocrate_validator import models, services
    from rocrate_validator.utils import http

    context = json.loads(files("rocrate").joinpath("data/ro-crate.jsonld").read_text(encoding="utf-8"))
    context["@context"] |= TERMS_OF_1_1

    class Answer:
        status_code, ok, from_cache = 200, True, True
        headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012
        text = json.dumps(context)
        content = text.encode()

        def json(self) -> dict:
            return context

        def raise_for_status(self) -> None: ...

    def get(self: object, url: str, **_: object) -> Answer:
        if url != "https://w3id.org/ro/crate/1.1/context":
            raise CollabevalError(f"the validator asked for {url}")
        return Answer()

    monkeypatch.setattr(http.HttpRequester, "get", get, raising=False)  # it passes calls on to a session
    monkeypatch.setattr(http.HttpRequester, "fetch_fresh", get)
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="workflow-run-crate",
        requirement_severity=models.Severity.REQUIRED,
    )
    return [str(issue.message) for issue in services.validate(settings).get_issues()]


def test_sources_are_kept_as_they_were_read(run: RunFolder) -> None:
    provenance.write_sources(run, [Source("a.csv", "1"), Source("s3://b/c.csv", "2")])
    assert provenance.read_sources(run) == {"a.csv": "1", "s3://b/c.csv": "2"}
