"""Words that other priors and likelihoods would change: shown where the grid has been run on the same data."""

from __future__ import annotations

import pandas as pd

from collabeval.disclosure import Compared
from collabeval.run_folder import RunFolder
from collabeval.sections.report import Report, blocks, text, write_table
from collabeval.statements import alternatives, numbers

COMMAND = "collabeval compare --sensitivity"


def sensitivity(report: Report) -> str:
    """The part of the chapter Diagnostics: the table of statements that would change."""
    compared = report.compared
    title = "## Other priors and likelihoods {#sec-sensitivity}"
    if compared is None:
        return blocks(title, f"Not assessed. `{COMMAND}` fits a grid of other priors and likelihoods to the same data.")
    noun = report.lead.nouns
    return blocks(
        title,
        text(finding(compared, noun)),
        words_table(report.run, compared),
        unnamed(compared, noun),
        models_table(report.run, compared),
    )


def models_table(run: RunFolder, compared: Compared) -> str:
    """What each model beside that of params has otherwise."""
    rows = [(alternatives.name(name), alternatives.difference(compared.params, name)) for name in compared.others]
    table = pd.DataFrame(rows, columns=["Model", "What it has otherwise"])
    return write_table(run, "models", table, "Models fitted beside the one of params")


def finding(compared: Compared, nouns: tuple[str, str]) -> str:
    """How many words some model would change, and about how many sites (of those that may be named)."""
    sites = compared.published.changes[["site"]].drop_duplicates()
    return alternatives.finding(compared.changed(), len(sites), len(compared.others), nouns)


def words_table(run: RunFolder, compared: Compared) -> str:
    """The same as Markdown; "" where there is no such word."""
    table, changes = changed_words_table(compared), compared.published.changes
    if table.empty:
        return ""
    return blocks(write_table(run, "sensitivity", table, "Words that would be others"), _on_chance(changes))


def changed_words_table(compared: Compared) -> pd.DataFrame:
    """One line for each site, slot and change, with the models under which it happens."""
    changes = compared.published.changes
    labels = {name: measure.label for name, measure in compared.params.measures.items()}
    rows = []
    for (measure, site, slot, now, then), found in changes.groupby(["measure", "site", "slot", "now", "then"]):
        under = numbers.listed(map(alternatives.name, found["alternative"]))
        said = alternatives.change(str(slot), str(now), str(then))
        rows.append((labels[str(measure)], str(site), str(slot), said, under, "yes" if found["chance"].all() else ""))
    table = pd.DataFrame(rows, columns=["Measure", "Site", "About", "Word → other word", "Under", "Chance alone"])
    table = table.drop(columns="Measure") if len(labels) == 1 else table
    return table if changes["chance"].any() else table.drop(columns="Chance alone")


def _on_chance(changes: pd.DataFrame) -> str:
    if not changes["chance"].any():
        return ""
    return text("Chance alone: the two words lie within Monte Carlo error, so that another seed could do the same.")


def unnamed(compared: Compared, nouns: tuple[str, str]) -> str:
    """How many changes may not be named."""
    number = compared.published.unnamed
    if not number:
        return ""
    said, verb = numbers.capital(numbers.number_word(number)), numbers.plural(number, ("is", "are"))
    return text(f"{said} of these words, about {nouns[1]} whose counts are not shown, {verb} not named.")
