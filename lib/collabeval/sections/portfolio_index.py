"""The index page of a portfolio: a line for each collaborative, with its finding and the way to its own report."""

from __future__ import annotations

import os
from pathlib import Path

from collabeval import portfolio_file
from collabeval.sections.portfolio import WORD, FunderReport, open_portfolio
from collabeval.sections.report import FrontMatter, Section, blocks, text
from collabeval.statements import numbers
from collabeval.statements import portfolio as say
from collabeval.statements.portfolio_facts import Line

__all__ = ["front_matter", "kicker", "members", "open_portfolio"]


def front_matter(report: FunderReport) -> FrontMatter:
    """The portfolio's title."""
    params = report.published.params
    values = {"title": params.title, "subtitle": f"Portfolio {params.edition}", "author": params.report.author,
              "lang": params.report.language, "date": params.edition}  # fmt: skip
    return FrontMatter(values)


def kicker(report: FunderReport) -> Section:
    """Above the title."""
    return Section(f"::: {{.kicker}}\n[Portfolio {text(report.published.params.edition)}]{{.kicker-left}} "
                   "[Index]{.kicker-right}\n:::")  # fmt: skip


def members(report: FunderReport) -> Section:
    """The way to the report of the portfolio and to that of each collaborative."""
    params = report.published.params
    whole = [f"[{kind.upper()}](<{params.portfolio}-{params.edition}.{kind}>)" for kind in params.report.formats]
    outcomes = {outcome.name: outcome for outcome in portfolio_file.read_members(report.run)}
    lines = {line.member.name: line for line in report.facts.leading}
    rows = []
    for name, asked in params.collaboratives.items():
        outcome = outcomes[name]
        label = next((member.label for member in report.published.members if member.name == name), asked.label or name)
        rows.append(f"## {text(label)}\n\n{text(_finding(lines.get(name), outcome.status, report.facts.nouns))}\n\n"
                    f"{_links(report, asked.link, outcome.folder, outcome.report)}")  # fmt: skip
    return Section(blocks(f"# All together\n\n{text(say.headline(report.facts))}.\n\nThe report of the portfolio: "
                          f"{', '.join(whole)}", "# The collaboratives", *rows))  # fmt: skip


def _finding(line: Line | None, status: str, nouns: tuple[str, str]) -> str:
    if status == "failed":
        return "It could not be evaluated, and is left out of the portfolio."
    if line is None:
        return "Its measures rest on too few sites to be shown."
    ratio = "" if line.ratio is None else f", with {say.less(line.ratio)} of what is not wanted"
    draft = " Its own run is provisional: a draft that must not circulate." if status == "provisional" else ""
    count = line.member.sites
    said = f"{line.view.params.label}: {WORD[line.word]}{ratio}; {numbers.whole(count)} {numbers.plural(count, nouns)}."
    return said + draft


def _links(report: FunderReport, link: str, folder: str, files: tuple[str, ...]) -> str:
    """To its published report, or, where params name none, to the files in `runs/`."""
    if link:
        return f"[Its report](<{link}>)"
    if not files:
        return "No report."
    told = []
    for file in files:
        path = os.path.relpath(Path(folder) / file, report.run.report)
        told.append(f"[{Path(file).suffix[1:].upper()}](<{Path(path).as_posix()}>)")
    return f"Its own report, not published: {', '.join(told)}"
