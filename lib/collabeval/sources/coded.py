"""Tables of many rows: each column once as its distinct texts and once as a code per row, in a tenth of the memory.

A table that cannot be read this way goes through `read_csv`, which is slower and names the row.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.sources.csv_text import DELIMITERS, read_csv
from collabeval.sources.raw import RawTable, refused
from collabeval.sources.typed import as_text

HEAD, HEAD_BYTES = 50, 100_000  # rows that show which columns a table has where some are missing


@dataclass(frozen=True)
class Columns:
    """The columns of a table to read, out of those it has; `whole` are kept as text, since nearly every row differs."""

    choose: Callable[[Sequence[str]], list[str] | None]
    whole: frozenset[str] = field(default_factory=frozenset)


def read_csv_coded(content: bytes, file: str, encoding: str, columns: Columns) -> RawTable:
    """Read the chosen columns of a text table as categories.

    `columns.choose` gives the columns out of all names, None where needed ones are missing: then only the first rows
    are read, as text, for the message.
    """
    import pyarrow as pa  # only where there are records

    header = _header(content, encoding)
    if header is None:
        return read_csv(content, file, encoding)
    names, delimiter = header
    chosen = columns.choose(names)
    if chosen is None:
        return read_csv(b"\n".join(content[:HEAD_BYTES].split(b"\n")[:HEAD]), file, encoding)
    try:
        table, blank = _parsed(content, delimiter, chosen, columns.whole, threads=True)
        if blank:  # their row numbers are known to a single thread only
            table, blank = _parsed(content, delimiter, chosen, columns.whole, threads=False)
    except pa.ArrowInvalid:
        return read_csv(content, file, encoding)
    numbers = np.delete(np.arange(2, table.num_rows + len(blank) + 2), [number - 2 for number in blank])
    log = [f"{file}: read as separated by {DELIMITERS[delimiter]}"] if delimiter != "," else []
    return _raw(table, file, columns.whole, numbers if blank else None, log)


def read_parquet_coded(content: bytes, file: str, columns: Columns) -> RawTable:
    """Read the chosen columns of a Parquet file as categories; where some are missing, all of its first rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(pa.BufferReader(content))
        chosen = columns.choose(parquet.schema_arrow.names)
        table = parquet.read(columns=chosen) if chosen is not None else parquet.read().slice(0, HEAD)
    except (pa.ArrowInvalid, OSError) as error:
        raise refused(file, f"is not a .parquet file ({error})", "save it again") from None
    if table.num_rows == 0:
        raise refused(file, "has no rows", "save the table with its rows")
    return _raw(table, file, columns.whole, None, [])


def _header(content: bytes, encoding: str) -> tuple[list[str], str] | None:
    """Column names and delimiter; None where the table is not plain UTF-8 with distinct names in its first line."""
    if codecs.lookup(encoding).name != "utf-8" or content[:4].lower() == b"sep=":
        return None
    end = content.find(b"\n")
    try:
        first = content[: max(end, 0)].decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return None
    delimiter = max(DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    plain = [name.strip() for name in names]
    return (plain, delimiter) if all(plain) and len(set(plain)) == len(plain) and plain == names else None


def _parsed(
    content: bytes, delimiter: str, chosen: list[str], whole: frozenset[str], threads: bool
) -> tuple[Any, list[int]]:
    """The Arrow table of the chosen columns, and the numbers of blank rows (0 each where several threads read)."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    blank: list[int] = []

    def handle(row: Any) -> str:
        if row.text.strip(" \t\r\n,;"):
            return "error"
        blank.append(row.number or 0)
        return "skip"

    text, coded = pa.string(), pa.dictionary(pa.int32(), pa.string())
    types = {name: text if name in whole else coded for name in chosen}
    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(use_threads=threads, block_size=1 << 24),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, ignore_empty_lines=False, newlines_in_values=True, invalid_row_handler=handle
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=chosen, column_types=types, strings_can_be_null=False, check_utf8=True
        ),
    )
    return table, blank


def _raw(table: Any, file: str, whole: frozenset[str], numbers: npt.NDArray[Any] | None, log: list[str]) -> RawTable:
    import pyarrow as pa

    frame = {}
    for name in table.column_names:
        column = table[name]
        if name in whole:
            frame[name] = pd.Series(column.cast(pa.string()), dtype=pd.ArrowDtype(pa.string()))
        else:
            frame[name] = pd.Series(_categories(column))
    rows = pd.RangeIndex(2, table.num_rows + 2) if numbers is None else pd.Index(numbers)
    read = pd.DataFrame(frame).set_axis(rows)
    blank = np.logical_and.reduce([(read[name] == "").to_numpy(bool) for name in read])
    return RawTable(file, read[~blank] if blank.any() else read, tuple(log))


def _categories(column: Any) -> pd.Categorical[str]:
    """A chunked Arrow column as categories of stripped text; nothing is the empty text."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode(null_encoding="encode")
    merged = pa.chunked_array(column.unify_dictionaries()).combine_chunks()
    values = merged.dictionary.to_pylist()
    codes = merged.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    texts = [as_text(value).strip() for value in [*values, None]]
    distinct = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    new = np.array([distinct[text] for text in texts], dtype=np.int32)
    return pd.Categorical.from_codes(new[codes], pd.Index(list(distinct), dtype=str))
