"""The report of a portfolio: the first page, and outcomes of the collaboratives side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from collabeval import plots
from collabeval.disclosure.portfolio import PublishedPortfolio, publish_portfolio
from collabeval.portfolio.gather import read_found, read_tables
from collabeval.portfolio.members import open_funder
from collabeval.run_folder import RunFolder, written_whole
from collabeval.sections.report import FrontMatter, Section, blocks, callout, figure_text, text, write_table, write_text
from collabeval.sections.summary import card_block
from collabeval.statements import checks, numbers, phrases
from collabeval.statements import portfolio as say
from collabeval.statements import portfolio_parts as parts
from collabeval.statements.facts import Estimate
from collabeval.statements.figures import Words
from collabeval.statements.portfolio_facts import Line, PortfolioFacts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORD = {
    "better": "better than without it", "worse": "worse than without it", "close": "no difference that matters",
    "improved": "improved", "worsened": "worsened", "unclear": "cannot be told", "no_clear_change": "cannot be told",
    "in_doubt": "in doubt: trends differed before", "not_estimable": "not estimable",
}  # fmt: skip


@dataclass(frozen=True)
class FunderReport:
    """One portfolio: what may be shown, and where its figures and tables are written."""

    facts: PortfolioFacts
    run: RunFolder

    @property
    def published(self) -> PublishedPortfolio:
        return self.facts.published

    def table(self, name: str, table: pd.DataFrame, caption: str, right: tuple[str, ...] = ()) -> str:
        return write_table(self.run, name, table, caption, right=right)

    def figure(self, name: str, words: Words, drawn: Figure) -> str:
        """Write a figure and its alt text; give the Markdown that shows it, with its note as the caption."""
        with written_whole(self.run.figures / f"{name}.svg") as part:
            plots.save_svg(drawn, part)
        write_text(self.run.figures / f"{name}.txt", f"{words.alt}\n")
        alt = words.alt.replace("\\", "").replace('"', "'")
        return f'![{text(words.note)}](figures/{name}.svg){{#fig-{name} fig-alt="{alt}"}}'

    def words_of(self, words: Words) -> plots.FigureText:
        return figure_text(words, "collaboratives")


def open_portfolio(run_folder: str) -> FunderReport:
    """Open a portfolio's run for its report: everything passes disclosure control here."""
    _, run, tables = read_tables(run_folder)
    published = publish_portfolio(open_funder(run_folder), tables, read_found(run))
    return FunderReport(PortfolioFacts(published), RunFolder(Path(run_folder)))


def front_matter(report: FunderReport) -> FrontMatter:
    """The finding as the document's title."""
    params = report.published.params
    return FrontMatter(
        {
            "title": say.headline(report.facts),
            "subtitle": f"{params.title}. Portfolio {params.edition}, funder edition",
            "author": params.report.author,
            "lang": params.report.language,
            "date": params.edition,
        }
    )


def kicker(report: FunderReport) -> Section:
    """Above the title: whose report this is, and a banner where a blocking check failed."""
    params = report.published.params
    line = f"::: {{.kicker}}\n[{text(params.title)}]{{.kicker-left}} "
    line += f"[Portfolio {text(params.edition)} · funder edition]{{.kicker-right}}\n:::"
    return Section(blocks(banner(report), line))


def banner(report: FunderReport) -> str:
    """The red banner of a provisional report; "" where every blocking check passed."""
    rows = report.published.diagnostics
    failed = rows[rows["level"].eq("blocking") & ~rows["passed"].astype(bool)]
    if failed.empty:
        return ""
    named = [
        f"{numbers.lower_first(checks.name(str(row['check'])))} ({row['model']})" for row in failed.to_dict("records")
    ]
    what = text(f"Do not circulate. The estimates below may change. Checks that failed: {numbers.listed(named, 4)}.")
    return f"::: {{.banner}}\n[Provisional: a check failed]{{.banner-title}}\n\n{what}\n:::"


def summary(report: FunderReport) -> Section:
    """Lead, the five cards, the main figure, how to read it."""
    facts = report.facts
    answers = say.cards(facts, parts.actions(facts))
    return Section(
        blocks(
            f"::: {{.lead}}\n{text(say.lead(facts))}\n:::",
            ":::: {.cards}\n\n" + "\n\n".join(card_block(card) for card in answers) + "\n\n::::",
            _outcomes_figure(report),
            how_to_read(report),
        )
    )


def how_to_read(report: FunderReport) -> str:
    """The grey note under the first figure."""
    return callout(
        "note",
        "How to read this page",
        text(
            f"{numbers.chance(0.16)}: of 100 statements made with this much confidence, about 16 turn out true. Every "
            "collaborative was evaluated on its own, by its own data and rules; this page lays results side by side. "
            "Their measures differ, so that what is compared is by how much each has less of what it does not want. "
            f"No {report.facts.nouns[0]} can be told from this report."
        ),
    )


def _outcomes_figure(report: FunderReport) -> str:
    lines = [line for line in report.facts.leading if line.ratio is not None]
    if not lines:
        return ""
    rows = pd.DataFrame([{"label": line.member.label, **quantiles(line.ratio), "word": _mark(line.word),
                          "tag": _tag(line)} for line in lines])  # fmt: skip
    words = parts.outcomes_figure(report.facts)
    axis = plots.Axis(label="less of what is not wanted ← ratio → more of it", reference_label="as without it"
                      if report.facts.basis == "effect" else "as at baseline")  # fmt: skip
    return report.figure("portfolio-outcomes", words, plots.caterpillar(rows, report.words_of(words), axis))


def quantiles(estimate: Estimate | None) -> dict[str, float]:
    """An estimate as the columns that figures take."""
    found = estimate or Estimate(*[float("nan")] * 5)
    return {"q025": found.lower, "q25": found.inner_lower, "q50": found.median, "q75": found.inner_upper,
            "q975": found.upper}  # fmt: skip


def _mark(word: str) -> str:
    """The slug that marks know: a word without decision is neutral."""
    return word if word in ("better", "worse", "improved", "worsened") else "unclear"


def _tag(line: Line) -> str:
    if not (line.good or line.bad):
        return ""
    word = "better" if line.word == "better" else "worse" if line.word == "worse" else line.word
    return f"{word} · {numbers.chance_short(max(line.chance, 1 - line.chance))}"


def outcomes(report: FunderReport) -> Section:
    """The chapter: every measure of every collaborative, change and effect."""
    facts = report.facts
    good, bad, rest = say.split(facts.leading)
    message = f"{say.headline(facts)}. {say.expected_wrong(say.wrongly(facts.leading), len(good) + len(bad))}"
    apart = f" Cannot be told: {numbers.listed([line.member.label for line in rest], 4)}." if rest else ""
    changes, effects = _changes_table(report), _effects_table(report)
    return Section(
        blocks(
            "# Outcomes side by side {#sec-outcomes}",
            callout("important", "Key message", text(message + apart)),
            "The leading measures are drawn in @fig-portfolio-outcomes." if facts.leading else "",
            "## Change since baseline",
            changes,
            "## Effect of the programme" if effects else "",
            effects,
            _withheld(report),
            _improve("Comparators, or sites that join at different times, turn change into effect."),
        )
    )


def _improve(sentence: str) -> str:
    return callout("note", "What would improve this", text(sentence))


def _changes_table(report: FunderReport) -> str:
    rows = []
    for line in report.facts.lines("change"):
        rows.append({
            "Collaborative": line.member.label, "Measure": line.view.params.label, "Per": _per(line),
            "Baseline": _rate(line, line.baseline), "Now": _rate(line, line.now),
            "Not wanted, against baseline": numbers.NOT_ESTIMATED if line.ratio is None else say.less(line.ratio),
            "In words": WORD[line.word],
            "Chance it improved": numbers.chance_short(line.chance),
        })  # fmt: skip
    right = ("Baseline", "Now", "Chance it improved")
    return report.table("portfolio-changes", pd.DataFrame(rows), "Change of every measure, with 95% intervals", right)


def _per(line: Line) -> str:
    return line.view.params.unit if line.view.is_mean else f"{line.view.base:,}"


def _rate(line: Line, rate: Estimate | None) -> str:
    return (
        numbers.NOT_ESTIMATED if rate is None else numbers.decimal(rate.median, phrases.digits(line.view, rate.median))
    )


def _effects_table(report: FunderReport) -> str:
    """The effects, where any collaborative has one."""
    lines = [line for line in report.facts.lines("effect") if line.word != "not_estimable"]
    if not lines:
        return ""
    rows = []
    for line in lines:
        avoided = report.facts.estimate(line.member, line.view, "events_avoided")
        events = avoided is not None and not line.view.is_mean
        rows.append({
            "Collaborative": line.member.label, "Measure": line.view.params.label,
            "Not wanted, against without it": numbers.NOT_ESTIMATED if line.ratio is None else say.less(line.ratio),
            "Events avoided": _avoided(line, avoided) if events and avoided else numbers.NOT_ESTIMATED,
            "In words": WORD[line.word],
            "Chance it is better": numbers.chance_short(line.chance),
        })  # fmt: skip
    right = ("Events avoided", "Chance it is better")
    return report.table("portfolio-effects", pd.DataFrame(rows), "Effect on every measure, with 95% intervals", right)


def _avoided(line: Line, avoided: Estimate) -> str:
    """Events not wanted that were avoided; where more is better, events won."""
    sign = 1 if line.view.params.better == "lower" else -1
    ends = sorted((sign * avoided.lower, sign * avoided.upper))
    low, high = (numbers.decimal(round(end, -1 if abs(end) >= 100 else 0), 0) for end in ends)
    return f"{numbers.estimated_count(sign * avoided.median)} ({low}{numbers.NO_BREAK}to{numbers.NO_BREAK}{high})"


def _withheld(report: FunderReport) -> str:
    found = [f"{label} ({member.label})" for member in report.published.members for label in member.withheld]
    if not found:
        return ""
    fewest = report.published.params.report.minimum_sites
    return text(f"Not shown, since it rests on fewer than {numbers.number_word(fewest)} {report.facts.nouns[1]}: "
                f"{numbers.listed(found, 6)}.")  # fmt: skip
