"""Compiled work in threads, which release Python's lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from collabeval.machine import cores

SLICES = 32  # whatever the cores: each slice begins where it begins, so results do not depend on them


def threaded[T](work: Callable[[slice], T], count: int) -> list[T]:
    """`work` on slices of `count`, as many at once as there are cores; the result does not depend on how many."""
    edges = np.linspace(0, count, min(count, SLICES) + 1).astype(int)
    parts = [slice(a, b) for a, b in pairwise(edges)]
    if cores() == 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, parts))
