"""The evaluator's own words: one Markdown file per chapter, taken into the report as they are and marked as such."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from collabeval.errors import InputError, Problem
from collabeval.params import Params

CHAPTERS = {
    "summary": "Summary",
    "outcomes": "Outcomes over time",
    "performance": "Site performance",
    "features": "The five features",
    "deviance": "Learning from positive deviance",
    "coordination": "Coordination",
    "measurement": "Measurement and feedback",
    "levers": "Motivational levers",
    "leadership": "Leadership and community",
    "value": "Burden and value",
    "recommendations": "Recommendations",
    "methods": "Methods",
}
READER = "commonmark+smart"
DEEPEST = 2  # levels of headings
HEADING_SHIFT = 1  # a chapter has level 1
SHORTCODE = re.compile(r"\{\{[<%]")
POSITION = re.compile(r"(\d+):.*")
MARKS = "*_`\\"  # emphasis, which could stand inside a name
SHORTEST = 3  # identifiers below this length are words like any other

# what Pandoc calls it → what a person calls it, and what to do
REFUSED = {
    "Image": ("a picture", "figures come from the data; describe it in words, or link to it"),
    "RawBlock": ("HTML", "write Markdown"),
    "RawInline": ("HTML", "write Markdown"),
    "CodeBlock": ("code (``` or four spaces at the start of a line)", "take the spaces out; quote people with >"),
    "Code": ("code (between backticks)", "use *emphasis* or “quotation marks”"),
}


def folder(params: Params) -> Path:
    """Where the narrative of this edition lies: `report.narrative`, or `narrative/<collaborative>/<edition>`."""
    return Path(params.report.narrative or f"narrative/{params.collaborative}/{params.edition}").expanduser()


def files(params: Params) -> dict[str, Path]:
    """The file of each chapter that has one, in the report's order."""
    found = {name: folder(params) / f"{name}.md" for name in CHAPTERS}
    return {name: path for name, path in found.items() if path.is_file()}


def check(params: Params) -> None:
    """Check names and contents of all files.

    Raises
    ------
    InputError
        with everything that no report can carry: file, line and what to do.
    """
    problems = [*_folder_missing(params), *_strangers(folder(params))]
    for path in files(params).values():
        problems += _problems(path)
    if problems:
        raise InputError(problems)


def read(where: Path) -> dict[str, str]:
    """Chapter → Markdown of a run's copy, written anew so that both renderers read it alike and nothing in it acts."""
    paths = {name: where / f"{name}.md" for name in CHAPTERS}
    found = {name: _rewritten(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.is_file()}
    return {name: text for name, text in found.items() if text}


def check_hidden(where: Path, names: Mapping[str, str]) -> None:
    """Check that a report with coded sites names none in its narrative.

    Parameters
    ----------
    where
        Folder of the files.
    names
        Identifier or name of a site → its code in this report.

    Raises
    ------
    InputError
        with every place where a site is named.
    """
    hidden = {name: code for name, code in names.items() if len(name) >= SHORTEST and not name.isdigit()}
    problems = [
        problem
        for name in CHAPTERS
        if (where / f"{name}.md").is_file()
        for problem in _named(where / f"{name}.md", hidden)
    ]
    if problems:
        raise InputError(problems)


def _named(path: Path, hidden: Mapping[str, str]) -> Iterator[Problem]:
    text = path.read_text(encoding="utf-8")
    for mark in MARKS:
        text = text.replace(mark, "")
    for name, code in hidden.items():
        words = r"\s+".join(re.escape(word) for word in name.split())
        for found in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE):
            yield Problem(
                str(path), "this report shows sites by code", f"write {code}, or set `report.sites: named`",
                text.count("\n", 0, found.start()) + 1, "", name,
            )  # fmt: skip


def _folder_missing(params: Params) -> list[Problem]:
    """A folder that params name must be there; the usual one need not."""
    named = params.report.narrative
    if named is None or folder(params).is_dir():
        return []
    return [Problem(named, "there is no such folder", "make it, or leave `report.narrative` out")]


def _strangers(where: Path) -> list[Problem]:
    """Files that belong to no chapter: a misspelt name would silently be left out."""
    found = sorted(path for path in where.glob("*") if path.is_file() and not path.name.startswith("."))
    return [_stranger(path) for path in found if path.suffix != ".md" or path.stem not in CHAPTERS]


def _stranger(path: Path) -> Problem:
    near = get_close_matches(path.stem.lower(), CHAPTERS, 1)
    fix = f"rename it {near[0]}.md" if near else f"chapters are {', '.join(f'{name}.md' for name in CHAPTERS)}"
    return Problem(str(path), "no chapter of the report has this name", fix)


def _problems(path: Path) -> list[Problem]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return [Problem(str(path), "it cannot be read as UTF-8", "save it as UTF-8")]
    problems = [
        Problem(str(path), "a shortcode of Quarto; the narrative is text", "take it out", row, "", line.strip())
        for row, line in enumerate(text.splitlines(), start=1) if SHORTCODE.search(line)
    ]  # fmt: skip
    for element in _elements(_pandoc(text, f"{READER}+sourcepos", "json")):
        problems += element.problems(path)
    return problems


@dataclass(frozen=True)
class Element:
    """An element of a document: its kind, content and the line it begins on."""

    kind: str
    content: Any
    row: int

    def problems(self, path: Path) -> list[Problem]:
        """Why the report cannot carry it; nothing where it can."""
        if self.kind in REFUSED:
            what, fix = REFUSED[self.kind]
            return [Problem(str(path), f"{what} is not part of a narrative", fix, self.row)]
        if self.kind == "Header" and self.content[0] > DEEPEST:
            return [Problem(str(path), f"a heading of level {self.content[0]}", "use # and ## only", self.row)]
        if self.kind == "Link" and not re.match(r"(https?://|mailto:)", self.content[2][0]):
            target = self.content[2][0]
            return [Problem(str(path), "a link to no web page", "begin it with https://", self.row, "", target)]
        return []


def _elements(document: str) -> Iterator[Element]:
    """Every element of Pandoc's JSON, with the line of the innermost one around it that says where it lies."""

    def walk(node: Any, row: int) -> Iterator[Element]:
        if isinstance(node, dict):
            content = node.get("c")
            row = _row(node, row)
            if "t" in node:
                yield Element(node["t"], content, row)
            yield from walk(content, row)
        elif isinstance(node, list):
            for part in node:
                yield from walk(part, row)

    yield from walk(json.loads(document)["blocks"], 1)


def _row(node: Mapping[str, Any], row: int) -> int:
    """The line in the attribute `data-pos` (`12:1-13:4`) of a node that has attributes; else the line around it."""
    content = node.get("c")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, list) and len(part) == len(("identifier", "classes", "pairs")):
            for pair in part[2] if isinstance(part[2], list) else ():
                found = POSITION.fullmatch(pair[1]) if pair[:1] == ["data-pos"] else None
                row = int(found[1]) if found else row
    return row


def _rewritten(text: str) -> str:
    """The same text as Pandoc's own Markdown, headings below that of the chapter; "" if there is none."""
    shift = f"--shift-heading-level-by={HEADING_SHIFT}"
    return _pandoc(text, READER, "markdown-raw_html-raw_attribute-header_attributes", shift, "--wrap=none").strip()


def _pandoc(text: str, reader: str, writer: str, *options: str) -> str:
    import pypandoc

    command = [pypandoc.get_pandoc_path(), f"--from={reader}", f"--to={writer}", *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=True).stdout
