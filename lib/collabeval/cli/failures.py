"""Errors as the user meets them: every problem, in plain words, on standard error."""

from __future__ import annotations

import sys

from collabeval.errors import CollabevalError, InputError


def say_error(error: CollabevalError) -> None:
    """Say what is wrong: how many problems first where there are several, then each on a line of its own."""
    if isinstance(error, InputError) and len(error.problems) > 1:
        print(f"{len(error.problems)} problems:", file=sys.stderr)
    print(str(error), file=sys.stderr)
