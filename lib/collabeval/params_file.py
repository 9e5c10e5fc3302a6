"""Params files: loaded with the house's defaults and `--set` overrides, written as resolved, read back in notebooks."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from collabeval.errors import ParamsError, Problem
from collabeval.own_model import with_models
from collabeval.params import TABLES, Params
from collabeval.params.problems import describe, suggestion
from collabeval.params.types import without_password
from collabeval.params.yaml_text import Document, read, scalar_or_block
from collabeval.params_reference import schema, write_schema
from collabeval.run_folder import RunFolder, written_whole

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
    document = _defaults(path)
    _merge(document, read(_existing(path)))
    for override in overrides:
        _merge(document, _override(override, document))
    params = with_models(_validated(document), document)
    return params.model_copy(update={"data": params.data.model_copy(update=_located(params))})


def write_resolved(params: Params, folder: RunFolder) -> Path:
    """Write params as resolved, every text in quotes, with the run folder: what `papermill … -f` takes."""
    blocks = {**params.model_dump(mode="json"), "run_folder": str(folder.path.resolve())}
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 4096
    with written_whole(folder.params) as part, part.open("w", encoding="utf-8") as stream:
        yaml.dump(_quoted(blocks), stream)
    return folder.params


def read_resolved(path: Path) -> Params:
    """Read back the params of a run."""
    document = read(_existing(path))
    document.values.pop("run_folder", None)
    return _validated(document)


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
    return _validated(document), RunFolder(Path(folder))


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


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    there = (
        sorted(item.name for item in path.absolute().parent.glob("*.y*ml")) if path.absolute().parent.is_dir() else []
    )
    near = get_close_matches(path.name, there, n=1)
    fix = f"did you mean {path.with_name(near[0])}?" if near else "check the name, and the folder the command is run in"
    raise ParamsError([Problem(str(path), f"there is no such file (looked for {path.absolute()})", fix)])


def _defaults(path: Path) -> Document:
    for folder in (path.absolute().parent, Path.cwd() / "params"):
        if (folder / DEFAULTS).is_file() and path.name != DEFAULTS:
            defaults = folder / DEFAULTS
            return read(defaults if not defaults.is_relative_to(Path.cwd()) else defaults.relative_to(Path.cwd()))
    return Document()


def _merge(under: Document, over: Document) -> None:
    """Lay one document over another in place: blocks are merged, everything else is replaced."""
    _merge_blocks(under.values, over.values)
    under.lines.update(over.lines)
    under.problems.extend(over.problems)


def _merge_blocks(under: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(under.get(key), dict):
            _merge_blocks(under[key], value)
        else:
            under[key] = value


def _override(text: str, document: Document) -> Document:
    """The document that `--set KEY=VALUE` stands for; VALUE is read as YAML."""
    key, equals, value = text.partition("=")
    where = without_password(f"--set {text}")
    place = tuple(key.strip().split("."))
    if not equals or not all(place):
        raise ParamsError([Problem(where, "is not KEY=VALUE", "write it like --set sampling.seed=1")])
    around: Any = document.values
    for step in place[:-1]:
        around = around.get(step, {}) if isinstance(around, Mapping) else None
    if not isinstance(around, Mapping):
        parent = ".".join(place[:-1])
        raise ParamsError([Problem(where, f"`{parent}` is no block of keys", f"set `{parent}` itself")])
    block: Any = scalar_or_block(value, where)
    for step in reversed(place):
        block = {step: block}
    lines = {place[:end]: (where, None) for end in range(1, len(place) + 1) if place[:end] not in document.lines}
    return Document(block, {**lines, place: (where, None)})


def _validated(document: Document) -> Params:
    problems = list(document.problems)
    try:
        params = Params.model_validate(document.values)
    except ValidationError as error:
        raise ParamsError([*problems, *describe(error, document)]) from None
    if problems:
        raise ParamsError(problems)
    return params


def _located(params: Params) -> dict[str, str]:
    """Local paths of the tables, absolute from the working folder; URLs and queries stay."""
    tables = {name: getattr(params.data, name) for name in TABLES}
    return {name: os.path.abspath(Path(source).expanduser()) for name, source in tables.items()
            if isinstance(source, str) and "://" not in source}  # fmt: skip


def _quoted(value: Any) -> Any:
    """The same values with every text in double quotes, and every key that YAML 1.1 might take for something else."""
    if isinstance(value, Mapping):
        return {key if _is_plain(key) else DoubleQuotedScalarString(key): _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value


def _is_plain(key: str) -> bool:
    return key.isidentifier() and key.lower() not in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


class _Representer(RoundTripRepresenter):
    """Writes numbers so that YAML 1.1 readers (papermill) and 1.2 readers see the same: 1.0e-05, never 1e-05."""


def _represent_float(representer: _Representer, value: float) -> ScalarNode:
    mantissa, exponent, power = repr(value).partition("e")
    text = mantissa + ("" if "." in mantissa else ".0") + exponent + power
    return representer.represent_scalar("tag:yaml.org,2002:float", text)


_Representer.add_representer(float, _represent_float)
