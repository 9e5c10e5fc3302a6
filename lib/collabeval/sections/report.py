"""What every section works with: the published view of a run, its facts, and ways to put text, figures, tables down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from collabeval import narrative, plots, tables
from collabeval.analysis_plan import Entry, history_file, read
from collabeval.disclosure import Compared, MeasureView, Published
from collabeval.run_folder import RunFolder, written_whole
from collabeval.statements import numbers
from collabeval.statements.facts import Facts, gather
from collabeval.statements.figures import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Section:
    """Markdown of one section, as a notebook cell shows it."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown


@dataclass(frozen=True)
class Missing:
    """A section left out: why, and what data would fill it. It shows nothing; the list of what is missing names it."""

    section: str
    why: str
    needs: str

    def _repr_markdown_(self) -> str:
        return ""


@dataclass(frozen=True)
class FrontMatter:
    """The report's title and language, for the head of the document."""

    values: dict[str, str]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"application/vnd.collabeval.front-matter+json": self.values, "text/plain": ""}


@dataclass(frozen=True)
class Report:
    """One report: what may be shown, the facts of each measure, and where its figures and tables are written.

    ``compared`` is what a grid of other priors and likelihoods found, where one has been run; ``plan`` the history of
    the analysis plan; ``narrative`` the evaluator's words, Markdown by chapter.
    """

    published: Published
    run: RunFolder
    facts: tuple[Facts, ...]
    compared: Compared | None = None
    plan: tuple[Entry, ...] = ()
    narrative: Mapping[str, str] = field(default_factory=dict)

    @property
    def lead(self) -> Facts:
        return self.facts[0]

    def heading(self, view: MeasureView) -> str:
        """A sub-heading naming the measure; none where the report has only one."""
        return "" if len(self.facts) == 1 else f"## {text(view.params.label)}"

    def figure(self, name: str, words: Words, drawn: Figure) -> str:
        """Write a figure and its alt text; give the Markdown that shows it, with its note as the caption."""
        with written_whole(self.run.figures / f"{name}.svg") as part:
            plots.save_svg(drawn, part)
        write_text(self.run.figures / f"{name}.txt", f"{words.alt}\n")
        alt = words.alt.replace("\\", "").replace('"', "'")
        return f'![{text(words.note)}](figures/{name}.svg){{#fig-{name} fig-alt="{alt}"}}'

    def table(
        self,
        name: str,
        table: pd.DataFrame,
        caption: str,
        bold: Sequence[bool] | None = None,
        right: Sequence[str] = (),
    ) -> str:
        """Write a table as CSV; give the Markdown that shows it."""
        return write_table(self.run, name, table, caption, bold, right)


def write_table(
    run: RunFolder,
    name: str,
    table: pd.DataFrame,
    caption: str,
    bold: Sequence[bool] | None = None,
    right: Sequence[str] = (),
) -> str:
    """Write a table of a run as CSV; give the Markdown that shows it."""
    write_text(run.tables / f"{name}.csv", table.to_csv(index=False))
    return tables.wide(tables.pipe_table(table, text(caption), name, bold, right))


def from_published(published: Published, run: RunFolder, compared: Compared | None = None) -> Report:
    """A report on what may be shown."""
    facts = tuple(gather(published, view) for view in published.measures)
    return Report(published, run, facts, compared, read(history_file(run)), narrative.read(run.narrative))


def figure_text(words: Words, noun: str) -> plots.FigureText:
    """What is drawn of a figure's words: its note is the caption and not part of the picture."""
    return plots.FigureText(title=words.title, subtitle=words.subtitle, alt=words.alt, noun=noun)


def write_text(path: Path, content: str) -> None:
    """Write one text file of the run, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(content, encoding="utf-8", newline="\n")


def text(sentence: str) -> str:
    """A sentence as Markdown that reads literally, year ranges unbroken."""
    return tables.escaped(numbers.unbroken_years(sentence))


def blocks(*parts: str) -> str:
    """Blocks of Markdown with a blank line between; empty ones are left out."""
    return "\n\n".join(part for part in parts if part)


def callout(kind: str, title: str, content: str) -> str:
    """A note (grey), key message (important) or amber warning."""
    return f'::: {{.callout-{kind} appearance="simple" icon=false title="{title}"}}\n\n{content}\n\n:::'


def slug(view: MeasureView) -> str:
    """A measure's name as part of a figure's or table's name."""
    return slugged(view.name)


def slugged(name: str) -> str:
    """A name of params as part of a figure's or table's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
