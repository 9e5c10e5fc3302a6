"""How to make a report again, as far as it may be told.

A command has what no table has: the name of a file and the text of settings, both free. They may name a site, give a
hidden count, the seed that codes are made with (`codes`), or the place of a person's files. So

- a report that names its sites and hides no count tells the file and the settings;
- one with coded sites or hidden counts tells nothing that it does not say elsewhere: the command stands there only
  where it is made of the collaborative's short name and of nothing else;
- the report of a portfolio tells file and settings, since its params have no site in them, but neither its seed nor
  which params and register it was made from: their names may be ones that the collaboratives' own reports do not tell;
- none tells where on a machine or a server something lies, nor prints what a renderer would take for its own code: for
  the value of such a setting stands "…".
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from collabeval.command import Command

# an absolute or home path, a Windows drive or share, a way out of the folder, a URL: at the start of a value or in it
PLACE = re.compile(r"""(?:^|[\s:=,;|'"\[({])(?:~|/(?=[^\s/])|[A-Za-z]:[\\/]|\\\\)|(?:^|[^\w.])\.\.[\\/]|://""")
CODE = re.compile(r"`|\{\{")  # inline code, a shortcode: Quarto would run it, a fence of code or not
WITHHELD = "…"
NOT_TOLD = {"sampling", "collaboratives", "site_register"}  # top keys of a portfolio's params


@dataclass(frozen=True)
class PublishedCommand:
    """What may be told of a run's command.

    ``line`` is what to type in a shell, "" where the command may not be told; ``outside`` says that the params file is
    named without its folder, ``withheld`` that "…" stands for the value of a setting.
    """

    line: str
    outside: bool = False
    withheld: bool = False


def publish_command(command: Command | None, collaborative: str, hides: bool) -> PublishedCommand | None:
    """The command of an evaluation; None where it is not known. `hides`: counts are hidden or sites coded."""
    if command is None:
        return None
    if hides and (command.overrides or command.file != f"params/{collaborative}.yml"):
        return PublishedCommand("")
    return _told(command, command.overrides)


def publish_portfolio_command(command: Command | None) -> PublishedCommand | None:
    """The command of a portfolio; None where it is not known."""
    if command is None:
        return None
    return _told(command, tuple(map(_without_value, command.overrides)))


def _told(command: Command, overrides: tuple[str, ...]) -> PublishedCommand:
    shown = tuple(map(_without_place, overrides))
    settings = [word for override in shown for word in ("--set", override)]
    line = shlex.join(["collabeval", *command.words, command.file, *settings])
    return PublishedCommand(line, command.outside, withheld=shown != command.overrides)


def _without_place(override: str) -> str:
    key, _, value = override.partition("=")
    return f"{key}={WITHHELD}" if PLACE.search(value) or CODE.search(value) else override


def _without_value(override: str) -> str:
    key = override.partition("=")[0]
    return f"{key}={WITHHELD}" if key.partition(".")[0].strip() in NOT_TOLD else override
