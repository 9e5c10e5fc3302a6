"""Tables whose cells have types (Parquet, Stata, SAS, SPSS, databases), turned into text without loss."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from collabeval.errors import ContractError, Problem
from collabeval.sources.raw import RawTable, from_rows, refused

THREE_DECIMALS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")


def as_text(value: Any) -> str:
    """One cell as text: whole numbers without a decimal point, days as `2025-03-01`, nothing as the empty text."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        number = float(value)
        text = str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
        return (
            f"{text}0" if THREE_DECIMALS.fullmatch(text) else text
        )  # a number here is no text `1.234` of unknown habit
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def read_typed(content: bytes, file: str, suffix: str) -> RawTable:
    """Read a Parquet, Stata, SAS or SPSS file through pandas."""
    readers: dict[str, Callable[[io.BytesIO], pd.DataFrame]] = {
        ".parquet": pd.read_parquet,
        ".dta": pd.read_stata,
        ".sas7bdat": _sas,
        ".sav": _spss,
    }
    try:
        frame = readers[suffix](io.BytesIO(content))
    except ImportError as missing:
        fix = f"install it (pip install {missing.name or 'pyreadstat'}), or save the table as CSV"
        raise ContractError(
            [Problem(file, f"{PurePosixPath(file).suffix} files need a further package", fix)]
        ) from None
    except (ValueError, OSError) as error:
        raise refused(file, f"is not a {suffix} file ({error})", "save it again") from None
    return from_frame(file, frame)


def from_frame(file: str, frame: pd.DataFrame) -> RawTable:
    """A table of text out of a typed one; rows are numbered as if the names stood in row 1."""
    cells = [[as_text(value) for value in frame[column].astype(object)] for column in frame.columns]
    rows = [(1, [str(column) for column in frame.columns])]
    rows += [(number, list(row)) for number, row in enumerate(zip(*cells, strict=True), start=2)]
    return from_rows(file, rows)


def _sas(stream: io.BytesIO) -> pd.DataFrame:
    table = pd.read_sas(stream, format="sas7bdat", encoding="infer")
    assert isinstance(table, pd.DataFrame)
    return table


def _spss(stream: io.BytesIO) -> pd.DataFrame:
    """SPSS files are read from disk only, so the bytes go through a temporary file."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".sav") as part:
        part.write(stream.getvalue())
        part.flush()
        return pd.read_spss(part.name, convert_categoricals=False)
