"""YAML 1.2 read for people: plain values that know their line, and numbers that know how they were written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from collabeval.errors import ParamsError, Problem

Place = tuple[str, ...]


class WrittenInt(int):
    """A whole number that keeps its characters: `010` is 10, and `010` where text is asked."""

    as_written: str


class WrittenFloat(float):
    """A decimal number that keeps its characters: `1e3` is 1000.0, and `1e3` where text is asked."""

    as_written: str


@dataclass
class Document:
    """Values of one YAML text, and where each was found: dotted place -> (file, line)."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, tuple[str, int | None]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(path: Path) -> Document:
    """Read one YAML file; raise ParamsError where it cannot be read at all."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ParamsError([Problem(str(path), "is not UTF-8 text", "save it as UTF-8 in your editor", line)]) from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Document:
    """Parse a YAML text whose top level is a block of keys."""
    root = compose(text, file)
    document = Document()
    if root is None or not isinstance(root, MappingNode):
        found = "is empty" if root is None else "is not a block of `key: value` lines"
        raise ParamsError([Problem(file, found, "start from the file that `collabeval new` writes")])
    document.values = _value(root, (), file, document)
    return document


def compose(text: str, file: str) -> Node | None:
    """The node tree of one YAML document; ParamsError with the line where it is not YAML."""
    try:
        return YAML().compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None or file.startswith("--set") else mark.line + 1
        what = f"is not YAML: {error.problem or error.context}"
        raise ParamsError([Problem(file, what, _hint(text, line), line)]) from None
    except YAMLError as error:
        raise ParamsError([Problem(file, f"is not YAML: {error}", "remove what is not plain text")]) from None


def scalar_or_block(text: str, file: str) -> Any:
    """One value, as on the right of `--set KEY=VALUE`."""
    root = compose(text, file)
    document = Document()
    value = None if root is None else _value(root, (), file, document)
    if document.problems:
        raise ParamsError(document.problems)
    return value


def _hint(text: str, line: int | None) -> str:
    lines = text.splitlines()
    written = lines[line - 1] if line and line <= len(lines) else ""
    if "\t" in written:
        return "indent with spaces: this line has a tab"
    if ": " in written.partition(": ")[2]:
        return 'put text that contains ": " in double quotes'
    return "look at this line and the one above: indentation, quotes and brackets"


def _value(node: Node, place: Place, file: str, document: Document) -> Any:
    document.lines.setdefault(place, (file, node.start_mark.line + 1))
    if isinstance(node, MappingNode):
        return _block(node, place, file, document)
    if isinstance(node, SequenceNode):
        return [_value(item, (*place, str(at)), file, document) for at, item in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _scalar(node)


def _block(node: MappingNode, place: Place, file: str, document: Document) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
        line = key_node.start_mark.line + 1
        if key in block:
            fix = f"remove this one or the one in line {document.lines[(*place, key)][1]}"
            document.problems.append(Problem(file, "the key is there twice", fix, line, ".".join((*place, key))))
            continue
        document.lines[(*place, key)] = (file, line)
        block[key] = _value(value_node, (*place, key), file, document)
    return block


def _scalar(node: ScalarNode) -> Any:
    """A scalar by the core schema of YAML 1.2; dates and everything unknown stay text."""
    text = str(node.value)
    kind = str(node.tag).rpartition(":")[2]
    if node.style in {'"', "'", "|", ">"}:
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        digits = text.replace("_", "")
        whole = WrittenInt(int(digits, 0) if digits.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else int(digits))
        whole.as_written = text
        return whole
    if kind == "float":
        number = WrittenFloat(_float(text))
        number.as_written = text
        return number
    return text


def _float(text: str) -> float:
    special = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
    return special[text.lower()] if text.lower() in special else float(text.replace("_", ""))
