"""The survey: share agreeing by question and scale, by site and role, and the change since the last wave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.features.results import Results, Rows
from collabeval.features.survey_design import answers, survey_design
from collabeval.features.waves import Wave, Waves, two_waves
from collabeval.fit.grouped import sample_grouped
from collabeval.models.grouped import AGREES, Floats, GroupedDraws
from collabeval.params import Params
from collabeval.params.survey import Item, Scale, Survey
from collabeval.quadrature.effects import mean_share

KEYS = ("scale", "item", "site", "role", "period", "years_back")
PERCENT = 100.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Agreeing:
    """Share agreeing, in per cent: draws (S, T, J, R) of each item, site and role, in the later wave and the earlier.

    Sites and roles are those of the later wave, "" being people without one; `weight` (J, R) is how many of them each
    cell stands for.
    """

    scale: Scale
    items: np.ndarray
    sites: np.ndarray
    roles: np.ndarray
    weight: Floats
    waves: tuple[Wave, ...]
    shares: tuple[Floats, ...]  # by wave, as `waves`

    def mean(self, wave: int, weight: Floats) -> Floats:
        """Share of each item (S, T) under a mix of sites and roles (J, R)."""
        return np.asarray(np.tensordot(self.shares[wave], weight / weight.sum(), axes=([2, 3], [0, 1])))


def survey_of(params: Params, rows: pd.DataFrame) -> Survey:
    """The survey as params have it; without a block, every question of the table in one scale, named by its code."""
    if params.survey is not None:
        return params.survey
    return Survey(items={code: Item(text=code) for code in dict.fromkeys(rows["item"])})


def evaluate_survey(
    params: Params, panel: pd.DataFrame, sites: pd.DataFrame, rows: pd.DataFrame, progress: Progress | None = None
) -> Results:
    """Tables `survey_estimates`, `survey_probabilities` and `survey_counts`, and the distances of scales from target.

    Parameters
    ----------
    sites, rows : DataFrame, the tables of sites and of the survey as the contract leaves them.
    """
    survey = survey_of(params, rows)
    waves = two_waves(params, panel, answers(survey, rows), ("respondent", survey.minimum_respondents))
    results = Results("survey", KEYS)
    if waves is None:
        return results
    invited = _invited(survey, sites, waves)
    results.counts = _counts(waves, invited)
    for scale in survey.scales:
        design = survey_design(waves, scale)
        if design is None:
            continue
        draws = sample_grouped(design, params, progress)
        agreeing = _agreeing(scale, draws, waves, invited)
        results.add(f"survey: {scale.name}", draws, list(_rows(agreeing, survey.target)))
        if scale.feature:
            overall = [agreeing.mean(wave, agreeing.weight).mean(axis=1) for wave in range(len(agreeing.waves))]
            results.place(scale.feature, "survey", survey.target, agreeing.waves, overall)
    return results


def _invited(survey: Survey, sites: pd.DataFrame, waves: Waves) -> dict[tuple[str, str], float]:
    """How many were asked, by period and site; under site "" where only the whole is known."""
    found: dict[tuple[str, str], float] = {}
    columns = sites.get("invited", pd.Series(np.nan, index=sites.index))
    known = pd.to_numeric(columns, errors="coerce")
    for wave in waves.waves:
        given = survey.invited.get(wave.label)
        if isinstance(given, Mapping):
            found |= {(wave.label, site): float(number) for site, number in given.items()}
        elif given is not None:
            found[wave.label, ""] = float(given)
        else:
            pairs = zip(sites["site"].astype(str), known, strict=True)
            found |= {(wave.label, site): float(number) for site, number in pairs if number > 0}
    return found


def _counts(waves: Waves, invited: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """Respondents by period, of all and by site and by role; and how many were asked, where that is known."""
    parts = []
    for number, wave in enumerate(waves.waves):
        own = waves.rows[waves.rows["wave"].eq(number)].drop_duplicates("respondent")
        whole = sum(asked for (period, _), asked in invited.items() if period == wave.label)
        parts.append({"site": "", "role": "", "respondents": len(own), "invited": whole or np.nan})
        for site, people in own[own["site"].ne("")].groupby("site"):
            asked = invited.get((wave.label, str(site)), np.nan)
            parts.append({"site": site, "role": "", "respondents": len(people), "invited": asked})
        for role, people in own[own["role"].ne("")].groupby("role"):
            parts.append({"site": "", "role": role, "respondents": len(people), "invited": np.nan})
        for part in parts:
            part.setdefault("period", wave.label)
            part.setdefault("years_back", wave.years_back)
    return pd.DataFrame(parts)[["site", "role", "period", "years_back", "respondents", "invited"]]


def _agreeing(scale: Scale, draws: GroupedDraws, waves: Waves, invited: Mapping[tuple[str, str], float]) -> Agreeing:
    """P(answer ≥ 4), averaged over respondents Normal(0, respondent_sd), in every cell of items, sites and roles."""
    rows = waves.rows[waves.rows["item"].isin(scale.items)]
    last = len(waves.waves) - 1
    people = rows[rows["wave"].eq(last)].drop_duplicates("respondent")
    sites, roles = (np.array(sorted(set(people[name])), dtype=str) for name in ("site", "role"))
    weight = people.groupby(["site", "role"]).size().unstack(fill_value=0).reindex(index=sites, columns=roles)
    level = _effects(draws, "site_level", sites)[:, None, :, None]
    level = level + _effects(draws, "role_level", roles)[:, None, None, :]
    level = level - draws.cuts[:, :, AGREES - 1, None, None]
    moves = draws.coefficients("change")[:, :, None, None] + _effects(draws, "site_change", sites)[:, None, :, None]
    moves = moves + _effects(draws, "item_change", draws.design.items)[:, :, None, None]
    two = draws.design.term("change") is not None
    used = [wave for wave in range(last + 1) if two or wave == last]
    weights = waves.weights if two else (0.0,) * (last + 1)
    shares = tuple(_share(level + weights[wave] * moves, draws.group_sd) for wave in used)
    asked = _by_asked(weight.to_numpy(dtype=float), sites, waves.waves[last].label, invited)
    return Agreeing(scale, draws.design.items, sites, roles, asked, tuple(waves.waves[wave] for wave in used), shares)


def _effects(draws: GroupedDraws, name: str, labels: np.ndarray) -> Floats:
    """Coefficients of these labels (S, L); 0 for a label without one."""
    term, values = draws.design.term(name), draws.coefficients(name)
    if term is None:
        return np.zeros((len(values), len(labels)))
    places = {label: place for place, label in enumerate(term.labels)}
    columns = [values[:, places[label]] if label in places else np.zeros(len(values)) for label in labels]
    return np.column_stack(columns)


def _share(eta: Floats, sd: Floats) -> Floats:
    return PERCENT * mean_share(eta.reshape(len(eta), -1), sd).reshape(eta.shape)


def _by_asked(weight: Floats, sites: np.ndarray, period: str, invited: Mapping[tuple[str, str], float]) -> Floats:
    """Respondents (J, R), brought to the numbers asked where these are known for every site that answered."""
    asked = np.array([invited.get((period, site), np.nan) for site in sites])
    if not np.isfinite(asked[sites != ""]).all() or (sites == "").any():
        return weight
    return weight * (asked / weight.sum(axis=1))[:, None]


def _rows(found: Agreeing, target: float) -> Iterator[Rows]:
    """Estimates and events: of each item, of the scale, and in the last wave of each site and role."""
    now = len(found.waves) - 1
    items = [found.mean(number, found.weight) for number in range(now + 1)]
    for labels, values in ((found.items, items), (np.array([""]), [each.mean(axis=1)[:, None] for each in items])):
        for wave, own in zip(found.waves, values, strict=True):
            events = {"at_target": own >= target} if wave is found.waves[now] else {}
            yield Rows("agree", {**_at(found, wave), "item": labels}, own, events)
        if now:
            change = values[1] - values[0]
            yield Rows("change", {**_at(found, found.waves[now]), "item": labels}, change, {"improved": change > 0})
    by_site, by_role = found.weight.sum(axis=1), found.weight.sum(axis=0)
    whole = items[now].mean(axis=1)[:, None]
    yield from _groups(found, "site", found.sites, [np.outer(row, by_role) for row in np.eye(len(found.sites))], whole)
    yield from _groups(found, "role", found.roles, [np.outer(by_site, row) for row in np.eye(len(found.roles))], whole)


def _at(found: Agreeing, wave: Wave) -> dict[str, object]:
    return {"scale": found.scale.name, "period": wave.label, "years_back": wave.years_back}


def _groups(found: Agreeing, name: str, labels: np.ndarray, mixes: list[Floats], whole: Floats) -> Iterator[Rows]:
    """The scale's share in each site (or role) with the roles (sites) of all, and how far it is from all."""
    if len(labels) < 2:
        return
    now = len(found.waves) - 1
    named = labels != ""
    own = np.column_stack([found.mean(now, mix).mean(axis=1) for mix in mixes])[:, named]
    at = {**_at(found, found.waves[now]), name: labels[named]}
    yield Rows("agree", at, own)
    yield Rows("against_all", at, own - whole, {"above": own > whole})
