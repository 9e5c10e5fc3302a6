"""What pydantic found wrong with params, told to a person: file, line, key, found, allowed, did you mean."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from collabeval.errors import Problem
from collabeval.params import Params
from collabeval.params.types import CODE_PATTERN, without_password
from collabeval.params.yaml_text import Document, Place

KINDS = {
    "string_type": ("is not text", "put it in quotes if text is meant"),
    "int_type": ("is not a whole number", "write digits only, without quotes"),
    "int_from_float": ("is not a whole number", "write digits only, without quotes"),
    "float_type": ("is not a number", "write a number, without quotes"),
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
    "finite_number": ("is not a finite number", "write a number"),
    "dict_type": ("is not a block of keys", "indent `key: value` lines below it"),
    "model_type": ("is not a block of keys", "indent `key: value` lines below it"),
    "tuple_type": ("is not a list", "write it in square brackets: [first, second]"),
}


def describe(error: ValidationError, document: Document, root: type[BaseModel] = Params) -> list[Problem]:
    """One problem for each breach that pydantic reports of a file of `root`, in the order of the file."""
    problems = [_problem(details, document, root) for details in error.errors()]
    return sorted(problems, key=lambda problem: (problem.file, problem.row or 0))


def suggestion(found: str, allowed: Sequence[str]) -> str:
    """ "did you mean …?" where one of the allowed words is near, else the allowed words."""
    near = get_close_matches(found.lower(), [word.lower() for word in allowed], n=1, cutoff=0.6)
    if near:
        return f"did you mean '{next(word for word in allowed if word.lower() == near[0])}'?"
    return f"allowed: {', '.join(allowed)}" if allowed else ""


def _problem(details: ErrorDetails, document: Document, root: type[BaseModel]) -> Problem:
    place = _place(details["loc"])
    file, line = _found_at(place, document)
    what, fix = _phrase(details, place, root)
    value = "" if details["type"] in {"missing", "extra_forbidden"} else _shown(details["input"])
    return Problem(file, what, fix, line, ".".join(place), value)


def _place(location: Sequence[int | str]) -> Place:
    """The place of an error in the file: pydantic's location without its marks for union branches and keys."""
    return tuple(str(item) for item in location if not str(item).startswith("["))


def _found_at(place: Place, document: Document) -> tuple[str, int | None]:
    """File and line of the place, or of the nearest block around it."""
    for end in range(len(place), -1, -1):
        if place[:end] in document.lines:
            return document.lines[place[:end]]
    return "params", None


def _phrase(details: ErrorDetails, place: Place, root: type[BaseModel]) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", suggestion(place[-1], keys_at(place[:-1], root))
    if kind == "missing" and isinstance(details["loc"][-1], int):
        return "is missing", "the list takes two entries: [first, second]"
    if kind == "refused":
        return str(context["what"]), str(context["fix"])
    if kind == "missing" or details["input"] is None:
        return "is missing" if kind == "missing" else "has no value", f"add it: {help_of(place, root)}"
    if kind == "literal_error":
        allowed = [word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        words = ["true" if word == "True" else "false" if word == "False" else word for word in allowed]
        near = suggestion(_shown(details["input"]), words)
        listed = f"allowed: {', '.join(words)}"
        return "is not one of the words allowed here", listed if near in {"", listed} else f"{near} ({listed})"
    if kind == "string_pattern_mismatch":
        assert context["pattern"] == CODE_PATTERN
        return "is not a code", "use letters, digits, `_`, `-` and `.` only, beginning with a letter or digit"
    if kind in KINDS:
        return KINDS[kind]
    return details["msg"].replace("Input should", "must").replace("Tuple should", "must"), help_of(place, root)


def _shown(value: Any) -> str:
    """A value as it stands in the file; blocks and lists are not repeated."""
    if isinstance(value, bool):
        return str(value).lower()
    shown = str(getattr(value, "as_written", value)) if isinstance(value, str | int | float) else ""
    return without_password(shown)


def keys_at(place: Place, root: type[BaseModel]) -> list[str]:
    """The keys allowed in the block at a place."""
    model = _model_at(place, root)
    return [] if model is None else list(model.model_fields)


def help_of(place: Place, root: type[BaseModel]) -> str:
    """One sentence on what belongs at a place."""
    model = _model_at(place[:-1], root) if place else None
    found = None if model is None else model.model_fields.get(place[-1])
    return "" if found is None or found.description is None else found.description


def _model_at(place: Place, root: type[BaseModel]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = root
    inside_dict = False
    for key in place:
        if inside_dict:
            inside_dict = False
            continue
        found = None if model is None else model.model_fields.get(key)
        if found is None:
            return None
        model, inside_dict = model_in(found.annotation)
    return None if inside_dict else model


def model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The params block inside a type, and whether it lies in a mapping of codes to blocks, or in a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return model_in(inner[1])[0], True
    if origin is tuple:
        return model_in(inner[0])[0], True
    if origin in {Union, UnionType, Annotated}:
        found = [model for model, _ in map(model_in, inner) if model is not None]
        return (found[0] if found else None), False
    return None, False
