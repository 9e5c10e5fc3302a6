"""Score one scorecard: values of its lines in, points, awards and money of every site out, as recorded and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.params.scorecards import Gate, Part, Scorecard, Source
from collabeval.scorecard.combine import Lines, award_of, money_of, total
from collabeval.scorecard.points import points_of, reached, tier_of
from collabeval.scorecard.values import Values, pooled

Directions = Callable[[Source], str]
STATUSES = ("scored", "waived", "missing", "few")


@dataclass(frozen=True)
class PartScore:
    """One line, for J sites and S draws. `status` says whether it was scored, and if not, why."""

    code: str
    part: Part
    better: str
    sites: np.ndarray  # (J,) text
    values: Values  # of the unit that is scored
    status: np.ndarray  # (J,) text of STATUSES
    counted: np.ndarray  # (J,) bool: not skipped
    points: np.ndarray  # (J,) on the data
    drawn: np.ndarray  # (J, S) or (J, 1)
    tier: np.ndarray  # (J,) on the data: 0 none, k-th from the easiest
    drawn_tier: np.ndarray  # as `drawn`

    @property
    def scored(self) -> np.ndarray:
        return self.status == "scored"


@dataclass(frozen=True)
class GateScore:
    """One gate: which sites pass on the data (J,) and in each draw (J, S) or (J, 1)."""

    code: str
    gate: Gate
    values: Values
    passed: np.ndarray
    drawn: np.ndarray


@dataclass(frozen=True)
class Scored:
    """One scorecard, for J sites and S draws."""

    name: str
    card: Scorecard
    sites: np.ndarray  # (J,) text
    parts: tuple[PartScore, ...]
    gates: tuple[GateScore, ...]
    points: np.ndarray  # (J,) on the data; NaN where every line is skipped
    drawn: np.ndarray  # (J, S)
    at_stake: np.ndarray  # (J,) money at full points from a column of the table of sites, else 0

    @property
    def award(self) -> np.ndarray:
        """Award on the data (J,): 0 for none, k-th from the lowest."""
        return award_of(self.card, self.points)

    @property
    def drawn_award(self) -> np.ndarray:
        return award_of(self.card, self.drawn)

    @property
    def money(self) -> np.ndarray:
        """Money on the data (J,)."""
        return money_of(self.card, self.points[:, None], self.at_stake)[:, 0]

    @property
    def drawn_money(self) -> np.ndarray:
        return money_of(self.card, self.drawn, self.at_stake)

    @property
    def has_points(self) -> np.ndarray:
        return np.isfinite(self.points)

    def as_values(self) -> Values:
        """The percentage of its points, for a scorecard that counts this one."""
        share, drawn = 100 * self.points / self.card.total, 100 * self.drawn / self.card.total
        weight = self.has_points.astype(float)
        return Values(share, drawn, weight, weight, np.zeros(len(share), dtype=bool))


def score(name: str, card: Scorecard, values: Mapping[str, Values], sites: pd.DataFrame, better: Directions) -> Scored:
    """Score every site.

    Parameters
    ----------
    values : by line: `parts.<code>` and `gates.<code>`; sites in the order of `sites`, draws of all lines that have
        draws equally many, and draw s of one line belonging to draw s of every other.
    sites : DataFrame with site, the columns of groups and regions, and that of the money at stake, as far as named.
    better : the direction of a line, from its measure where it does not say.
    """
    codes = sites["site"].to_numpy(str)
    parts = tuple(
        _part(code, part, _of_unit(part, values[f"parts.{code}"], card, sites), better(part), card.waived, codes)
        for code, part in card.parts.items()
    )
    gates = tuple(
        _gate(code, gate, _of_unit(gate, values[f"gates.{code}"], card, sites), better(gate))
        for code, gate in card.gates.items()
    )
    worth = np.array([part.part.worth for part in parts])
    counted = np.stack([part.counted for part in parts])
    recorded = Lines(np.stack([part.points[:, None] for part in parts]), counted, worth, np.ones((len(sites), 1)))
    drawn = Lines(_stacked([part.drawn for part in parts]), counted, worth, np.ones((len(sites), 1)))
    stake = sites[card.money.column].to_numpy(float) if card.money.column else np.zeros(len(sites))
    return Scored(
        name=name,
        card=card,
        sites=codes,
        parts=parts,
        gates=gates,
        points=total(card, _gated(recorded, card, [(gate.gate, gate.passed[:, None]) for gate in gates]))[:, 0],
        drawn=total(card, _gated(drawn, card, [(gate.gate, gate.drawn) for gate in gates])),
        at_stake=np.nan_to_num(stake),
    )


def _of_unit(line: Source, values: Values, card: Scorecard, sites: pd.DataFrame) -> Values:
    """The values that count: a site's own, or the mean of its unit; without chance for what simply happened."""
    if isinstance(line, Part | Gate) and line.kind == "participation":
        values = values.exact
    if line.unit == "site":
        return values
    columns = {"group": card.group_column, "region": card.region_column}
    units = np.full(len(sites), "all") if line.unit == "collaborative" else _texts(sites[columns[line.unit]])
    return pooled(values, units, line.mean)


def _texts(column: pd.Series) -> np.ndarray:
    return column.fillna("").astype(str).to_numpy(str)


def _status(line: Source, values: Values) -> np.ndarray:
    missing = ~np.isfinite(values.observed)
    few = values.cases < line.minimum
    return np.select([values.waived, missing, few], ["waived", "missing", "few"], "scored")


def _part(code: str, part: Part, values: Values, better: str, waived: str, sites: np.ndarray) -> PartScore:
    status = _status(part, values)
    ways = {"scored": "", "waived": waived, "missing": part.without_data, "few": part.few}
    way = np.array([ways[name] for name in status])
    points, drawn = points_of(values.observed, part, better), points_of(values.draws, part, better)
    for name, given in (("full", part.worth), ("zero", 0.0), ("skip", 0.0)):
        points = np.where(way == name, given, points)
        drawn = np.where((way == name)[:, None], given, drawn)
    return PartScore(
        code=code,
        part=part,
        better=better,
        sites=sites,
        values=values,
        status=status,
        counted=way != "skip",
        points=points,
        drawn=drawn,
        tier=tier_of(values.observed, part, better),
        drawn_tier=tier_of(values.draws, part, better),
    )


def _gate(code: str, gate: Gate, values: Values, better: str) -> GateScore:
    """A gate that is waived is open."""
    status, at = _status(gate, values), np.array([gate.at])
    passed, drawn = reached(values.observed, at, better)[:, 0], reached(values.draws, at, better)[..., 0]
    unknown = (status == "missing") | (status == "few")
    for where, opens in ((unknown, gate.missing == "passes"), (status == "waived", True)):
        passed, drawn = np.where(where, opens, passed), np.where(where[:, None], opens, drawn)
    return GateScore(code, gate, values, passed.astype(bool), drawn.astype(bool))


def _gated(lines: Lines, card: Scorecard, gates: list[tuple[Gate, np.ndarray]]) -> Lines:
    """Lines after their gates: points of guarded lines, or what is left of the whole."""
    points, kept = lines.points, lines.kept
    for gate, passed in gates:
        left = np.where(passed, 1.0, gate.keeps)
        if not gate.parts:
            kept = kept * left
            continue
        guarded = np.array([code in gate.parts for code in card.parts])[:, None, None]
        points = points * np.where(guarded, left[None, :, :], 1.0)
    return Lines(points, lines.counted, lines.worth, kept)


def _stacked(drawn: list[np.ndarray]) -> np.ndarray:
    """Draws of all lines (P, J, S): what is known without error is the same in every draw."""
    return np.stack(np.broadcast_arrays(*drawn))
