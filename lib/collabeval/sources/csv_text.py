"""Text tables: decoded as declared, comma, semicolon or tab found out, quotes checked."""

from __future__ import annotations

import codecs
import csv
import io

from collabeval.errors import ContractError, Problem
from collabeval.sources.raw import RawTable, from_rows, refused

GUESSES = ("utf-16", "utf-8", "cp1252", "latin-1")
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_csv(content: bytes, file: str, encoding: str) -> RawTable:
    """Read one text table; ContractError where bytes are not the declared encoding or quotes do not match."""
    text = _decoded(content, file, encoding)
    skipped = 0
    if text[:4].lower() == "sep=":  # Excel's own note on the delimiter
        text, skipped = text.partition("\n")[2], 1
    header = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    log = [f"{file}: read as separated by {DELIMITERS[delimiter]}"] if delimiter != "," else []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            rows.append((len(rows) + 1 + skipped, cells))
    except csv.Error as error:
        fix = "a value with a quote needs it doubled, and a closing one: look at this row and those above it"
        raise refused(file, f"quotes do not match ({error})", fix, len(rows) + 1 + skipped) from None
    return from_rows(file, rows, log)


def _decoded(content: bytes, file: str, encoding: str) -> str:
    name = codecs.lookup(encoding).name
    if name == "utf-8":
        encoding = "utf-8-sig"
    elif _is_utf8(content, name):
        raise ContractError(
            [Problem(file, f"is UTF-8, but `data.encoding` says {encoding}", "set data.encoding: utf-8")]
        )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ContractError([_not_the_encoding(content, error.start, file, name)]) from None
    except UnicodeError:
        raise ContractError([_not_the_encoding(content, 0, file, name)]) from None
    if "\0" in text:
        raise ContractError([_not_the_encoding(content, content.find(b"\0"), file, name)])
    return text


def _is_utf8(content: bytes, declared: str) -> bool:
    """Whether bytes are UTF-8 although something else is declared; several bytes to a letter are no accident."""
    if declared.startswith(("utf-16", "utf-32")):
        return b"\0" not in content and _decodes(content, "utf-8")
    return not content.isascii() and _decodes(content, "utf-8")


def _not_the_encoding(content: bytes, at: int, file: str, declared: str) -> Problem:
    """The row of the first byte that cannot be read, how it looks in the likeliest encoding, and that encoding."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:200]
    guess = next(name for name in GUESSES[0 if wide else 1 :] if name == "latin-1" or _decodes(content, name))
    row = content[:at].count(b"\n") + 1
    line = content.splitlines()[row - 1] if not wide and row <= len(content.splitlines()) else b""
    fix = f"save it as “CSV UTF-8”, or set data.encoding: {guess}" + (" (then this row reads as shown)" if line else "")
    return Problem(file, f"has bytes that are not {declared}", fix, row, value=line.decode(guess)[:80])


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeError:
        return False
    return True
