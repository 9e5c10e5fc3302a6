"""The command line: `collabeval new | check | run | compare | portfolio | plan | register | status | render | schema |
doctor | provenance | simulate`.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import sys

from collabeval.cli import (  # noqa: F401  (importing them adds their commands to the app)
    compare,
    evaluate,
    look,
    portfolio,
    start,
)
from collabeval.cli.app import app
from collabeval.cli.failures import say_error
from collabeval.errors import CollabevalError


def main() -> None:
    """Run the command line; an error that was foreseen is said in plain words and ends with its exit code."""
    try:
        app()
    except CollabevalError as error:
        say_error(error)
        sys.exit(error.exit_code)
