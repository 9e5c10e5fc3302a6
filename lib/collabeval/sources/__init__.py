"""Sources of tables: paths, globs, URLs and databases, all read as text with the row each value stands in."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import fsspec
import pandas as pd

from collabeval.errors import ContractError, Problem
from collabeval.params import Data, Query, TableName
from collabeval.params.types import without_password
from collabeval.sources.coded import Columns, read_csv_coded, read_parquet_coded
from collabeval.sources.csv_text import read_csv
from collabeval.sources.excel import read_excel
from collabeval.sources.raw import RawTable, refused
from collabeval.sources.typed import from_frame, read_typed

__all__ = ["Columns", "RawTable", "Source", "TableName", "read", "read_location"]

CSV, EXCEL, TYPED = {".csv", ".txt", ".tsv"}, {".xlsx", ".xlsm"}, {".parquet", ".dta", ".sas7bdat", ".sav"}
# what fsspec needs besides for each kind of URL
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs",
            "http": "aiohttp", "https": "aiohttp"}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Where rows came from, for provenance: a path, URL or query without its password, and the SHA-256 of its bytes."""

    path: str
    sha256: str


def read(data: Data, table: TableName, columns: Columns | None = None) -> tuple[list[RawTable], list[Source]]:
    """Read every file of one table (`sites`, `outcomes`, …).

    With `columns` only those are read where the format lets a reader choose (CSV, Parquet), and as categories.

    Raises
    ------
    ContractError
        with the problems of every file that cannot be read.
    """
    location = getattr(data, table)
    if isinstance(location, Query):
        raw = _answer(location, table)
        digest = hashlib.sha256(raw.frame.to_csv().encode()).hexdigest()
        return [raw], [Source(f"{location.url} {location.query}", digest)]
    sheet = (table, data.excel_sheets.get(table))
    return _files(
        location, f"data.{table}", lambda content, name: _read_one(content, name, data.encoding, sheet, columns)
    )


def read_location(location: str, key: str) -> tuple[list[RawTable], list[Source]]:
    """Read every file of a table that is none of an evaluation; `key` is the params' name for it.

    Raises
    ------
    ContractError
        with the problems of every file that cannot be read.
    """
    return _files(location, key, lambda content, name: _read_one(content, name, "utf-8", (key, None), None))


def _files(location: str, key: str, read_one: Callable[[bytes, str], RawTable]) -> tuple[list[RawTable], list[Source]]:
    tables: list[RawTable] = []
    sources: list[Source] = []
    problems: list[Problem] = []
    for name in _found(location, key):
        try:
            content = _bytes(name, key)
            tables.append(read_one(content, name))
            sources.append(Source(name, hashlib.sha256(content).hexdigest()))
        except ContractError as error:
            problems += error.problems
    if problems:
        raise ContractError(problems)
    return tables, sources


def _read_one(
    content: bytes, name: str, encoding: str, sheet: tuple[str, str | None], columns: Columns | None
) -> RawTable:
    """One file; `sheet` is the table's name and, for Excel, the sheet that params give."""
    file = _short(name)
    suffix = PurePosixPath(urlsplit(name).path if "://" in name else name.replace("\\", "/")).suffix.lower()
    if columns is not None and suffix in CSV:
        return read_csv_coded(content, file, encoding, columns)
    if columns is not None and suffix == ".parquet":
        return read_parquet_coded(content, file, columns)
    if suffix in CSV:
        return read_csv(content, file, encoding)
    if suffix in EXCEL:
        return read_excel(content, file, *sheet)
    if suffix in TYPED:
        return read_typed(content, file, suffix)
    fix = "save it as .csv (UTF-8) or .xlsx; .parquet, .dta, .sas7bdat and .sav are read too"
    raise refused(file, f"files ending in {suffix or 'nothing'!r} are not read", fix)


def _found(location: str, key: str) -> list[str]:
    """The names a location stands for; each must exist where that can be seen."""
    if "://" in location:
        if not has_magic(urlsplit(location).path):
            return [location]
        filesystem, pattern = _filesystem(location, key)
        names = sorted(filesystem.unstrip_protocol(name) for name in filesystem.glob(pattern))
    else:
        names = sorted(glob(location, recursive=True)) if _is_glob(location) else [location]
        if not _is_glob(location) and not Path(location).is_file():
            raise ContractError([_not_there(Path(location), key)])
    if not names:
        raise refused(_short(location), f"no file matches {key}", f"looked for {location}")
    return names


def _is_glob(location: str) -> bool:
    """Whether a local path is a pattern; a file whose own name has brackets is none."""
    return has_magic(location) and not Path(location).is_file()


def _not_there(path: Path, key: str) -> Problem:
    """What is near a path that does not exist, and where paths count from."""
    what = f"there is no such file ({key}; looked for {path.absolute()})"
    parent = next(folder for folder in path.absolute().parents if folder.is_dir())
    where = "`data`" if key.startswith("data.") else "params"
    fix = f"paths in {where} count from the folder the command is run in"
    if parent != path.absolute().parent:
        fix = f"there is no folder {path.absolute().relative_to(parent).parts[0]!r} in {parent}; {fix}"
    elif near := get_close_matches(path.name, sorted(item.name for item in parent.iterdir()), n=1):
        fix = f"did you mean {near[0]!r}? {fix}"
    return Problem(_short(str(path)), what, fix)


def _bytes(name: str, key: str) -> bytes:
    try:
        if "://" not in name:
            return Path(name).read_bytes()
        filesystem, path = _filesystem(name, key)
        return bytes(filesystem.cat_file(path))
    except ContractError:
        raise
    except Exception as error:  # every store behind fsspec has errors of its own; all are told, none is hidden
        reason = without_password(f"{type(error).__name__}: {error}")
        raise refused(_short(name), f"cannot be read: {reason}", f"check {key}") from error


def _filesystem(url: str, key: str) -> tuple[fsspec.AbstractFileSystem, str]:
    protocol = url.partition("://")[0]
    try:
        return fsspec.core.url_to_fs(url)
    except ImportError:
        fix = f"install it: pip install {PACKAGES.get(protocol, 'the fsspec driver of ' + protocol)}"
        raise refused(url, f"{protocol}:// needs a further package ({key})", fix) from None
    except ValueError as error:
        fix = "for a database write %s: {url: …, query: …, password_from: …}" % key  # noqa: UP031
        raise refused(without_password(url), f"cannot be opened: {error}", fix) from None


def _answer(query: Query, table: str) -> RawTable:
    """The rows a database answers with; its password comes from the environment and appears nowhere."""
    import sqlalchemy  # only where a database is asked: it takes a while to load

    name = f"query for {table}"
    try:
        url = sqlalchemy.make_url(query.url)
        if query.password_from:
            url = url.set(password=_password(query.password_from, name))
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            answer = connection.execute(sqlalchemy.text(query.query))
            frame = pd.DataFrame(answer.fetchall(), columns=list(answer.keys()), dtype=object)
    except ModuleNotFoundError as missing:
        fix = f"install the driver of this database: pip install {missing.name}"
        raise refused(name, f"the package {missing.name} is not installed", fix) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = _blotted(str(getattr(error, "orig", None) or error), query)
        fix = f"check data.{table}.url and data.{table}.query"
        raise refused(name, f"the database says: {reason}", fix) from None
    engine.dispose()
    return from_frame(name, frame)


def _password(variable: str, name: str) -> str:
    if variable not in os.environ:
        fix = f"set it before the command: export {variable}=…"
        raise refused(name, f"the environment has no {variable}", fix, column="password_from")
    return os.environ[variable]


def _blotted(text: str, query: Query) -> str:
    password = os.environ.get(query.password_from, "") if query.password_from else ""
    return without_password(text.replace(password, "***") if password else text)


def _short(name: str) -> str:
    """A name as people write it: relative to the working folder where it lies below it."""
    if "://" in name:
        return without_password(name)
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else name
