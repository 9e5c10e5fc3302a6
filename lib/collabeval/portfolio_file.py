"""Files of a portfolio: its params loaded, written as resolved and read back; what became of its collaboratives."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collabeval.errors import ParamsError, Problem
from collabeval.params.documents import existing, merge, overridden, validated, write_blocks
from collabeval.params.portfolio import Portfolio
from collabeval.params.yaml_text import read
from collabeval.run_folder import RunFolder, written_whole

MEMBERS = "members.json"  # beside params.yml in the portfolio's run folder
GATHERED = (  # results tables made from those of the collaboratives
    "portfolio_members", "portfolio_estimates", "portfolio_probabilities", "portfolio_words", "portfolio_improvements",
    "portfolio_features", "portfolio_indicators", "portfolio_practices", "portfolio_value", "portfolio_overlap",
    "portfolio_sites", "portfolio_best_of",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of one collaborative's own run: `complete`, `provisional` or `failed`, and why.

    `folder` is its run folder and `report` its files there; both blank where there is none to speak of. `engines` has
    for each measure which engine fitted it and whether its check passed, as its run.json has it; () where not recorded.
    """

    name: str
    status: str
    folder: str = ""
    reasons: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    exit_code: int = 0
    engines: tuple[tuple[str, str], ...] = ()


def load(path: Path, overrides: Sequence[str] = ()) -> Portfolio:
    """Read the params of a portfolio, with `KEY=VALUE` overrides on top; local paths come out absolute.

    Raises
    ------
    ParamsError
        with every problem found: file, line, key, what was found, what is allowed.
    """
    document = read(existing(path))
    if "measures" in document.values and "collaboratives" not in document.values:
        fix = f"evaluate it with `collabeval run {path}`, or name it under `collaboratives` of a portfolio"
        raise ParamsError([Problem(str(path), "is the params file of one collaborative", fix)])
    for override in overrides:
        merge(document, overridden(override, document))
    portfolio = validated(document, Portfolio)
    members = {name: member.model_copy(update={"params": _located(member.params)})
               for name, member in portfolio.collaboratives.items()}  # fmt: skip
    register = portfolio.site_register
    found = None if register is None else _located(register)
    return portfolio.model_copy(update={"collaboratives": members, "site_register": found})


def write_resolved(portfolio: Portfolio, folder: RunFolder) -> Path:
    """Write the params of a portfolio as resolved."""
    return write_blocks(portfolio.model_dump(mode="json"), folder.params)


def read_resolved(folder: RunFolder) -> Portfolio:
    """Read back the params of a portfolio's run."""
    return validated(read(existing(folder.params)), Portfolio)


def write_members(outcomes: Sequence[Outcome], folder: RunFolder) -> Path:
    """Write down what became of each collaborative."""
    with written_whole(folder.path / MEMBERS) as part:
        part.write_text(json.dumps([asdict(one) for one in outcomes], indent=2, ensure_ascii=False), encoding="utf-8")
    return folder.path / MEMBERS


def read_members(folder: RunFolder) -> list[Outcome]:
    """What became of each collaborative, in the order of the params."""
    rows = json.loads((folder.path / MEMBERS).read_text(encoding="utf-8"))
    return [_outcome(row) for row in rows]


def _outcome(row: dict[str, Any]) -> Outcome:
    """JSON has lists for tuples."""
    engines = tuple((engine, check) for engine, check in row.get("engines", ()))
    return Outcome(**{**row, "reasons": tuple(row["reasons"]), "report": tuple(row["report"]), "engines": engines})


def _located(location: str) -> str:
    """A local path, absolute from the working folder; a URL as it is."""
    return location if "://" in location else os.path.abspath(Path(location).expanduser())
