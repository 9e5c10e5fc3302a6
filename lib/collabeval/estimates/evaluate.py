"""All results of all measures as tidy tables: what the notebooks call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from collabeval import borderline, words
from collabeval.estimates.covariates import covariate_draws, covariates_of
from collabeval.estimates.events import site_probabilities
from collabeval.estimates.posterior import read
from collabeval.estimates.programme import programme_draws, programme_probabilities, programme_trend
from collabeval.estimates.recorded import recorded_side
from collabeval.estimates.reliability import reliability_error
from collabeval.estimates.sites import Evaluated, evaluated, site_draws
from collabeval.estimates.summaries import as_dataset, summarise
from collabeval.params import Params


@dataclass(frozen=True)
class SiteResults:
    """The tables `site_estimates`, `site_probabilities` and `site_statements` of a run.

    Probabilities with a blank site are of events of the whole collaborative. `otherwise` in the statements holds the
    words a site would have if a probability within Monte Carlo error of its threshold fell the other way.
    """

    estimates: pd.DataFrame
    probabilities: pd.DataFrame
    statements: pd.DataFrame


@dataclass(frozen=True)
class ProgrammeResults:
    """The tables `programme_estimates` and `programme_trend` of a run; chances stand among the sites', site blank."""

    estimates: pd.DataFrame
    trend: pd.DataFrame


def evaluated_measure(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> Evaluated:
    """One measure's draws in all its windows, for results made of several measures."""
    return evaluated(read(params, name, panel, tree), params.rules)


def evaluate_sites(params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]) -> SiteResults:
    """Every estimand, event and word about every site.

    Parameters
    ----------
    panel : DataFrame, the analysed rows of all measures.
    trees : the fit of each measure, by its name; measures without one are left out.
    """
    parts = []
    for name, tree in trees.items():
        found = evaluated(read(params, name, panel, tree), params.rules)
        chances, said = _words(found)
        said = borderline.listed(said, _otherwise(found, chances))
        chances = pd.concat([chances, programme_probabilities(found).assign(site="")], ignore_index=True)
        parts.append((name, (summarise(site_draws(found), found.posterior.mixing), chances, said)))
    return SiteResults(*_together(parts))


def evaluate_words(params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """The table `site_statements` alone, for questions of the kind "would the words change if": ten times as fast."""
    parts = [
        (name, _words(evaluated(read(params, name, panel, tree), params.rules))[1:]) for name, tree in trees.items()
    ]
    return _together(parts)[0]


def _words(found: Evaluated) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Probabilities of the events about sites, and the words that follow from them."""
    chances = site_probabilities(found)
    return chances, words.statements(signals(found, chances), found.posterior.measure, found.rules)


def _otherwise(found: Evaluated, chances: pd.DataFrame) -> pd.DataFrame:
    """Words within Monte Carlo error of those that `_words` gives."""
    errors = chances.pivot(index="site", columns="event", values="mcse").reindex(found.posterior.sites)
    distance = np.abs(found.reliability - found.rules.minimum_reliability)
    near = distance <= borderline.NEAR * reliability_error(found.posterior, found.current)
    unsure = pd.Series(near & found.current.eligible, index=found.posterior.sites)
    return borderline.otherwise(signals(found, chances), errors, unsure, found.posterior.measure, found.rules)


def evaluate_programme(params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]) -> ProgrammeResults:
    """Every estimand about the collaborative as a whole; arguments as in `evaluate_sites`."""
    parts = []
    for name, tree in trees.items():
        found = evaluated(read(params, name, panel, tree), params.rules)
        estimates = summarise(programme_draws(found), found.posterior.mixing).drop(columns="site")
        parts.append((name, (estimates, programme_trend(found.posterior))))
    return ProgrammeResults(*_together(parts))


def reported_draws(params: Params, name: str, panel: pd.DataFrame) -> Callable[[xr.DataTree], xr.Dataset]:
    """A function from a fit of this measure to the draws (chain, draw, site) of every reported quantity.

    Sampling goes on until each of them has effective draws enough. A tree in the midst of sampling may hold its
    posterior only: what it was fitted to is then worked out from the panel.
    """

    covariates = covariates_of(params, name, panel)

    def derive(tree: xr.DataTree) -> xr.Dataset:
        found = evaluated(read(params, name, panel, _with_constants(params, name, panel, tree)), params.rules)
        chains = found.posterior.mixing.chains
        sites = as_dataset(site_draws(found), chains, of="site")
        explained = as_dataset(covariate_draws(found.posterior, covariates), chains, of="model")
        programme = as_dataset(programme_draws(found), chains, of="programme")
        return sites.assign({**programme.data_vars, **explained.data_vars})

    return derive


def reported_together(params: Params, panel: pd.DataFrame) -> dict[str, Callable[[xr.DataTree], xr.Dataset]]:
    """`reported_draws` of each measure that is fitted together with others."""
    return {name: reported_draws(params, name, panel) for name in params.model.together}


def _with_constants(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> xr.DataTree:
    if "constant_data" in tree.children:
        return tree
    from collabeval.fit.predictive import constant_data  # loads PyMC, which only sampling needs
    from collabeval.models.design import read_design

    rows = panel[panel["measure"] == name].reset_index(drop=True)
    design = read_design(rows, params.measures[name].family, params.model)
    groups = {"posterior": tree["posterior"].to_dataset(), "constant_data": constant_data(design)}
    return xr.DataTree.from_dict(groups)


def signals(found: Evaluated, probabilities: pd.DataFrame) -> pd.DataFrame:
    """What the words about each site depend on, one row per site (see `words.statements`)."""
    windows = (found.current, *found.earlier)
    sides = np.stack([recorded_side(found.posterior, draws.window) for draws in windows])
    table = pd.DataFrame(
        {
            "present": found.current.present,
            "enough": found.enough,
            "has_baseline_window": found.baseline is not None,
            "in_baseline": found.in_both,
            "windows": np.sum([draws.present for draws in windows], axis=0),
            "good_in_each": (sides > 0).all(axis=0),
            "bad_in_each": (sides < 0).all(axis=0),
        },
        index=pd.Index(found.posterior.sites, name="site"),
    )
    return table.join(probabilities.pivot(index="site", columns="event", values="probability"))


def _together(parts: Sequence[tuple[str, tuple[pd.DataFrame, ...]]]) -> list[pd.DataFrame]:
    """The tables of each measure under each other, with the measure as first column."""
    kinds = zip(*(tables for _, tables in parts), strict=True)
    joined = []
    for kind in kinds:
        named = [
            table.assign(measure=name)[["measure", *table.columns]]
            for (name, _), table in zip(parts, kind, strict=True)
        ]
        filled = [table for table in named if len(table)]
        joined.append(pd.concat(filled, ignore_index=True) if filled else named[0])
    return joined
