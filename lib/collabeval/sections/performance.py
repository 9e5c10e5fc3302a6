"""Site performance: words by rule, the funnel, ranks or why not, each site over time, all of them in one table."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from collabeval.sections import pictures, pictures_in_time
from collabeval.sections.by_chance import by_chance
from collabeval.sections.composites import composites
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Report, Section, blocks, callout, slug, text
from collabeval.sections.summary import main_figure_is_trend
from collabeval.statements import cards, covariates, numbers, phrases
from collabeval.statements import words as slugs
from collabeval.statements.facts import Facts, Named

TITLE = "performance"
FEWEST_RANKED = 5
MOST = 0.5  # share of sites whose numbers may be shown, below which a figure of them is left out


@narrated("performance")
def site_performance(report: Report) -> Section:
    """The chapter, one part per measure."""
    noun = numbers.capital(report.lead.nouns[0])
    return Section(
        blocks(
            f"# {text(noun)} {TITLE} {{#sec-sites}}",
            *(_measure(report, facts) for facts in report.facts),
            composites(report),
            by_chance(report),
        )
    )


def _measure(report: Report, facts: Facts) -> str:
    first_page = facts is report.lead and not main_figure_is_trend(report)
    name = slug(facts.view)
    seen = f"The {facts.nouns[1]} are drawn in @fig-caterpillar-{name}, all of them listed in @tbl-sites-{name}."
    return blocks(
        report.heading(facts.view),
        callout("important", "Key message", text(_message(facts))),
        seen if first_page else pictures.caterpillar(report, facts),
        _few_cases(facts),
        _funnel(report, facts),
        _ranking(report, facts),
        _over_time(report, facts),
        _explained(report, facts),
        _table(report, facts),
    )


def _message(facts: Facts) -> str:
    card = cards.for_whom_now(facts)
    return f"{card.answer} {card.text}"


def _few_cases(facts: Facts) -> str:
    few = facts.of("level", "worse_few_cases")
    if not few:
        return ""
    return text(
        f"{phrases.names(few, 6)}: a signal on few cases. The rule for “worse” is met, but the data are too few for "
        "other "
        "words; look at the cases themselves."
    )


def _funnel(report: Report, facts: Facts) -> str:
    """The funnel plot, and the names of the sites outside its limits; the reason where there is none."""
    if not _can_funnel(report, facts):
        return text(_no_funnel(facts))
    far, both = pictures.outside_limits(report, facts)
    said = f" lie outside the 99.8% limits of chance: {numbers.listed(far, len(far))}."
    if both:
        said += f" Outside the over-dispersed limits too: {numbers.listed(both, len(both))}."
    figure = pictures.funnel(report, facts)
    return blocks(figure, f"In @fig-funnel-{slug(facts.view)}{text(said)}" if far else "")


def _can_funnel(report: Report, facts: Facts) -> bool:
    table = report.published.funnel
    rows = table[table["measure"].eq(facts.view.name) & table["method"].eq("exact")]
    return len(rows) > 0 and rows["observed"].notna().mean() >= MOST


def _no_funnel(facts: Facts) -> str:
    return (
        f"No funnel plot is shown: for more than half of the {facts.nouns[1]} the recorded number is too small to be "
        "shown, "
        "and a dot would give it away."
    )


def _ranking(report: Report, facts: Facts) -> str:
    """The rank figure; where ranks would mislead, the reason and how much data a ranking would take."""
    least = report.published.params.rules.minimum_rankability
    if math.isfinite(facts.rankability) and facts.rankability >= least and facts.ranked >= FEWEST_RANKED:
        return pictures.ranks(report, facts)
    return text(_no_ranking(report, facts, least))


def _no_ranking(report: Report, facts: Facts, least: float) -> str:
    if facts.ranked < FEWEST_RANKED:
        return (
            f"No ranking is shown: {numbers.counted(facts.ranked, facts.nouns)} "
            f"{numbers.verb(facts.ranked, ('has', 'have'))} data enough for a rank."
        )
    said = (
        f"No ranking is shown. Of the difference that a typical {facts.nouns[0]} shows, "
        f"{numbers.share_in_words(facts.rankability)} is real ({numbers.percent(facts.rankability)}); a ranking "
        "needs at least "
        f"{numbers.percent(least)}, or places in it would mostly be chance."
    )
    target = report.published.params.rules.target_reliability
    if math.isfinite(facts.denominator_needed):
        said += (
            f" About {numbers.estimated_count(facts.denominator_needed)} {facts.view.params.cases} per "
            f"{facts.nouns[0]} would "
            f"make {numbers.percent(target)} of a shown difference real."
        )
    return said


def _over_time(report: Report, facts: Facts) -> str:
    if facts.change is None or not facts.trajectory:
        return ""
    rows = pictures_in_time.trajectories(report, facts)
    parts = []
    if rows["period"].nunique() >= 4:
        if rows["q50"].notna().mean() >= MOST:
            parts.append(pictures_in_time.small_multiples(report, facts))
        else:
            parts.append(
                text(
                    f"No figure of single {facts.nouns[1]} over time is shown: most recorded numbers are too small "
                    "to be shown."
                )
            )
    if pictures_in_time.change_rows(report, facts)["q50"].notna().mean() >= MOST:
        parts.append(pictures_in_time.change(report, facts))
    return blocks(*parts)


def _explained(report: Report, facts: Facts) -> str:
    """What the covariates of the model go with; nothing where it has none."""
    rows = report.published.threats.covariates
    rows = rows[rows["measure"].eq(facts.view.name)]
    words = report.published.params.rules.probability_words
    lines = [f"- {text(covariates.covariate(facts.view, row, words))}" for _, row in rows.iterrows()]
    if not lines:
        return ""
    intro = "What goes with the result, from differences that nobody assigned (association, not cause):"
    return blocks(
        text(intro), "\n".join(lines), text(covariates.in_the_model(report.published.params.model, facts.nouns))
    )


def _table(report: Report, facts: Facts) -> str:
    view = facts.view
    rows = pictures.site_rows(report, facts, pictures.AGAINST_AVERAGE, "level")
    counts = report.published.counts
    now = counts[counts["measure"].eq(view.name) & counts["window"].eq("current")].set_index("site")
    headings, columns = _columns(report, facts, rows, now)
    table = pd.DataFrame(dict(zip(headings, columns, strict=True)))
    changed = {site.site for site in facts.of("trajectory", "improved", "worsened")}
    bold = [
        word in slugs.REMARKABLE or label in changed for word, label in zip(rows["word"], rows["label"], strict=True)
    ]
    when = f", {numbers.period_name(facts.labelled_current)}" if facts.labelled_current else ""
    return report.table(
        f"sites-{slug(view)}",
        table,
        f"{view.params.label}{when}",
        bold,
        right=[*headings[1 : headings.index("Word")], "Chance"],
    )


def _columns(report: Report, facts: Facts, rows: pd.DataFrame, now: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table of all sites."""
    view = facts.view
    found: dict[str, list[str]] = {numbers.capital(facts.nouns[0]): list(rows["label"])}
    known = now.reindex(rows["label"]).reset_index().to_dict("records")
    if any(row["cases"] == row["cases"] or row["few"] for row in known):
        found[numbers.capital(view.params.cases)] = [count_cell(report, row, "cases") for row in known]
    if view.is_mean:
        mean = pictures.current_estimates(report, facts, "standardised_rate").reindex(rows["label"])
        found["Mean"] = [numbers.decimal(value, phrases.digits(view, value)) for value in mean]
    else:
        found[numbers.capital(view.params.events)] = [count_cell(report, row, "numerator") for row in known]
    places = phrases.difference_digits(rows["q025"], rows["q975"]) if view.is_mean else 2
    found["Difference from average" if view.is_mean else "Ratio to average"] = [
        (numbers.signed if view.is_mean else numbers.decimal)(value, places) for value in rows["q50"]
    ]
    ends = zip(rows["q025"], rows["q975"], rows["hidden"], strict=True)
    found["95% interval"] = [
        numbers.coarse_interval(low, high) if hidden else numbers.interval(low, high, places, sign=view.is_mean)
        for low, high, hidden in ends
    ]
    found["Word"] = [slugs.word("level", word) for word in rows["word"]]
    found["Chance"] = [chance.replace("more than ", ">") or numbers.NOT_ESTIMATED for chance in rows["chance"]]
    if facts.trajectory and view.windows.baseline is not None:
        said = {site.site: site for site in facts.trajectory}
        heading = f"Since {numbers.period_name(view.windows.baseline.label)}"
        found[heading] = [_change_cell(said.get(label)) for label in rows["label"]]
    return list(found), list(found.values())


def _change_cell(site: Named | None) -> str:
    """The word of change with its chance; a dash where none is clear or there is nothing to compare with."""
    if site is None or site.slug not in slugs.REMARKABLE:
        return numbers.NOT_ESTIMATED
    return f"{slugs.word('trajectory', site.slug)}, {phrases.chance_of(site).replace('more than ', '>')}"


def count_cell(report: Report, row: Mapping[Hashable, Any], column: str) -> str:
    """A count as a table shows it: the number, "<11" where it is hidden, ">809" where what is left over is small."""
    value, cases = row[column], row["cases"]
    least = report.published.params.report.minimum_cell
    if value == value:
        return numbers.whole(value)
    if column == "cases":
        return f"<{least}" if row["few"] else numbers.NOT_ESTIMATED
    if not row["hidden"]:
        return numbers.NOT_ESTIMATED
    return f"<{least}" if row["low"] or cases != cases else f">{numbers.whole(cases - least)}"
