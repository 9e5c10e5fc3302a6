"""Compiled work in threads, which release Python's lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from collabeval.machine import cores


def threaded[T](work: Callable[[slice], T], count: int) -> list[T]:
    """`work` on slices of `count`, as many at once as there are cores; the result does not depend on how many."""
    edges = np.linspace(0, count, min(count, 4 * cores()) + 1).astype(int)
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, [slice(a, b) for a, b in pairwise(edges)]))
