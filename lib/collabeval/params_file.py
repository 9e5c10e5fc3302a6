"""Params files: loaded with the house's defaults and `--set` overrides, written as resolved, read back in notebooks."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from collabeval.errors import ParamsError, Problem
from collabeval.own_model import with_models
from collabeval.params import TABLES, Params
from collabeval.params.documents import existing, merge, overridden, validated, write_blocks
from collabeval.params.problems import describe, suggestion
from collabeval.params.yaml_text import Document, read
from collabeval.params_reference import schema, write_schema
from collabeval.run_folder import RunFolder

__all__ = [
    "check_parameters", "from_blocks", "load", "read_resolved", "schema", "write_resolved", "write_schema",
]  # fmt: skip

DEFAULTS = "_defaults.yml"


def load(path: Path, overrides: Sequence[str] = ()) -> Params:
    """Read a params file over the house's defaults, with `KEY=VALUE` overrides on top.

    Defaults come from `_defaults.yml` beside the file, else in `params/` of the working folder. Local paths under
    `data` and in `model.functions` are made absolute, from the working folder; each alternative in `compare` comes out
    as a whole model, what it leaves out taken from `model`.

    Raises
    ------
    ParamsError
        with every problem found: file, line, key, what was found, what is allowed.
    """
    document, own = _defaults(path), read(existing(path))
    if "collaboratives" in own.values and "measures" not in own.values:
        fix = f"evaluate its collaboratives together: collabeval portfolio {path}"
        raise ParamsError([Problem(str(path), "is the params file of a portfolio", fix)])
    merge(document, own)
    for override in overrides:
        merge(document, overridden(override, document))
    params = with_models(validated(document, Params), document)
    return params.model_copy(update={"data": params.data.model_copy(update=_located(params))})


def write_resolved(params: Params, folder: RunFolder) -> Path:
    """Write params as resolved, every text in quotes, with the run folder: what `papermill … -f` takes."""
    return write_blocks({**params.model_dump(mode="json"), "run_folder": str(folder.path.resolve())}, folder.params)


def read_resolved(path: Path) -> Params:
    """Read back the params of a run."""
    document = read(existing(path))
    document.values.pop("run_folder", None)
    return validated(document, Params)


def from_blocks(namespace: Mapping[str, Any]) -> tuple[Params, RunFolder]:
    """Params and run folder out of a notebook's variables (`globals()`).

    Raises
    ------
    ParamsError
        where a block is missing or wrong, or there is no `run_folder`.
    """
    blocks = {name: namespace[name] for name in Params.model_fields if name in namespace}
    folder = namespace.get("run_folder")
    if not isinstance(folder, str | Path) or not str(folder):
        fix = "give it with `-p run_folder PATH`, or pass the run's params.yml with `-f`"
        raise ParamsError([Problem("notebook", "is missing or not a path", fix, column="run_folder")])
    document = Document(values=json.loads(json.dumps(blocks)), lines={(): ("notebook parameters", None)})
    return validated(document, Params), RunFolder(Path(folder))


def check_parameters(step_parameters: Mapping[str, Any], notebook: Path) -> None:
    """Check what a notebook is about to be given: nothing unknown, nothing missing, nothing of the wrong type.

    Papermill passes all three in silence. `step_parameters` are the top-level blocks of params, `run_folder` and, for
    a notebook that asks for it, `measure`.

    Raises
    ------
    ParamsError
        with every problem, before a kernel starts.
    """
    declared = declared_parameters(notebook)
    name = notebook.name
    unknown = [given for given in step_parameters if given not in declared]
    missing = [asked for asked in declared if asked not in step_parameters]
    problems = [Problem(name, "unknown parameter", suggestion(given, declared), column=given) for given in unknown]
    problems += [Problem(name, "parameter is missing", "pass it with `-p` or `-f`", column=asked) for asked in missing]
    blocks = {key: value for key, value in step_parameters.items() if key in Params.model_fields}
    measures = blocks.get("measures")
    for key in ("run_folder", "measure"):
        value = step_parameters.get(key)
        if key in step_parameters and (not isinstance(value, str) or not value):
            problems.append(Problem(name, "is not text", "pass a text", column=key, value=str(value)))
        elif key == "measure" and value is not None and isinstance(measures, Mapping) and value not in measures:
            problems.append(Problem(name, "is not one of the measures", suggestion(str(value), list(measures)),
                                    column=key, value=str(value)))  # fmt: skip
    if blocks:
        problems += _mistyped(blocks, name, declared)
    if problems:
        raise ParamsError(problems)


def declared_parameters(notebook: Path) -> list[str]:
    """The names assigned in a notebook's cells tagged `parameters`."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    names: list[str] = []
    for cell in tagged:
        for node in ast.parse("".join(cell["source"])).body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def _mistyped(blocks: Mapping[str, Any], name: str, declared: Sequence[str]) -> list[Problem]:
    """Blocks that the params models refuse; a block the notebook does not ask for may be absent."""
    document = Document(values=json.loads(json.dumps(blocks)), lines={(): (name, None)})
    try:
        Params.model_validate(document.values)
    except ValidationError as error:
        return [problem for problem in describe(error, document)
                if problem.what != "is missing" or problem.column.partition(".")[0] in blocks]  # fmt: skip
    return []


def _defaults(path: Path) -> Document:
    for folder in (path.absolute().parent, Path.cwd() / "params"):
        if (folder / DEFAULTS).is_file() and path.name != DEFAULTS:
            defaults = folder / DEFAULTS
            return read(defaults if not defaults.is_relative_to(Path.cwd()) else defaults.relative_to(Path.cwd()))
    return Document()


def _located(params: Params) -> dict[str, str]:
    """Local paths of the tables, absolute from the working folder; URLs and queries stay."""
    tables = {name: getattr(params.data, name) for name in TABLES}
    return {name: os.path.abspath(Path(source).expanduser()) for name, source in tables.items()
            if isinstance(source, str) and "://" not in source}  # fmt: skip
