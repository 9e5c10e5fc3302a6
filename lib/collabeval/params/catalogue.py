"""The catalogue of ready indicators that ships with the package (`indicators.yml`), read when it is first asked for."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

FILE = "indicators.yml"


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """The fields of every ready indicator by its code, in the order of the file; `id` is among them."""
    from ruamel.yaml import YAML  # a third of a second; most params files name no indicator

    text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return {code: {"id": code, **fields} for code, fields in YAML(typ="safe", pure=True).load(text).items()}


def near(name: str) -> list[str]:
    """Up to three codes of the catalogue that a name may have been meant for."""
    return get_close_matches(name.lower(), list(catalogue()), n=3, cutoff=0.6)


def unknown(name: str) -> tuple[str, str]:
    """What is wrong with a name that is not in the catalogue, and how to mend it."""
    own = "define it: a block {id, label, feature, family, better}"
    fix = f"did you mean {' or '.join(near(name))}? Or {own}" if near(name) else f"see docs/indicators.md, or {own}"
    return "is not the name of an indicator in the catalogue", fix
