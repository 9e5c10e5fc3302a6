"""A survey's answers as rows of a grouped model: one scale at a time, whole response patterns collapsed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.features.waves import Waves
from collabeval.models.grouped import Grouped, Term, used_priors
from collabeval.params import Prior
from collabeval.params.survey import Scale, Survey

HIGHEST = 6  # less the answer: the answer to a question that is put the other way round
CHANGE_SD = 1.0  # of the prior of the change of a whole scale, in logits
PRIORS = {
    "respondent_sd": Prior(on="sd", dist="HalfNormal", sigma=1.5),
    "item_change_sd": Prior(on="sd", dist="HalfNormal", sigma=0.3),
    "site_sd": Prior(on="sd", dist="HalfNormal", sigma=0.5),
    "site_change_sd": Prior(on="sd", dist="HalfNormal", sigma=0.3),
    "role_sd": Prior(on="sd", dist="HalfNormal", sigma=0.5),
}


def answers(survey: Survey, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that were answered, 1 to 5, with questions that are put the other way round turned."""
    given = rows[rows["response"].notna()].copy()
    turned = given["item"].map(lambda code: survey.items[code].reversed if code in survey.items else False)
    given["response"] = given["response"].where(~turned.astype(bool), HIGHEST - given["response"])
    for column in ("site", "role"):
        given[column] = given[column].fillna("").astype(str)
    return given


def survey_design(waves: Waves, scale: Scale) -> Grouped | None:
    """The model of one scale (models/survey.py); None where nobody answered in the last wave.

    People with the same site, role, wave and answers to all of the scale's questions are one pattern that counts as
    often as it occurs: nothing is lost.
    """
    rows = waves.rows[waves.rows["item"].isin(scale.items)]
    if not rows["wave"].eq(len(waves.waves) - 1).any():
        return None
    items = np.array([code for code in scale.items if code in set(rows["item"])])
    people = _people(rows, items)
    patterns = people.value_counts(dropna=False, sort=False).rename("count").reset_index()
    given = patterns[list(items)].to_numpy(dtype=float)
    group, item = np.nonzero(np.isfinite(given))
    site, sites = _codes(patterns["site"])
    role, roles = _codes(patterns["role"])
    contrast = (patterns["wave"].to_numpy() - 0.5)[group]
    terms = _terms(items, item, sites, site[group], roles, role[group], contrast, patterns["wave"].nunique() > 1)
    return Grouped(
        family="cumulative",
        y=given[group, item],
        n=np.ones(len(group)),
        item=item.astype(np.int64),
        items=items,
        group=group.astype(np.int64),
        count=patterns["count"].to_numpy(dtype=np.int64),
        terms=tuple(terms),
        group_sd="respondent_sd",
        priors=used_priors(terms, "respondent_sd", PRIORS),
    )


def _people(rows: pd.DataFrame, items: np.ndarray) -> pd.DataFrame:
    """One row a person and wave: wave, site, role, and the answer to each item (NaN where there is none)."""
    keys = ["respondent", "wave"]
    who = rows.groupby(keys, sort=True)[["site", "role"]].first()
    wide = rows.pivot_table(index=keys, columns="item", values="response", aggfunc="first").reindex(columns=items)
    return who.join(wide).reset_index()[["wave", "site", "role", *items]]


def _codes(labels: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Position of each label among those that are not empty (−1 where it is), and these, sorted."""
    known = np.array(sorted(set(labels) - {""}), dtype=str)
    places = {label: place for place, label in enumerate(known)}
    return np.array([places.get(label, -1) for label in labels], dtype=np.int64), known


def _terms(
    items: np.ndarray,
    item: np.ndarray,
    sites: np.ndarray,
    site: np.ndarray,
    roles: np.ndarray,
    role: np.ndarray,
    contrast: np.ndarray,
    two: bool,
) -> list[Term]:
    """The blocks that these rows can carry: a single site, role or wave has nothing to be compared with."""
    whole, one = np.zeros(len(item), np.int64), np.ones(len(item))
    found = []
    if two:
        found.append(Term("change", "contrast", np.array(["change"]), CHANGE_SD, whole, contrast))
        if len(items) > 1:
            found.append(Term("item_change", "item", items, "item_change_sd", item.astype(np.int64), contrast))
    if len(sites) > 1:
        found.append(Term("site_level", "site", sites, "site_sd", site, one))
        if two:
            found.append(Term("site_change", "site", sites, "site_change_sd", site, contrast))
    if len(roles) > 1:
        found.append(Term("role_level", "role", roles, "role_sd", role, one))
    return found
