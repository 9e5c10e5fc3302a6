"""Three measures whose site levels correlate, with known truth."""

import numpy as np
import pandas as pd

from collabeval.laplace import levels
from collabeval.laplace.kernels import compiled
from collabeval.params import Params


@compiled
def density_at(places, tables, level):
    """Log-density of a level by its table."""
    return levels.log_density(places, tables, 0, level)


def correlated(sites=70, periods=12):
    """Three binomial measures whose site levels correlate; the last has few cases."""
    random = np.random.default_rng(5)
    truth = np.array([[1, 0.8, 0.7], [0.8, 1, 0.75], [0.7, 0.75, 1]])
    levels = random.multivariate_normal(np.zeros(3), truth, sites) * [0.35, 0.3, 0.4]
    rows = []
    for measure, (name, cases, base) in enumerate((("a", 80, -2.0), ("b", 60, -1.5), ("c", 8, -2.2))):
        for site in range(sites):
            for period in range(periods):
                chance = 1 / (1 + np.exp(-base - levels[site, measure]))
                label = f"{2022 + period // 4}Q{period % 4 + 1}"
                rows.append((name, f"S{site:02d}", label, period / 4, random.binomial(cases, chance), cases))
    panel = pd.DataFrame(rows, columns=["measure", "site", "period", "time", "numerator", "denominator"])
    absent = dict.fromkeys(("expected", "mean", "sd", "n", "se"), np.nan)
    panel = panel.assign(weight=panel["denominator"].astype(float), **absent)
    measure = {"family": "binomial", "better": "lower"}
    params = Params.model_validate(
        {"collaborative": "c", "title": "t", "edition": "1", "data": {"sites": "s", "outcomes": "o"},
         "measures": {name: measure | {"label": name} for name in "abc"}, "sampling": {"seed": 3},
         "periods": {"length": "quarter"}, "model": {"together": ("a", "b", "c"), "overdispersion": False}}
    )  # fmt: skip
    return panel, params, truth, levels[:, 2]
