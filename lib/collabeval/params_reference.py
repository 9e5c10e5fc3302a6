"""What is made from the params models: the JSON Schema an editor uses, and the reference of every key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

from pydantic_core import PydanticUndefined

from collabeval.params import Params, Strict
from collabeval.params.portfolio import Portfolio
from collabeval.params.problems import model_in
from collabeval.run_folder import written_whole

MOST_LISTED = 12  # words allowed for a key that are listed in the reference


def schema() -> dict[str, Any]:
    """JSON Schema of a params file, for editors; `params/schema.json` is this."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Params.model_json_schema()}


def write_schema(path: Path) -> Path:
    """Write the JSON Schema, as `collabeval schema` does."""
    with written_whole(path) as part:
        part.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def reference() -> str:
    """`docs/params.md`: one table for each block of a params file, and of the params file of a portfolio."""
    lines = [
        "# Every key of a params file",
        "",
        "Made from the models in `lib/collabeval/params/` by `collabeval.params_reference.write_reference`.",
        "A key without a default must be given. Keys that every collaborative of the house shares can stand in",
        "`_defaults.yml` beside the params file; `--set KEY=VALUE` (`--set periods.length=year`) goes over both.",
    ]
    lines += [line for place, model in _blocks(Params, "") for line in _table(place or "Top level", model)]
    lines += ["", "# Every key of the params file of a portfolio", ""]
    lines += ["For `collabeval portfolio` (docs/portfolio.md); `sampling` and `rules` are as above."]
    for place, model in _blocks(Portfolio, ""):
        if model.__module__ == Portfolio.__module__:
            lines += _table(f"portfolio: {place}" if place else "portfolio", model)
    return "\n".join(lines) + "\n"


def _table(title: str, model: type[Strict]) -> list[str]:
    """One block: its heading, what it is, its keys."""
    rows = [_row(name, model) for name in model.model_fields]
    head = ["| key | takes | default | what it is |", "|---|---|---|---|"]
    return ["", f"## {title}", "", (model.__doc__ or "").strip(), "", *head, *rows]


def write_reference(path: Path) -> Path:
    """Write `docs/params.md`."""
    with written_whole(path) as part:
        part.write_text(reference(), encoding="utf-8")
    return path


def _blocks(model: type[Strict], place: str) -> Iterator[tuple[str, type[Strict]]]:
    """Every block of params once, with the key it stands under."""
    yield place, model
    seen: set[type] = set()
    for name, info in model.model_fields.items():
        inner, many = model_in(info.annotation)
        if inner is None or inner in seen or not issubclass(inner, Strict):
            continue
        seen.add(inner)
        key = f"{place}.{name}" if place else name
        each = f"{key}[]" if get_origin(info.annotation) is tuple else f"{key}.CODE"
        yield from _blocks(inner, each if many else key)


def _row(name: str, model: type[Strict]) -> str:
    info = model.model_fields[name]
    property_schema = model.model_json_schema()["properties"][name]
    meaning = (info.description or "").replace("|", "\\|").replace("\n", " ")
    return f"| `{name}` | {_takes(property_schema)} | {_default(info)} | {meaning} |"


def _default(info: Any) -> str:
    if info.is_required():
        return "**required**"
    value = info.default if info.default is not PydanticUndefined else info.default_factory()
    if isinstance(value, Strict):
        return "see below"
    if value is None or value == "" or value == {}:
        return "none"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _takes(part: dict[str, Any]) -> str:
    """What a JSON Schema fragment allows, in words."""
    if len(part.get("enum", ())) > MOST_LISTED:  # the names of the catalogue
        return "text"
    if "enum" in part:
        return ", ".join(f"`{json.dumps(word)}`".replace('"', "") for word in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "anyOf" in part or "oneOf" in part:
        return " or ".join(_takes(one) for one in part.get("anyOf") or part["oneOf"] if one.get("type") != "null")
    if "$ref" in part:
        return "block"
    kind = part.get("type")
    if kind == "array":
        return (
            f"list of {len(part['prefixItems'])} texts" if "prefixItems" in part else f"list of {_takes(part['items'])}"
        )
    if kind == "object":
        return "block of codes"
    name = {"integer": "whole number", "number": "number", "boolean": "true or false"}.get(str(kind), "text")
    return name + _limits(part)


def _limits(part: dict[str, Any]) -> str:
    words = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}", "exclusiveMaximum": "below {}"}
    found = [text.format(f"{part[key]:g}") for key, text in words.items() if key in part]
    return f" {' '.join(found)}" if found else ""
