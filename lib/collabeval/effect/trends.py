"""Were joiners on a course of their own before they joined? Leads, their slope, and what it means for the effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from collabeval.effect.counterfactual import predicted, recorded
from collabeval.effect.untreated import Untreated


@dataclass(frozen=True)
class PreTrend:
    """Draws of how far joiners were from parallel before joining, against the last period before it.

    ``leads`` is by event time in outcomes per case (K, S); ``sites``, ``weight``, ``observed`` (K,) what it rests on;
    ``slope`` a year on the link scale, in units of the design's scale (S,); ``tail`` the chance of leads as far from 0
    together if there were no difference, by their covariance (a Wald test).
    """

    event_times: np.ndarray  # (K,)
    leads: np.ndarray  # (K, S)
    sites: np.ndarray  # (K,)
    weight: np.ndarray  # (K,)
    observed: np.ndarray  # (K,) events, or n times the mean
    slope: np.ndarray  # (S,)
    tail: float


def pre_trend(fitted: Untreated, rows: pd.DataFrame, step_years: float, reference: int, seed: int) -> PreTrend | None:
    """The course before joining, from a fit with leads; None where there is none to look at.

    Parameters
    ----------
    rows : the untreated rows the model was fitted to, in its order.
    step_years : length of a period in years; reference : the event time that leads are measured from.
    """
    if not fitted.waves.with_leads:
        return None
    lead, draws = fitted.waves.lead, fitted.values("lead").T  # (K, S)
    inside = np.flatnonzero(lead >= 0)
    own = rows.iloc[inside].reset_index(drop=True)
    which = lead[inside]
    weight = np.bincount(which, own["weight"].to_numpy(float))
    leads = np.zeros_like(draws)
    for part, without, with_lead in predicted(fitted, own, draws, which, seed):
        np.add.at(leads, which[part], with_lead - without)
    times = np.array(fitted.waves.event_times)
    return PreTrend(
        event_times=times,
        leads=leads / weight[:, None],
        sites=own["unit"].groupby(which).nunique().to_numpy(),
        weight=weight,
        observed=np.bincount(which, recorded(own, fitted.design.family)),
        slope=slope_of(times, draws, reference, step_years),
        tail=joint_tail(draws),
    )


def slope_of(event_times: np.ndarray, leads: np.ndarray, reference: int, step_years: float) -> np.ndarray:
    """Slope a year (S,) of leads (K, S) that are 0 at the reference, by generalised least squares.

    What all leads share, the error of the reference, is in their covariance: so weighted, a line through 0 at the
    reference is the one through the levels of all event times with an intercept of its own.
    """
    years = (event_times - reference) * step_years
    weights = np.linalg.solve(np.atleast_2d(np.cov(leads)), years)
    return weights @ leads / (weights @ years)


def joint_tail(leads: np.ndarray) -> float:
    """Chance of a χ² with K degrees of freedom beyond m′V⁻¹m, m and V mean and covariance of the leads (K, S)."""
    middle, covariance = leads.mean(axis=1), np.atleast_2d(np.cov(leads))
    return float(chdtrc(len(leads), middle @ np.linalg.solve(covariance, middle)))
