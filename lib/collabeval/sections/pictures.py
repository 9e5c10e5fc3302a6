"""Figures of sites and of the collaborative: rows from the published tables, words by rule, drawn by `plots`."""

from __future__ import annotations

import pandas as pd

from collabeval import plots
from collabeval.sections.report import Report, figure_text, slug
from collabeval.statements import figures, numbers, phrases
from collabeval.statements import words as slugs
from collabeval.statements.facts import Facts, programme

HALF = 0.5  # of the average: where no recorded ratio lies below, a funnel need not start at zero
OUTSIDE = ("above_998", "below_998")  # flags of the funnel
QUANTILES = ["q025", "q25", "q50", "q75", "q975"]


# the estimand by which sites are shown: what their words rest on, so that no figure contradicts a word
AGAINST_AVERAGE = "against_average"


def site_rows(report: Report, facts: Facts, estimand: str, slot: str) -> pd.DataFrame:
    """One row per site with data now: its estimate, its word in a slot, the tag beside it; best first.

    Columns: label, the quantiles, mean, hidden, word, tag, chance. A site without point estimate is placed by the
    middle of its interval.
    """
    published, view = report.published, facts.view
    rows = published.estimates[
        published.estimates["measure"].eq(view.name) & published.estimates["estimand"].eq(estimand)
    ]
    rows = rows[rows["period"].eq(view.windows.current.label)].rename(columns={"site": "label"})
    named = {site.site: site for site in getattr(facts, slot)}
    rows = rows[rows["label"].isin(named)]
    said = [named[label] for label in rows["label"]]
    rows = rows.assign(
        word=[site.slug for site in said],
        tag=[tag_of(slot, site.slug, phrases.chance_of(site)) for site in said],
        chance=[phrases.chance_of(site) if site.slug in slugs.REMARKABLE else "" for site in said],
        place=rows["q50"].fillna((rows["q025"] + rows["q975"]) / 2),
    )
    best_low = view.params.better == "lower" or estimand == "rank"
    return rows.sort_values(["place", "label"], ascending=[best_low, True]).reset_index(drop=True)


def current_estimates(report: Report, facts: Facts, estimand: str) -> pd.Series:
    """Medians of one estimand in the current window, by site."""
    table = report.published.estimates
    chosen = table["measure"].eq(facts.view.name) & table["estimand"].eq(estimand)
    chosen &= table["period"].eq(facts.labelled_current)
    return table[chosen].set_index("site")["q50"]


def tag_of(slot: str, slug_: str, chance: str) -> str:
    """The text at the right end of a row: a word and its chance where a rule gives one; "not enough data" as it is."""
    if slug_ in slugs.REMARKABLE:
        return f"{slugs.SHORT.get(slug_, slugs.word(slot, slug_))} · {chance}"
    return slugs.word(slot, slug_) if slug_ in {"not_enough_data", "joined_later"} else ""


def caterpillar(report: Report, facts: Facts) -> str:
    """Estimates of all sites with intervals, best on top."""
    benchmark = _benchmark(report, facts)
    words = figures.caterpillar(report.published, facts, benchmark is not None)
    rows = site_rows(report, facts, AGAINST_AVERAGE, "level")[["label", *QUANTILES, "word", "tag"]]
    drawn = plots.caterpillar(rows, figure_text(words, facts.nouns[1]), _ratio_axis(facts), benchmark)
    return report.figure(f"caterpillar-{slug(facts.view)}", words, drawn)


def _ratio_axis(facts: Facts) -> plots.Axis:
    """Ratios to the average site; for means differences from it."""
    view, average = facts.view, f"average {facts.nouns[0]}"
    if view.is_mean:
        label = f"difference from the {average}, {view.params.unit}".rstrip(", ")
        ends = ("lowest", "highest") if view.params.better == "lower" else ("highest", "lowest")
        return plots.Axis(label, "value", 0.0, average, ends=ends)
    fewer, more = f"fewer {view.params.events}", f"more {view.params.events}"
    ends = ("fewest", "most") if view.params.better == "lower" else ("most", "fewest")
    return plots.Axis(f"{fewer} ← ratio to the {average} → {more}", "ratio", 1.0, average, ends=ends)


def _benchmark(report: Report, facts: Facts) -> tuple[float, float] | None:
    """Where the benchmark lies on the axis of the figure: the middle half of its draws, a value for a fixed one."""
    row = programme(report.published, facts.view, "benchmark_against_average")
    return None if row is None else (row.inner_lower, row.inner_upper)


def funnel(report: Report, facts: Facts) -> str:
    """Recorded values against size, with the limits of chance."""
    view = facts.view
    table = report.published.funnel[report.published.funnel["measure"].eq(view.name)]
    exact = table[table["method"].eq("exact")].set_index("site")
    additive = table[table["method"].eq("additive")].set_index("site")["flag"]
    value = exact["observed"] if view.is_mean else exact["observed"] / exact["expected"]
    rows = pd.DataFrame(
        {
            "label": exact.index,
            "expected": exact["denominator" if view.is_mean else "expected"].to_numpy(),
            "ratio": value.to_numpy(),
            "flag": exact["flag"].to_numpy(),
            "flag_overdispersed": additive.reindex(exact.index).to_numpy(),
        }
    )
    counts = zip(exact["observed"], exact["expected"], strict=True)
    rows["tag"] = [_funnel_tag(facts, observed, expected) for observed, expected in counts]
    words = figures.funnel(report.published, facts, *outside_limits(report, facts))
    size, axis = _funnel_axes(facts, far_below=bool(rows["ratio"].min() < HALF))
    drawn = plots.funnel(rows, report.published.curves[view.name], figure_text(words, facts.nouns[1]), size, axis)
    return report.figure(f"funnel-{slug(view)}", words, drawn)


def outside_limits(report: Report, facts: Facts) -> tuple[list[str], list[str]]:
    """Sites outside the 99.8% limits of chance, and those of them outside the over-dispersed limits too."""
    table = report.published.funnel
    rows = table[table["measure"].eq(facts.view.name) & table["flag"].isin(OUTSIDE)]
    far = sorted(rows[rows["method"].eq("exact")]["site"])
    wider = set(rows[rows["method"].eq("additive")]["site"])
    return far, [site for site in far if site in wider]


def _funnel_tag(facts: Facts, observed: float, expected: float) -> str:
    view = facts.view
    if observed != observed:
        return ""
    if view.is_mean:
        return phrases.with_unit(view, observed)
    return f"{numbers.whole(observed)} {view.params.events}, {numbers.decimal(expected, 1)} predicted"


def _funnel_axes(facts: Facts, far_below: bool) -> tuple[plots.Axis, plots.Axis]:
    """What runs across and upwards; upwards from zero unless all recorded values lie near the average."""
    view = facts.view
    if view.is_mean:
        reference = None if facts.rate is None else facts.rate.median
        return (
            plots.Axis(f"{numbers.capital(view.params.cases)} → larger {facts.nouns[1]}", "value", None),
            plots.Axis(numbers.capital(phrases.unit(view)), "value", reference, "average"),
        )
    held = "Observed ÷ predicted" if view.adjusted else "Ratio to the average"
    label = "as predicted" if view.adjusted else "average"
    return (
        plots.Axis(f"Predicted {view.params.events} → larger {facts.nouns[1]}", "value", None, from_zero=True),
        plots.Axis(held, "value", 1.0, label, from_zero=far_below),
    )


def ranks(report: Report, facts: Facts) -> str:
    """Where each site could rank."""
    words = figures.ranks(report.published, facts)
    rows = site_rows(report, facts, "rank", "level")
    rows["tag"] = [f"{low:.0f} to {high:.0f}" for low, high in zip(rows["q025"], rows["q975"], strict=True)]
    rows = rows.assign(place=rows["mean"].fillna(rows["place"])).sort_values(["place", "label"])
    columns = ["label", "q025", "q25", "mean", "q75", "q975", "tag"]
    drawn = plots.ranks(rows[columns], figure_text(words, facts.nouns[1]), places=facts.competing)
    return report.figure(f"ranks-{slug(facts.view)}", words, drawn)
