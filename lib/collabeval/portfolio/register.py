"""The register of sites: which codes of different collaboratives stand for the same site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import pandas as pd

from collabeval.errors import ContractError, Problem
from collabeval.sources import RawTable, Source, read_location

COLUMNS = ("national", "collaborative", "site")


def checked_register(
    location: str, collaboratives: Sequence[str], known: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame, list[Source]]:
    """Read and check the register.

    Parameters
    ----------
    collaboratives : codes that params name.
    known : the codes of sites by collaborative, of those whose run has results.

    Returns
    -------
    DataFrame with `COLUMNS` as text, and where it came from. A site that the register does not name has a row with a
    national code of its own, made of both codes: it is in one collaborative only.

    Raises
    ------
    ContractError
        with every problem: a column missing, a code empty or unknown, a site twice, two sites of one collaborative
        under one national code.
    """
    raw, sources = read_location(location, "site_register")
    problems: list[Problem] = []
    parts = [_rows(table, problems) for table in raw]
    if problems:
        raise ContractError(problems)
    rows = pd.concat(parts, ignore_index=True)
    problems = [*_unknown(rows, collaboratives, known), *_twice(rows)]
    if problems:
        raise ContractError(problems)
    return _complete(rows[list(COLUMNS)], known), sources


def _rows(table: RawTable, problems: list[Problem]) -> pd.DataFrame:
    """Rows of one file as text, with `file` and `row`."""
    frame = table.frame.rename(columns={name: name.strip().lower() for name in table.frame.columns})
    missing = [name for name in COLUMNS if name not in frame]
    fix = f"add it (columns found: {', '.join(map(str, table.frame.columns))})"
    problems += [Problem(table.file, "this column is missing", fix, 1, name) for name in missing]
    if missing:
        return pd.DataFrame()
    rows = frame[list(COLUMNS)].fillna("").astype(str).apply(lambda texts: texts.str.strip())
    for row, values in rows.iterrows():
        empty = [name for name in COLUMNS if not values[name]]
        problems += [Problem(table.file, "is empty", "every row needs its codes", row, name) for name in empty]
    return rows.assign(file=table.file, row=list(rows.index))


def _unknown(rows: pd.DataFrame, collaboratives: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[Problem]:
    found = []
    for one in rows.to_dict("records"):
        place = (one["file"], one["row"])
        if one["collaborative"] not in collaboratives:
            what = "is not one of the collaboratives of the params file"
            found.append(_near(place, "collaborative", one["collaborative"], collaboratives, what))
        elif one["collaborative"] in known and one["site"] not in known[one["collaborative"]]:
            what = f"is not a site of {one['collaborative']}"
            found.append(_near(place, "site", one["site"], known[one["collaborative"]], what))
    return found


def _near(place: tuple[str, int], column: str, value: str, allowed: Sequence[str], what: str) -> Problem:
    near = get_close_matches(value, allowed, n=1)
    fix = f"did you mean {near[0]!r}?" if near else "mend the code, or take the row out"
    return Problem(place[0], what, fix, place[1], column, value)


def _twice(rows: pd.DataFrame) -> list[Problem]:
    """Sites that two rows name, and sites of one collaborative that would be the same."""
    found = []
    for key, column, what, fix in (
        (["collaborative", "site"], "site", "is there twice", "keep one row for each site of a collaborative"),
        (["collaborative", "national"], "national", "stands for two sites of this collaborative",
         "two sites of one collaborative are not the same site: give one another national code"),
    ):  # fmt: skip
        again = rows[rows.duplicated(key)]
        found += [Problem(one["file"], what, fix, one["row"], column, one[column]) for one in again.to_dict("records")]
    return found


def _complete(rows: pd.DataFrame, known: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    named = set(zip(rows["collaborative"], rows["site"], strict=True))
    alone = [(f"{name}/{site}", name, site) for name, sites in known.items() for site in sites
             if (name, site) not in named]  # fmt: skip
    return pd.concat([rows, pd.DataFrame(alone, columns=list(COLUMNS))], ignore_index=True)
