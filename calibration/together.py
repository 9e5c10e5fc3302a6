"""Calibration of measures fitted together: three of them, one of each family, whose levels correlate."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
import xarray as xr

from calibration.forms import CASES, FAMILIES, FORMS, PER_YEAR, Form, settings
from calibration.ranks import place, places
from calibration.replicates import DIGITS, Store, held
from calibration.studies import DRAWS, EFFECTIVE
from calibration.worlds import UnitDesign, designed, effects, empty_rows, parameters, with_outcomes
from collabeval.errors import CollabevalError
from collabeval.laplace.problem import pose
from collabeval.laplace.together import Together
from collabeval.models.correlation import beta_shapes, correlation_matrices
from collabeval.params import Sampling

STUDIED = ("level", "full")  # forms
LACKING = 3  # sites without the measure of means
STREAM = 6  # of random numbers
PAIRS = [(FAMILIES[row], FAMILIES[column]) for row, column in zip(*np.tril_indices(len(FAMILIES), -1), strict=True)]
CORRELATIONS = [f"correlation {one}–{other}" for one, other in PAIRS]


def name_of(form: str) -> str:
    """Name of a study's files."""
    return f"together_{form}_laplace_{DRAWS['laplace']}"


def study(forms: Iterable[str] | None, numbers: range, seed: int, store: Store) -> None:
    """Add these worlds to the studies of these forms, side by side."""
    for number in numbers:
        for form in forms or STUDIED:
            if number not in held(store, name_of(form)):
                store.add(name_of(form), replicate(FORMS[form], seed, number))
        if number % 50 == 49:
            print(f"{number + 1} of {numbers.stop} replicates", flush=True)


def world(form: Form, seed: int, number: int) -> tuple[dict[str, UnitDesign], dict[str, xr.Dataset], np.ndarray]:
    """Designs and truths by measure, and R (M, M), of one replicate."""
    random = np.random.default_rng([seed, form.sites, form.periods, number, STREAM])
    count = len(FAMILIES)
    shapes = beta_shapes(count)
    matrix = correlation_matrices(2 * random.beta(shapes, shapes)[None] - 1, count)[0]
    levels = random.multivariate_normal(np.zeros(count), matrix, form.sites)
    designs, truths = {}, {}
    for family, standard in zip(FAMILIES, levels.T, strict=True):
        sites = form.sites - LACKING * (family == "normal")
        cases = np.repeat(np.round(CASES[0] * np.exp(CASES[1] * random.normal(size=sites))), form.periods)
        rows = empty_rows(sites, form.periods, PER_YEAR, np.maximum(cases, 3.0), family)
        blank = designed(rows, family, settings(family, form))
        truths[family] = effects(blank, parameters(blank, random), random, standard[:sites])
        designs[family] = designed(with_outcomes(rows, blank, truths[family], random), family, settings(family, form))
    return designs, truths, matrix


def replicate(form: Form, seed: int, number: int) -> dict:
    """One world, its fit, and the place of the truth; `failure` is what the engine's own check said."""
    designs, truths, matrix = world(form, seed, number)
    random, clock = np.random.default_rng([seed, number, STREAM]), time.perf_counter()
    sampling = Sampling(seed=number, chains=2, draws=DRAWS["laplace"] // 2, minimum_ess=EFFECTIVE)
    row: dict = {"replicate": number}
    try:
        problems = {family: pose(design) for family, design in designs.items()}
        found = Together(problems, sampling, lambda message: None).fitted(EFFECTIVE)
    except (CollabevalError, np.linalg.LinAlgError) as error:  # counted, and shown beside the results
        kind = "refused" if isinstance(error, CollabevalError) else "broke down"
        return row | {"failure": f"{kind}: {error}", "seconds": round(time.perf_counter() - clock, 3)}
    row |= {"failure": found.failure, "seconds": round(time.perf_counter() - clock, 3)}
    for family, fitted in found.measures.items():
        own = places(fitted.posterior, designs[family], truths[family], random)
        row |= {f"{family} {name}": round(where, DIGITS) for name, where in own.items()}
    drawn = found.correlation.to_numpy()[0]
    for name, a, b in zip(CORRELATIONS, *np.tril_indices(len(FAMILIES), -1), strict=True):
        row[name] = round(place(drawn[:, a, b], matrix[a, b], random), DIGITS)
    return row
