"""Excel workbooks: one sheet per table, cells as the text a person sees in them."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from collabeval.sources.raw import RawTable, from_rows, refused
from collabeval.sources.typed import as_text

ZEROS = re.compile(r"0+")


def read_excel(content: bytes, file: str, table: str, sheet: str | None) -> RawTable:
    """Read the sheet of a table: the one params name, else the one named like the table, else the only one."""
    import openpyxl  # only where a workbook is read: it takes a while to load
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError):
        fix = "open it in Excel, take off any password, and save it as .xlsx"
        raise refused(file, "is not an Excel workbook that can be read", fix) from None
    name = _sheet(book.sheetnames, file, table, sheet)
    padded: set[str] = set()
    rows = []
    for number, cells in enumerate(book[name].iter_rows(), start=1):
        rows.append((number, [_text(cell, padded) for cell in cells]))
    log = [f"{file}: table {table} read from sheet {name}"] if name.lower() != table else []
    if padded:
        log.append(f"{file}: numbers shown with leading zeros were read as shown (column {', '.join(sorted(padded))})")
    return from_rows(f"{file}[{name}]", rows, log)


def _sheet(names: list[str], file: str, table: str, asked: str | None) -> str:
    if asked is not None:
        if asked in names:
            return asked
        fix = f"set data.excel_sheets.{table} to one of: {', '.join(names)}"
        raise refused(file, f"there is no sheet {asked!r}", fix)
    same = [name for name in names if name.strip().lower() == table]
    if same or len(names) == 1:
        return (same or names)[0]
    fix = f"name one of them {table}, or set data.excel_sheets: {{{table}: NAME}} (sheets: {', '.join(names)})"
    raise refused(file, f"which sheet holds the table {table}?", fix)


def _text(cell: Any, padded: set[str]) -> str:
    """A cell as text; a number formatted as `000` is read with its zeros, as the person sees it."""
    text = as_text(cell.value)
    if (
        isinstance(cell.value, int)
        and ZEROS.fullmatch(cell.number_format or "")
        and len(text) < len(cell.number_format)
    ):
        padded.add(cell.column_letter)
        return text.zfill(len(cell.number_format))
    return text
