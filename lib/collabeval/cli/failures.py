"""Errors as the user meets them: every problem, in plain words, on standard error."""

from __future__ import annotations

import sys

from collabeval.errors import CollabevalError, InputError


def exit_code_of(error: CollabevalError) -> int:
    """What the command ends with because of this error."""
    return error.exit_code


def say_error(error: CollabevalError) -> None:
    """Say what is wrong: each problem of an input error on a line of its own, with their number first."""
    if isinstance(error, InputError) and len(error.problems) > 1:
        print(f"{len(error.problems)} problems:", file=sys.stderr)
    print(str(error), file=sys.stderr)
