"""All scorecards of an evaluation from its tables and draws: what the notebook calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.errors import CollabevalError
from collabeval.estimates.posterior import Posterior, read
from collabeval.panel import windows
from collabeval.params import Params
from collabeval.params.scorecards import Scorecard, Source, better, directions
from collabeval.scorecard import tables
from collabeval.scorecard.indicated import of_indicator
from collabeval.scorecard.measured import of_measure
from collabeval.scorecard.score import Scored, score
from collabeval.scorecard.signals import signals_table
from collabeval.scorecard.summary import Summarised, summary_table
from collabeval.scorecard.values import Values
from collabeval.scorecard.waivers import Span, spans_of, waived

DRAWS = 2000  # at most; a chance of one half then has a Monte Carlo error of 0.011
FEWEST = 400  # where thousands of sites would not fit into memory otherwise; the error is then 0.025
CELLS = 40_000_000  # lines times sites times draws held at once: a third of a gigabyte
NAMES = ("scorecard_sites", "scorecard_tiers", "scorecard_parts", "scorecard_summary", "scorecard_signals")


@dataclass(frozen=True)
class Inputs:
    """What every scorecard of one evaluation is scored from."""

    params: Params
    sites: pd.DataFrame
    posteriors: Mapping[str, Posterior]
    indicators: pd.DataFrame | None
    waivers: pd.DataFrame | None
    window: Span

    @property
    def codes(self) -> np.ndarray:
        return self.sites["site"].to_numpy(str)

    @property
    def draws(self) -> int:
        """Draws of every line: those of the fit with the fewest, at most `DRAWS`, fewer for thousands of sites."""
        lines = max(len(card.parts) for card in self.params.scored.values())
        room = max(FEWEST, CELLS // (lines * max(len(self.sites), 1)))
        return min([DRAWS, room, *(posterior.draws for posterior in self.posteriors.values())])


def evaluate_scorecards(
    params: Params,
    sites: pd.DataFrame,
    panel: pd.DataFrame,
    trees: Mapping[str, xr.DataTree],
    further: Mapping[str, pd.DataFrame],
) -> dict[str, pd.DataFrame]:
    """The five results tables by name.

    Parameters
    ----------
    sites, panel : the tables of the run. trees : the fits, at least of the measures that scorecards look at.
    further : the tables `indicators` and `waivers`, where they are given.

    Raises
    ------
    CollabevalError
        if the table of sites lacks a column, or the table of indicators an indicator, that a scorecard looks at.
    """
    inputs = Inputs(
        params=params,
        sites=sites,
        posteriors={name: read(params, name, panel, trees[name]) for name in measures_scored(params)},
        indicators=further.get("indicators"),
        waivers=further.get("waivers"),
        window=_window(params, panel),
    )
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in NAMES}
    for name, card in params.scored.items():
        _check_columns(name, card, sites)
        scored = scored_by(inputs, name)
        lines = {code: part.model_copy(update={"between": "line"}) for code, part in card.parts.items()}
        on_lines = scored_by(inputs, name, card.model_copy(update={"parts": lines}))
        found["scorecard_sites"].append(tables.sites_table(scored))
        found["scorecard_tiers"].append(tables.tiers_table(scored))
        found["scorecard_parts"].append(tables.parts_table(scored))
        found["scorecard_summary"].append(summary_table(Summarised(scored, on_lines)))
        found["scorecard_signals"].append(
            signals_table(scored, inputs.posteriors, _waived(inputs), _generator(inputs, f"{name} signals"))
        )
    return {name: _together(parts) for name, parts in found.items()}


def measures_scored(params: Params) -> list[str]:
    """The measures that any line or gate looks at, in the order of params."""
    used = {code for card in params.scored.values() for kind, code in map(_source, _lines(card).values())
            if kind == "measure"}  # fmt: skip
    return [name for name in params.measures if name in used]


def scored_by(inputs: Inputs, name: str, card: Scorecard | None = None) -> Scored:
    """One scorecard scored; `card` instead of the one params hold under this name."""
    card = card or inputs.params.scorecards[name]
    values = {place: _values(inputs, line) for place, line in _lines(card).items()}
    return score(name, card, values, inputs.sites, _directions(inputs.params))


def _lines(card: Scorecard) -> dict[str, Source]:
    parts: dict[str, Source] = {f"parts.{code}": part for code, part in card.parts.items()}
    return parts | {f"gates.{code}": gate for code, gate in card.gates.items()}


def _source(line: Source) -> tuple[str, str]:
    return line.source


def _directions(params: Params) -> Callable[[Source], str]:
    known = directions(params.indicators)
    return lambda line: better(line, params.measures, known)


def _values(inputs: Inputs, line: Source) -> Values:
    kind, code = line.source
    if kind == "scorecard":
        return scored_by(inputs, code).as_values()
    if kind == "measure":
        values = of_measure(inputs.posteriors[code], inputs.codes, inputs.waivers, inputs.params.periods)
        order = "fitted together" if code in inputs.params.model.together else code
        return _thinned(values, inputs.draws, _generator(inputs, order))
    if inputs.indicators is None or not inputs.indicators["indicator"].eq(code).any():
        raise CollabevalError(f"a scorecard looks at {code}, and the table of indicators has no row of it")
    generator = _generator(inputs, code)
    return of_indicator(inputs.indicators, line, inputs.codes, inputs.window, inputs.waivers, generator, inputs.draws)


def _thinned(values: Values, draws: int, generator: np.random.Generator) -> Values:
    """So many draws in random order: separate fits are independent, and no order of theirs may pair them up.

    Measures fitted together have the same number of draws and get the same order, so their draws stay pairs.
    """
    chosen = generator.permutation(values.draws.shape[1])[:draws]
    return Values(values.observed, values.draws[:, chosen], values.cases, values.weight, values.waived, values.per)


def _generator(inputs: Inputs, name: str) -> np.random.Generator:
    """The same draws of the same source wherever it is looked at, so that two lines on it agree in every draw."""
    return np.random.default_rng([inputs.params.sampling.seed, *name.encode()])


def _window(params: Params, panel: pd.DataFrame) -> Span:
    """First day and day after the last of the current window; None without periods."""
    if params.periods.length == "none":
        return None
    ends = windows(params.periods, panel).current.label.split("/")
    first, last = (span for span in spans_of([ends[0], ends[-1]], params.periods) if span)
    return first[0], last[1]


def _waived(inputs: Inputs) -> dict[str, np.ndarray]:
    """Which periods of its window are waived for each site, by measure."""
    periods = inputs.params.periods
    return {
        name: waived(inputs.waivers, name, list(inputs.codes), spans_of(found.windows.current.periods, periods))
        for name, found in inputs.posteriors.items()
    }


def _check_columns(name: str, card: Scorecard, sites: pd.DataFrame) -> None:
    units = {line.unit for line in _lines(card).values()}
    needed = {"group": card.group_column, "region": card.region_column}
    columns = [column for unit, column in needed.items() if unit in units]
    columns += [card.money.column] if card.money.column else []
    missing = [column for column in columns if column not in sites]
    if missing:
        raise CollabevalError(
            f"the scorecard {name} needs the column {', '.join(missing)} of the table of sites, which it does not have"
        )
    if card.money.column and not pd.api.types.is_numeric_dtype(sites[card.money.column]):
        raise CollabevalError(f"the column {card.money.column} of the table of sites is not all numbers")


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]
