"""Documents that params are read from and written to: files that must be there, laid over one another, checked."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from collabeval.errors import ParamsError, Problem
from collabeval.params.problems import describe
from collabeval.params.types import without_password
from collabeval.params.yaml_text import Document, scalar_or_block
from collabeval.run_folder import written_whole


def existing(path: Path) -> Path:
    """The path of a file that is there; else a refusal that names what is near."""
    if path.is_file():
        return path
    there = (
        sorted(item.name for item in path.absolute().parent.glob("*.y*ml")) if path.absolute().parent.is_dir() else []
    )
    near = get_close_matches(path.name, there, n=1)
    fix = f"did you mean {path.with_name(near[0])}?" if near else "check the name, and the folder the command is run in"
    raise ParamsError([Problem(str(path), f"there is no such file (looked for {path.absolute()})", fix)])


def merge(under: Document, over: Document) -> None:
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


def overridden(text: str, document: Document) -> Document:
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


def validated[P: BaseModel](document: Document, root: type[P]) -> P:
    """The params of type `root` in a document; ParamsError with every problem of the text and of the values."""
    problems = list(document.problems)
    try:
        params = root.model_validate(document.values)
    except ValidationError as error:
        raise ParamsError([*problems, *describe(error, document, root)]) from None
    if problems:
        raise ParamsError(problems)
    return params


def write_blocks(blocks: Mapping[str, Any], path: Path) -> Path:
    """Write plain values as YAML that any reader takes for the same values."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 4096
    with written_whole(path) as part, part.open("w", encoding="utf-8") as stream:
        yaml.dump(_quoted(blocks), stream)
    return path


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
