"""Where proposals come from: hyperparameters by the profiles of the Laplace approximation, then by what was found.

A proposal is a standard point e (K,): its first D numbers are hyperparameters in units of the centre's axes, the rest
the programme-wide part in conditional standard deviations about nearly its conditional mean (`Centre.offset`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import gammaln

from collabeval.laplace.centre import Profile
from collabeval.laplace.problem import Floats
from collabeval.laplace.threads import threaded

FREEDOM = 10  # of t distributions, times their dimensions: tails above the posterior's, radii still alike
FLATTER = np.array([0.85, 0.4])  # powers of the profiles that proposals come from: tails above the posterior's
SHARES = np.array([0.8, 0.2])  # of the proposals
GRID = 2001
KERNELS = 300
ROWS_AT_ONCE = 128  # points whose kernels stay in the nearer caches
AT_HAND = 0.1  # share of the proposals that aims were learnt from among those that they are judged with


class Hyper(Protocol):
    """A distribution of hyperparameters (S, D)."""

    def draw(self, count: int, random: np.random.Generator) -> Floats: ...
    def log_density(self, points: Floats) -> Floats: ...


@dataclass(frozen=True)
class Gaussianlike:
    """A multivariate t: middle + factor · y."""

    middle: Floats  # (K,)
    factor: Floats  # (K, K)

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Points (count, K)."""
        size = len(self.middle)
        return self.middle + _t(count, size, random) @ self.factor.T

    def log_density(self, points: Floats) -> Floats:
        """Of points (S, K), normalised."""
        standard = np.linalg.solve(self.factor, (points - self.middle).T).T
        return _log_t((standard**2).sum(axis=1), len(self.middle)) - np.log(np.diag(self.factor)).sum()


@dataclass(frozen=True)
class ByProfiles:
    """Each axis by its profile, flattened, independently of the others.

    Most points come from slightly flattened profiles and some from much flattened ones, which catch what lies off the
    axes and so bound the weights (defensive mixture; Hesterberg 1995).
    """

    profiles: tuple[Profile, ...]

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Points (count, D)."""
        part = random.choice(len(FLATTER), count, p=SHARES)
        columns = []
        for profile in self.profiles:
            grid, masses = _tables(profile)
            below = np.cumsum(masses, axis=1)
            chance = random.random(count)
            cell = np.empty(count, dtype=int)
            for k, row in enumerate(below):
                cell[part == k] = np.searchsorted(row, chance[part == k] * row[-1], side="right").clip(0, GRID - 2)
            columns.append(grid[cell] + random.random(count) * (grid[1] - grid[0]))
        return np.column_stack(columns)

    def log_density(self, points: Floats) -> Floats:
        """Of points (S, D), normalised; minus infinity beyond the profiles' ends."""
        total = np.log(SHARES)[:, None] + np.zeros(len(points))
        for profile, column in zip(self.profiles, points.T, strict=True):
            grid, masses = _tables(profile)
            width = grid[1] - grid[0]
            cell = np.floor((column - grid[0]) / width).astype(int)
            inside = (cell >= 0) & (cell < GRID - 1)
            found = np.log(masses[:, cell.clip(0, GRID - 2)] / width)
            total = total + np.where(inside, found, -np.inf)
        return log_sum(total, axis=0)


@dataclass(frozen=True)
class ByKernels:
    """A mixture of t kernels about points found (kernels shrunk to keep the covariance; West 1993)."""

    centres: Floats  # (M, D)
    factor: Floats  # (D, D)

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Points (count, D)."""
        chosen = random.integers(len(self.centres), size=count)
        return self.centres[chosen] + _t(count, self.centres.shape[1], random) @ self.factor.T

    def log_density(self, points: Floats) -> Floats:
        """Of points (S, D), normalised."""
        inverse = np.linalg.inv(self.factor).T
        mine, theirs = points @ inverse, self.centres @ inverse
        own, found = (theirs**2).sum(axis=1), np.empty(len(points))

        def work(part: slice) -> None:
            for first in range(part.start, part.stop, ROWS_AT_ONCE):
                rows = mine[first : min(first + ROWS_AT_ONCE, part.stop)]
                squares = (rows**2).sum(axis=1)[:, None] + own - 2 * rows @ theirs.T
                kernels = _log_t(np.maximum(squares, 0.0, out=squares), points.shape[1])
                found[first : first + len(rows)] = log_sum(kernels, axis=1)

        threaded(work, len(points))
        return found - np.log(len(self.centres)) - np.log(np.diag(self.factor)).sum()


@dataclass(frozen=True)
class Mixed:
    """Several distributions in equal shares: each covers what another leaves thin."""

    parts: tuple[Hyper, ...]

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Points (count, D)."""
        chosen = random.integers(len(self.parts), size=count)
        drawn = np.stack([part.draw(count, random) for part in self.parts])
        return drawn[chosen, np.arange(count)]

    def log_density(self, points: Floats) -> Floats:
        """Of points (S, D), normalised."""
        densities = np.array([part.log_density(points) for part in self.parts])
        return log_sum(densities, axis=0) - np.log(len(self.parts))


@dataclass(frozen=True)
class Aim:
    """Hyperparameters and programme-wide part, independent of each other as standard points."""

    hyper: Hyper
    programme: Gaussianlike

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Standard points (count, K)."""
        return np.hstack([self.hyper.draw(count, random), self.programme.draw(count, random)])

    def log_density(self, points: Floats) -> Floats:
        """Of standard points (S, K), normalised."""
        size = len(self.programme.middle)
        return self.hyper.log_density(points[:, :-size]) + self.programme.log_density(points[:, -size:])


def first(profiles: tuple[Profile, ...], programme: int) -> Aim:
    """From the Laplace approximation alone."""
    return Aim(ByProfiles(profiles), Gaussianlike(np.zeros(programme), np.eye(programme)))


def promising(
    points: Floats, weights: Floats, mixture: Floats, profiles: tuple[Profile, ...], random: np.random.Generator
) -> Aim:
    """Of several aims learnt from weighted points (S, K), the one that half of them recommend to the other half.

    The programme-wide part is Gaussian about its mean; hyperparameters come half from kernels about the points, which
    cover what no shape does, and half from their profiles, from a t distribution (nearly Gaussian ones: many sites), or
    from kernels again. `mixture` (S,): log-density of what the points were drawn from.
    """
    order = random.permutation(len(points))
    learnt, judged = order[::2], order[1::2]
    chances = weights[judged] / weights[judged].sum()
    effective = []
    for aim in _learnt(points[learnt], weights[learnt] / weights[learnt].sum(), profiles, random):
        # 1/E_π[π/q] of the proposals from q would be effective (Owen 2013, section 9.3); some of q are those at hand
        both = np.logaddexp(np.log(1 - AT_HAND) + aim.log_density(points[judged]), np.log(AT_HAND) + mixture[judged])
        ratio = chances * len(judged) * np.exp(mixture[judged] - both)
        effective.append(1 / np.sum(chances * ratio))
    return _learnt(points, weights, profiles, random)[int(np.argmax(effective))]


def _learnt(points: Floats, weights: Floats, profiles: tuple[Profile, ...], random: np.random.Generator) -> list[Aim]:
    size = len(profiles)
    programme = _nearly_standard(points[:, size:], weights)
    middle, covariance = _moments(points[:, :size], weights)
    gaussian = Gaussianlike(middle, np.linalg.cholesky(covariance + 1e-9 * np.eye(size)))
    about = kernels(points[:, :size], weights, random)
    return [Aim(Mixed((part, about)), programme) for part in (ByProfiles(profiles), gaussian, about)]


def _nearly_standard(points: Floats, weights: Floats) -> Gaussianlike:
    """Mean and covariance of points (S, K), each drawn to the standard ones as far as its noise explains it.

    Of the mean it is James & Stein's (1961) estimate; of the covariance as Ledoit & Wolf (2004) do, the noise of its
    entries being that of a standard Gaussian's.
    """
    size, effective = points.shape[1], 1 / np.sum(weights**2)
    middle, covariance = _moments(points, weights)
    of_mean = max(0.0, 1 - max(size - 2, 0) / effective / max(np.sum(middle**2), 1e-12))
    away = np.sum((covariance - np.eye(size)) ** 2)
    trust = max(0.0, 1 - size * (size + 1) / effective / max(away, 1e-12))
    return Gaussianlike(of_mean * middle, np.linalg.cholesky(trust * covariance + (1 - trust) * np.eye(size)))


def kernels(points: Floats, weights: Floats, random: np.random.Generator) -> ByKernels:
    """Kernels about some of weighted points (S, D), as wide as these are few."""
    hyper, effective = points.shape[1], 1 / np.sum(weights**2)
    middle, covariance = _moments(points, weights)
    width = (4 / (hyper + 2)) ** (1 / (hyper + 4)) * effective ** (-1 / (hyper + 4))  # Silverman 1986, eq. 4.14
    chosen = points[random.choice(len(points), KERNELS, p=weights)]
    shrunk = middle + np.sqrt(max(0.0, 1 - width**2)) * (chosen - middle)
    return ByKernels(shrunk, width * np.linalg.cholesky(covariance + 1e-9 * np.eye(hyper)))


def _moments(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    middle = weights @ points
    away = points - middle
    return middle, (away.T * weights) @ away


def _tables(profile: Profile) -> tuple[Floats, Floats]:
    """Edges of fine cells (GRID,) along an axis, and the chance of each under each flattening (2, GRID − 1)."""
    grid = np.linspace(profile.place[0], profile.place[-1], GRID)
    density = np.exp(FLATTER[:, None] * np.interp(grid, profile.place, profile.log_density))
    masses = (density[:, 1:] + density[:, :-1]) / 2
    return grid, masses / masses.sum(axis=1, keepdims=True)


def _t(count: int, size: int, random: np.random.Generator) -> Floats:
    freedom = FREEDOM * size
    return random.standard_normal((count, size)) / np.sqrt(random.chisquare(freedom, count) / freedom)[:, None]


def _log_t(squares: Floats, size: int) -> Floats:
    """Normalised log-density of a standard t with `size` dimensions at a squared distance."""
    freedom = FREEDOM * size
    constant = gammaln((freedom + size) / 2) - gammaln(freedom / 2) - size / 2 * np.log(freedom * np.pi)
    found = np.log1p(squares / freedom)
    found *= -(freedom + size) / 2
    found += constant
    return found


def log_sum(values: Floats, axis: int) -> Floats:
    """log Σ exp(values) along an axis; minus infinity where all are.

    SciPy's, which serves any array library, took a fifth of all weighing.
    """
    top = values.max(axis=axis, keepdims=True)
    top[~np.isfinite(top)] = 0.0
    with np.errstate(divide="ignore"):  # the logarithm of nothing
        return np.log(np.exp(values - top).sum(axis=axis)) + top.squeeze(axis)
