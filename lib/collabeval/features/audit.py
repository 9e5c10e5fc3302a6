"""Records abstracted twice: agreement by field and by site, beyond chance where chance is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from collabeval.features.results import Results, Rows
from collabeval.features.waves import Waves, half_normal, two_waves
from collabeval.fit.grouped import sample_grouped
from collabeval.models.grouped import Floats, Grouped, GroupedDraws, Term, used_priors
from collabeval.params import Params
from collabeval.quadrature.effects import group_effects

KEYS = ("field", "site", "period", "years_back")
PERCENT = 100.0
INTERCEPT_SD, CHANGE_SD = 1.5, 1.0
PRIORS = {
    "cell_sd": half_normal(0.5),
    "site_sd": half_normal(0.5),
    "field_sd": half_normal(1.0),
    "site_change_sd": half_normal(0.3),
    "field_change_sd": half_normal(0.3),
}
CELL = ["site", "field", "wave"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Audited:
    """Share agreed, draws (S, G), in each cell of site, field and wave that was audited; and the cells (G rows)."""

    cells: pd.DataFrame
    shares: Floats

    def mean(self, keep: np.ndarray, values: Floats) -> Floats:
        """Mean (S,) over some cells: first over the sites of each field, by records checked, then over the fields.

        Fields weigh as in the last wave, so that sites audited on different fields are compared on the same.
        """
        own, total, whole = self.cells[keep], np.zeros(len(values)), 0.0
        for field, rows in own.groupby("field"):
            weight = float(self.cells.loc[self.cells["field"].eq(field), "field_weight"].iloc[0])
            at = rows.index.to_numpy()
            total += weight * np.average(values[:, at], axis=1, weights=rows["checked"])
            whole += weight
        return np.asarray(total / whole)


def audit_design(cells: pd.DataFrame) -> Grouped:
    """The binomial model of agreement (models/audit.py); every cell is a group."""
    agreed, checked = cells["agreed"].to_numpy(dtype=float), cells["checked"].to_numpy(dtype=float)
    two = cells["wave"].nunique() > 1
    contrast = cells["wave"].to_numpy(dtype=float) - 0.5
    whole, one = np.zeros(len(cells), np.int64), np.ones(len(cells))
    terms = [Term("intercept", "whole", np.array(["whole"]), INTERCEPT_SD, whole, one)]
    if two:
        terms.append(Term("change", "contrast", np.array(["change"]), CHANGE_SD, whole, contrast))
    for name in ("site", "field"):
        place, found = pd.factorize(cells[name].astype(str), sort=True)
        own, labels = place.astype(np.int64), np.asarray(found, dtype=str)
        if len(labels) < 2:
            continue
        terms.append(Term(f"{name}_level", name, labels, f"{name}_sd", own, one))
        if two:
            terms.append(Term(f"{name}_change", name, labels, f"{name}_change_sd", own, contrast))
    return Grouped(
        family="binomial",
        y=agreed,
        n=checked,
        item=whole,
        items=np.array([], dtype=str),
        group=np.arange(len(cells)),
        count=np.ones(len(cells), np.int64),
        terms=tuple(terms),
        group_sd="cell_sd",
        priors=used_priors(terms, "cell_sd", PRIORS),
        offset=float(logit((agreed.sum() + 0.5) / (checked.sum() + 1))),
    )


def evaluate_audit(
    params: Params, panel: pd.DataFrame, rows: pd.DataFrame, progress: Progress | None = None
) -> Results:
    """Tables `audit_estimates`, `audit_probabilities` and `audit_counts`, and the distance of agreement from target."""
    results = Results("audit", KEYS)
    waves = two_waves(params, panel, rows)
    if waves is None:
        return results
    cells = _cells(waves)
    results.counts = _counts(cells, waves)
    design = audit_design(cells)
    draws = sample_grouped(design, params, progress)
    found = Audited(cells, PERCENT * expit(_predictor(draws) + group_effects(draws, params.sampling.seed)))
    results.add("audit", draws, list(_rows(found, waves, params.profile.audit_target)))
    weighs = cells["field_weight"].gt(0).to_numpy()
    seen = [number for number in range(len(waves.waves)) if (weighs & cells["wave"].eq(number).to_numpy()).any()]
    values = [found.mean(weighs & cells["wave"].eq(number).to_numpy(), found.shares) for number in seen]
    results.place("measurement", "audit", params.profile.audit_target, [waves.waves[n] for n in seen], values)
    return results


def kappa(agreement: Floats, chance: Floats) -> Floats:
    """(po − pe) / (1 − pe), shares from 0 to 1 (Cohen 1960)."""
    return np.asarray((agreement - chance) / (1 - chance))


def _cells(waves: Waves) -> pd.DataFrame:
    """Records checked and agreed by site, field and wave; chance is the mean by records, unknown if any is."""
    rows = waves.rows.assign(weighted=waves.rows["chance"] * waves.rows["checked"])
    by_cell = rows.assign(unknown=rows["chance"].isna()).groupby(CELL, sort=True)
    cells = by_cell[["checked", "agreed", "weighted", "unknown"]].sum().reset_index()
    cells["chance"] = (cells["weighted"] / cells["checked"]).mask(cells["unknown"].gt(0))
    last = cells[cells["wave"].eq(cells["wave"].max())]
    weights = last.groupby("field")["checked"].sum() / last["checked"].sum()
    return cells.assign(field_weight=cells["field"].map(weights).fillna(0.0))


def _counts(cells: pd.DataFrame, waves: Waves) -> pd.DataFrame:
    """Records checked and agreed, of all, by field and by site."""
    parts = []
    for by in ([], ["field"], ["site"]):
        own = cells.groupby(["wave", *by], sort=True)[["checked", "agreed"]].sum().reset_index()
        parts.append(own)
    table = pd.concat(parts, ignore_index=True)
    for name in ("field", "site"):
        table[name] = table[name].fillna("")
    table["period"] = [waves.waves[number].label for number in table["wave"]]
    table["years_back"] = [waves.waves[number].years_back for number in table["wave"]]
    return table[["field", "site", "period", "years_back", "checked", "agreed"]]


def _predictor(draws: GroupedDraws) -> Floats:
    """Linear predictor of each cell (S, G) without what is its own."""
    eta = np.full((len(draws.z), len(draws.design.y)), draws.design.offset)
    for term in draws.design.terms:
        eta += draws.coefficients(term.name)[:, term.index] * term.weight
    return eta


def _rows(found: Audited, waves: Waves, target: float) -> Iterator[Rows]:
    """Agreement of all, by field and by site, in both waves, its change, and kappa where chance is known."""
    cells = found.cells
    for name in ("", "field", "site"):
        labels = np.array(sorted(set(cells[name]))) if name else np.array([""])
        masks = [cells[name].eq(label).to_numpy() if name else np.ones(len(cells), bool) for label in labels]
        by_wave = [_means(found, found.shares, number, masks) for number in range(len(waves.waves))]
        for number, (wave, means) in enumerate(zip(waves.waves, by_wave, strict=True)):
            at = {"period": wave.label, "years_back": wave.years_back}
            now = number == len(waves.waves) - 1
            yield from _by_label("agreement", name, labels, means, at, ("at_target", target) if now else None)
            yield from _by_label("kappa", name, labels, _kappas(found, number, masks), at)
        if len(by_wave) > 1:
            both = [place for place in by_wave[0] if place in by_wave[1]]
            change = {place: by_wave[1][place] - by_wave[0][place] for place in both}
            yield from _by_label("change", name, labels, change, at, ("improved", 0.0))


def _means(found: Audited, values: Floats, wave: int, masks: list[np.ndarray]) -> dict[int, Floats]:
    """Means (S,) of those masks of cells that hold any cell of the wave which counts."""
    here = found.cells["wave"].eq(wave).to_numpy() & found.cells["field_weight"].gt(0).to_numpy()
    return {place: found.mean(mask & here, values) for place, mask in enumerate(masks) if (mask & here).any()}


def _kappas(found: Audited, wave: int, masks: list[np.ndarray]) -> dict[int, Floats]:
    """The same of kappa, where chance is known for all of a mask's cells."""
    chance, here = found.cells["chance"], found.cells["wave"].eq(wave).to_numpy()
    known = [mask if chance[mask & here].notna().all() else np.zeros_like(mask) for mask in masks]
    return _means(found, kappa(found.shares / PERCENT, chance.fillna(0.0).to_numpy()), wave, known)


def _by_label(
    estimand: str,
    name: str,
    labels: np.ndarray,
    means: dict[int, Floats],
    at: dict[str, object],
    event: tuple[str, float] | None = None,
) -> Iterator[Rows]:
    """Rows of an estimand for the labels that have it, and the event of reaching a value."""
    if not means:
        return
    values = np.column_stack(list(means.values()))
    keys = {**at, name: labels[list(means)]} if name else at
    yield Rows(estimand, keys, values, {event[0]: values >= event[1]} if event else {})
