"""The Excel template: a sheet per table, codes and periods formatted as text, drop-downs, an example row to delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from collabeval.contract.schemas import SCHEMAS
from collabeval.params.catalogue import catalogue
from collabeval.params.indicators import FIVE
from collabeval.templates.describe import TABLES

Row = Sequence[str | int | float]
TEXT, LAST_ROW = "@", 5000
NAMED_IN_PARAMS = "Outcomes and covariates have the names you give them in the params file; add a column for each."
FURTHER_HELP = (
    "8. The other sheets are optional: fill in those you have, delete the others. Their periods may be of another "
    "length, such as years. Leave `site` empty where an indicator is of the collaborative as a whole.",
)
CATALOGUE = "catalogue"  # sheet of the ready indicators, for the drop-down
SCORES = '"1,2,3,4,5"'
HELP = (
    "How to fill in this workbook",
    "1. Sheet sites: one row per site. Sheet outcomes: one row per site, period and measure. Sheet records, instead of "
    "outcomes: one row per patient.",
    "2. Delete the grey example row of each sheet. A run stops while it is there.",
    "3. Point the mouse at a column name to see what belongs there. Add further columns if you like: they are kept.",
    "4. Site, period and measure are text: 007 stays 007. Paste with “Paste special, values” to keep it so.",
    "5. Write periods like 2025, 2025H1, 2025Q1 or 2025-03, all of the kind that periods.length names.",
    "6. Leave out the columns your measures do not need, and rows where a site sent nothing.",
    "7. Then: collabeval check PARAMS-FILE. It names the sheet, row and column of everything that is wrong.",
)  # fmt: skip


def write_workbook(path: Path, examples: Mapping[str, tuple[Sequence[str], Row]], measures: Sequence[str]) -> Path:
    """Write the workbook; `examples` holds the column names of each table, and its example row."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = "read me"
    more = FURTHER_HELP if len(examples) > len(SCHEMAS) else ()
    for row, line in enumerate((*HELP, *more), start=1):
        first.cell(row, 1, line).font = Font(bold=row == 1, size=14 if row == 1 else 11)
    first.column_dimensions["A"].width = 110
    for table, (names, example) in examples.items():
        _sheet(book.create_sheet(table), table, names, example)
    if "indicators" in examples:
        _catalogue(book.create_sheet(CATALOGUE))
    for table, (names, _) in examples.items():
        for column, choice in _choices(table, measures).items():
            letter = get_column_letter(list(names).index(column) + 1)
            choice.add(f"{letter}2:{letter}{LAST_ROW}")
            book[table].add_data_validation(choice)
    book.active = 1
    book.save(path)
    return path


def _choices(table: str, measures: Sequence[str]) -> dict[str, DataValidation]:
    """The drop-downs of a table by column; only codes of sites, features and scores are held to theirs."""
    found: dict[str, DataValidation] = {}
    if table != "sites" and "site" in TABLES[table].columns:
        found["site"] = _choice(f"=sites!$A$2:$A${LAST_ROW}", "This code is not in the sheet sites.", "Unknown site")
    if "measure" in TABLES[table].columns:
        found["measure"] = _choice(f'"{",".join(measures)}"')
    if table == "indicators":
        found["indicator"] = _choice(f"={CATALOGUE}!$A$2:$A${len(catalogue()) + 1}")
    if table == "ratings":
        found["feature"] = _choice(f'"{",".join(FIVE)}"', "One of the five features.", "Unknown feature")
    for scored, column in (("survey", "response"), ("ratings", "score")):
        if table == scored:
            found[column] = _choice(SCORES, "A whole number from 1 to 5.", "Not from 1 to 5")
    return found


def _choice(formula: str, error: str = "", title: str = "") -> DataValidation:
    choice = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=bool(error))
    if error:
        choice.error, choice.errorTitle = error, title
    return choice


def _catalogue(sheet: Worksheet) -> None:
    """The ready indicators: code, what it is, what its numbers count."""
    keys = ("id", "label", "level", "numerator", "denominator", "definition")
    for at, (name, width) in enumerate(zip(keys, (26, 46, 14, 46, 46, 110), strict=True), start=1):
        sheet.cell(1, at, name).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(at)].width = width
        for row, entry in enumerate(catalogue().values(), start=2):
            sheet.cell(row, at, entry.get(name, "site" if name == "level" else None))
    sheet.freeze_panes = "A2"


def _sheet(sheet: Worksheet, table: str, names: Sequence[str], example: Row) -> None:
    columns = TABLES[table].columns
    for at, (name, value) in enumerate(zip(names, example, strict=True), start=1):
        letter = get_column_letter(at)
        head = sheet.cell(1, at, name)
        head.font = Font(bold=True)
        column = columns.get(name)
        meaning = str(column.description) if column is not None else NAMED_IN_PARAMS
        head.comment = Comment(meaning, "collabeval", width=320, height=90)
        as_text = str(column.dtype) != "float64" if column is not None else isinstance(value, str)
        sheet.column_dimensions[letter].width = 26 if name == "name" else 14
        sheet.column_dimensions[letter].number_format = TEXT if as_text else "General"
        cell = sheet.cell(2, at, value if value != "" else None)
        cell.font, cell.fill = Font(italic=True, color="666666"), PatternFill("solid", fgColor="EEEEEE")
        cell.number_format = TEXT if as_text else "General"
    sheet.cell(2, len(example) + 1, "← delete this example row").font = Font(italic=True, color="A00000")
    sheet.freeze_panes = "A2"
