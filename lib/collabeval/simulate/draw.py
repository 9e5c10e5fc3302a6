"""What every simulation draws from: how a measure behaves, its observed rows, names of hospitals.

Same seed, same numbers on every machine: means of counts are rounded before a count is drawn, so that the last bit of a
logarithm, which differs between processors, decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.params import Family

DIGITS = 9


@dataclass(frozen=True)
class Behaviour:
    """How one measure behaves; effects on the link scale (for `normal` in units of `spread`).

    `rate` is the level at the start; `improvement` what the typical site gains over the whole time; `deviant` the level
    of a planted high performer; `worsening` the yearly slope of the deteriorating site. `exposure` is days at risk per
    patient (poisson), `case_mix_sd` how much the expected rate differs between site-quarters (0: none is given).
    """

    family: Family
    rate: float
    site_sd: float
    trajectory_sd: float
    overdispersion_sd: float
    improvement: float
    deviant: float
    worsening: float
    exposure: float = 1.0
    spread: float = 1.0
    case_mix_sd: float = 0.0


def observed(generator: np.random.Generator, rows: pd.DataFrame, measure: Behaviour) -> pd.DataFrame:
    """Observed rows of one measure: counts, or the mean and sd of a sample."""
    table, patients = rows[["site", "period"]].copy(), rows["patients"].to_numpy()
    shift = (rows["trend"] + rows["effect"]).to_numpy()
    if measure.family == "normal":
        mean = measure.rate + measure.spread * shift
        error = measure.spread / np.sqrt(patients)
        spread = measure.spread * np.sqrt(generator.chisquare(patients - 1) / (patients - 1))
        # a sample of two can agree to the last digit, and a spread of nought is not believed
        return table.assign(
            mean=generator.normal(mean, error).round(2), sd=np.maximum(spread.round(2), 0.01), n=patients
        )
    if measure.family == "poisson":
        exposure = np.maximum(np.round(patients * measure.exposure * generator.uniform(0.85, 1.15, len(rows))), 1)
        events = generator.poisson(np.round(measure.rate * np.exp(shift) * exposure, DIGITS))
        return table.assign(numerator=events, denominator=exposure.astype(int))
    case_mix = np.log(measure.rate / (1 - measure.rate)) + generator.normal(0, measure.case_mix_sd, len(rows))
    events = generator.binomial(patients, np.round(1 / (1 + np.exp(-case_mix - shift)), DIGITS))
    table = table.assign(numerator=events, denominator=patients)
    return table.assign(expected=np.round(patients / (1 + np.exp(-case_mix)), 2)) if measure.case_mix_sd else table


def hospital(town: str, kind: str, number: int) -> str:
    forms = {
        "teaching": ("University Hospital of {}", "{} Royal Infirmary", "{} University Hospital"),
        "general": ("{} General Hospital", "{} District Hospital", "St Anselm's Hospital, {}", "{} Memorial Hospital"),
        "community": ("{} Community Hospital", "{} Cottage Hospital"),
    }[kind]
    return forms[number % len(forms)].format(town)
