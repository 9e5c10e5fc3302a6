"""Errors that a user meets: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input, as a person would want to be told it.

    ``row`` counts as the file does when opened in a spreadsheet or editor: the header is row 1 (for YAML, the line).
    """

    file: str
    what: str
    fix: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file}:{self.row}"
        place = f" {self.column}" if self.column else ""
        found = f" {self.value!r}" if self.value else ""
        return f"{where}{place}{found} → {self.what}" + (f" → {self.fix}" if self.fix else "")


class CollabevalError(Exception):
    """Base of every error this package raises on purpose; ``exit_code`` is what the command line ends with."""

    exit_code = 1


class InputError(CollabevalError):
    """Something in params, data or usage is wrong; carries every problem found, not the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ParamsError(InputError):
    """The params file cannot be used as it is."""


class ContractError(InputError):
    """A data table breaks the data contract."""


class UsageError(CollabevalError):
    """A command was called in a way that cannot work."""

    exit_code = 2


class StepError(CollabevalError):
    """A step of a run failed; the message says which, why, and where its notebook lies."""


class StoppedError(StepError):
    """The user stopped a run."""


class RenderError(CollabevalError):
    """A report could not be rendered."""


class ProvisionalError(CollabevalError):
    """A blocking check failed and the caller did not accept a provisional result."""

    exit_code = 3
