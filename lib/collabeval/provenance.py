"""Where every number came from: a Workflow Run RO-Crate of one run, and whether its files are still those."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from collabeval import __version__
from collabeval.run_folder import RunFolder, written_whole

if TYPE_CHECKING:
    from rocrate.model.entity import Entity
    from rocrate.rocrate import ROCrate

    from collabeval.sources import Source

METADATA = "ro-crate-metadata.json"
WORKFLOW = "workflow.json"
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
KINDS = {
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".parquet": "application/vnd.apache.parquet",
    ".nc": "application/x-netcdf",
    ".ipynb": "application/x-ipynb+json",
    ".yml": "application/yaml",
    ".json": "application/json",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".py": "text/x-python",
}


@dataclass(frozen=True)
class Account:
    """What a run can say about itself beyond its files."""

    title: str
    status: str  # complete or provisional
    started: str  # ISO 8601
    finished: str
    author: str  # who publishes the report; may be blank
    inputs: Mapping[str, str]  # path or URL of a data source → SHA-256 of its bytes
    facts: Mapping[str, str]  # name → value: seed, lock, renderer, code version
    versions: Mapping[str, str] = field(default_factory=dict)  # software → version


def write_sources(run: RunFolder, sources: Iterable[Source]) -> Path:
    """Keep which bytes the tables were read from: what the data notebook knows and the crate will say."""
    with written_whole(sources_file(run)) as part:
        digests = {source.path: source.sha256 for source in sources}
        part.write_text(json.dumps(digests, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return sources_file(run)


def read_sources(run: RunFolder) -> dict[str, str]:
    """Path or URL of every data source → SHA-256 of its bytes (of its rows, for a database query)."""
    return dict(json.loads(sources_file(run).read_text(encoding="utf-8")))


def sources_file(run: RunFolder) -> Path:
    return run.path / "data" / "sources.json"


def write(run: RunFolder, account: Account) -> Path:
    """Write the crate's metadata into the run folder, naming every file of the run with its SHA-256."""
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms |= {term: RUN_TERMS + term for term in ("sha256", "environment")}
    describe_root(crate, account)
    workflow = add_workflow(crate, run)
    results = [add_file(crate, run.path, path) for path in made_files(run)]
    given = [*add_inputs(crate, account.inputs), *add_values(crate, account.facts)]
    params = add_file(crate, run.path, run.params)
    add_action(crate, account, workflow, [params, *given], results)
    declare(crate, workflow, "input", [params, *given])
    declare(crate, workflow, "output", results)
    target = run.path / METADATA
    with written_whole(target) as part:
        part.write_text(json.dumps(crate.metadata.generate(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def describe_root(crate: ROCrate, account: Account) -> None:
    """Name, date, profiles and licence of the crate as a whole."""
    root = crate.root_dataset
    root["name"] = account.title
    root["description"] = f"One run of collabeval {__version__}, {account.status}"
    root["datePublished"] = account.finished
    terms = "Not to be passed on. What may leave the building is published separately."
    licence = {"@type": "CreativeWork", "name": "Confidential", "description": terms}
    root["license"] = add_context(crate, "#confidential", licence)
    if account.author:
        author = add_context(crate, "#author", {"@type": "Organization", "name": account.author})
        root["author"] = root["publisher"] = author
    profiles = []
    for address in PROFILES:
        name, version = address.split("/")[-2:]
        properties = {"@type": "CreativeWork", "name": f"{name} profile", "version": version}
        profiles.append(add_context(crate, address, properties))
    root["conformsTo"] = profiles
    crate.metadata["conformsTo"] = [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": PROFILES[-1]}]


def add_workflow(crate: ROCrate, run: RunFolder) -> Entity:
    """The steps of the run, as `workflow.json` lists them: the crate's main entity."""
    from rocrate.model.computationalworkflow import ComputationalWorkflow

    language = add_context(
        crate,
        "#pytask",
        {"@type": "ComputerLanguage", "name": "pytask", "url": {"@id": "https://pytask-dev.readthedocs.io/"}},
    )
    kinds = {"@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"]}
    workflow = crate.add(ComputationalWorkflow(crate, dest_path=WORKFLOW, properties=kinds))
    crate.mainEntity = workflow
    workflow["programmingLanguage"] = language
    workflow["name"], workflow["version"] = "Steps of the evaluation", __version__
    workflow["sha256"] = sha256(run.path / WORKFLOW)
    workflow["encodingFormat"] = KINDS[".json"]
    return workflow


def add_inputs(crate: ROCrate, inputs: Mapping[str, str]) -> list[Entity]:
    """The data sources, which lie outside the crate, known by their bytes' SHA-256."""
    found = []
    for source, digest in inputs.items():
        address = quote(source, safe=":/?&=#@+,;%") if "://" in source else Path(source).resolve().as_uri()
        kind = KINDS.get(Path(source).suffix, "application/octet-stream")
        properties = {"name": source.rpartition("/")[2], "sha256": digest, "encodingFormat": kind}
        found.append(crate.add_file(address, fetch_remote=False, validate_url=False, properties=properties))
    return found


def add_values(crate: ROCrate, facts: Mapping[str, str]) -> list[Entity]:
    """The facts that decide the numbers besides the files: seed, lock, renderer, code."""
    return [
        add_context(crate, f"#{name.replace(' ', '-')}", {"@type": "PropertyValue", "name": name, "value": value})
        for name, value in facts.items()
    ]


def add_action(
    crate: ROCrate, account: Account, workflow: Entity, given: Sequence[Entity], results: Sequence[Entity]
) -> None:
    """The run itself: when, by what software, from what, to what."""
    software = [
        add_context(
            crate,
            f"#software-{name}",
            {"@type": "SoftwareApplication", "name": name, "softwareVersion": version},
        )
        for name, version in account.versions.items()
    ]
    workflow["softwareRequirements"] = software
    action = add_context(
        crate,
        "#run",
        {
            "@type": "CreateAction",
            "name": f"Evaluation, {account.status}",
            "description": f"{account.title}: from data and params to the report",
            "startTime": account.started,
            "endTime": account.finished,
            "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
        },
    )
    action["instrument"], action["object"], action["result"] = workflow, list(given), list(results)
    if account.author:
        action["agent"] = crate.root_dataset["author"]
    crate.root_dataset["mentions"] = action


def declare(crate: ROCrate, workflow: Entity, direction: str, entities: Iterable[Entity]) -> None:
    """The workflow's formal parameters, each with the thing it stood for in this run."""
    declared = []
    for entity in entities:
        name = str(entity["name"])
        kind = "PropertyValue" if entity.type == "PropertyValue" else "File"
        properties = {"@type": "FormalParameter", "name": name, "additionalType": kind, "valueRequired": True}
        parameter = add_context(crate, f"#{direction}-{name.replace(' ', '-')}", properties)
        parameter["workExample"] = entity
        entity["exampleOfWork"] = parameter
        declared.append(parameter)
    workflow[direction] = declared


def add_file(crate: ROCrate, folder: Path, path: Path) -> Entity:
    """A file of the run, with its digest, size and kind."""
    properties = {
        "name": path.relative_to(folder).as_posix(),
        "sha256": sha256(path),
        "contentSize": str(path.stat().st_size),
        "encodingFormat": KINDS.get(path.suffix, "application/octet-stream"),
    }
    return crate.add_file(dest_path=properties["name"], properties=properties)


def add_context(crate: ROCrate, identifier: str, properties: Mapping[str, Any]) -> Entity:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties=dict(properties)))


def made_files(run: RunFolder) -> list[Path]:
    """Every file the run made but for its status, its crate, and what the pipeline remembers."""
    folders = ("data", "models", "draws", "results", "figures", "tables", "notebooks", "report")
    files = (path for name in folders for path in sorted((run.path / name).rglob("*")))
    return [path for path in files if path.is_file() and not path.name.startswith(".")]


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def code_version(home: Path) -> str:
    """Version of this package, with the commit and whether files differ from it where the project is a git folder."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=home, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):  # no git here, or not a git folder: the version is all there is
        return __version__
    return f"{__version__} ({described.stdout.strip()})"


def changed(run: RunFolder) -> list[str]:
    """Compare every file the crate names with what lies there now.

    Returns
    -------
    One sentence for each file that is gone or whose bytes differ.
    """
    found = []
    for entity in json.loads((run.path / METADATA).read_text(encoding="utf-8"))["@graph"]:
        if "sha256" not in entity:
            continue
        address = entity["@id"]
        if "://" in address and not address.startswith("file:"):
            continue
        local = address.startswith("file:")
        path = Path(url2pathname(urlsplit(address).path)) if local else run.path / unquote(address)
        if not path.exists():
            found.append(f"{path} is gone")
        elif sha256(path) != entity["sha256"]:
            found.append(f"{path} has changed")
    return found


def summary(run: RunFolder) -> dict[str, str | list[str]]:
    """What the crate says, for people: when, by what, from what."""
    graph = json.loads((run.path / METADATA).read_text(encoding="utf-8"))["@graph"]
    known = {entity["@id"]: entity for entity in graph}
    action = known["#run"]
    given = [known[item["@id"]] for item in action["object"]]
    values = {str(item["name"]): str(item["value"]) for item in given if item["@type"] == "PropertyValue"}
    software = [item for item in graph if item["@type"] == "SoftwareApplication"]
    return {
        "title": str(known["./"]["name"]),
        "started": str(action["startTime"]),
        "finished": str(action["endTime"]),
        **values,
        "inputs": [f"{item['@id']} sha256 {item['sha256']}" for item in given if "sha256" in item],
        "software": [f"{item['name']} {item['softwareVersion']}" for item in software],
    }
