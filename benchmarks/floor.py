"""The floor below which no engine that looks at the data can come: the bare log-likelihood of every cell, once."""

from __future__ import annotations

import time
from functools import cache

import numpy as np

from collabeval.laplace.kernels import BINOMIAL, compiled, log_likelihood

CELLS, TIMES = 20_000, 50


@compiled
def total(y: np.ndarray, n: np.ndarray, eta: np.ndarray) -> float:
    """Log-likelihood of all cells."""
    found = 0.0
    for i in range(len(y)):
        found += log_likelihood(BINOMIAL, y[i], n[i], eta[i])
    return found


@cache
def seconds_per_cell() -> float:
    """Processor seconds that the log-likelihood of one cell takes here, the least of many tries."""
    random = np.random.default_rng(1)
    n, eta = random.integers(10, 100, CELLS).astype(float), random.normal(-2.5, 0.4, CELLS)
    y = random.binomial(n.astype(int), 0.08).astype(float)
    total(y, n, eta)
    found = []
    for _ in range(TIMES):
        begun = time.process_time()
        total(y, n, eta)
        found.append(time.process_time() - begun)
    return min(found) / CELLS
