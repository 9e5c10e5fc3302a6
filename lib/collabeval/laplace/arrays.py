"""What the compiled functions of the fast engine hand each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Floats = np.ndarray


class Polynomials(NamedTuple):
    """Integrals over the cells' own effects, each in a box of η and s; none of them where A is 0 (`polynomials`)."""

    middle: np.ndarray  # (N,) η in the middle of the box
    per: np.ndarray  # (N,) one over its reach to either side
    constants: np.ndarray  # (N,) taken off the integral, wherever it is taken, so that little is left of it
    information: float  # λ: a cell's own effect acts by log(1 + λ s²)
    low: float  # the box in that
    high: float
    # (B, N, A), single precision, of powers of log(1 + λ s²) and of η, both from −1 to 1 over the box
    coefficients: np.ndarray


class Own(NamedTuple):
    """What is known of the integrals over the cells' own effects at one s; changed in place."""

    start: np.ndarray  # (N,) near the modes of the effects
    middle: np.ndarray  # (N,) as in `Polynomials`
    constants: np.ndarray  # (N,) as in `Polynomials`
    per: np.ndarray  # (N,) as in `Polynomials`; infinite where there is no polynomial at this s
    power: np.ndarray  # (N, A) coefficients of powers of η


class Cells(NamedTuple):
    """The data, cells sorted by site: N cells, J sites."""

    family: int
    start: np.ndarray  # (J + 1,) first cell of each site, and N
    y: np.ndarray  # (N,) events, or the mean
    n: np.ndarray  # (N,) cases; 1 where the family has none
    variance: np.ndarray  # (N,) known variance of a mean; NaN where it follows from the site's own sd
    share: np.ndarray  # (N,) variance of a mean per variance of its site's values, 1/n; 0 where it is known
    offset: np.ndarray  # (N,)
    column: np.ndarray  # (N,) column of the programme's course that the cell sees
    years: np.ndarray  # (N,) from the mean time
    covariates: np.ndarray  # (N, P)
    squares: np.ndarray  # (J,) Σ (n − 1) sd² of each site
    freedom: np.ndarray  # (J,) Σ (n − 1)
    slope: bool  # whether sites have a trajectory
    own_sd: bool  # whether some means' variance follows from the site's own sd
    polynomials: Polynomials


class Series(NamedTuple):
    """Log-density of a site's data and effects about a point z, to fourth order in (x₁, x₂) = effects − z."""

    value: float
    g1: float
    g2: float
    d11: float  # minus the second derivatives
    d12: float
    d22: float
    c30: float  # coefficients of x₁³, x₁²x₂, …
    c21: float
    c12: float
    c03: float
    c40: float
    c31: float
    c22: float
    c13: float
    c04: float


class Scales(NamedTuple):
    """What the hyperparameters amount to on the linear predictor."""

    level: float
    lean: float
    slope: float
    own: float  # s, spread of single cells
    typical: float  # sd of the values of a typical site
    spread: float  # of the sites' log sds


class Rule(NamedTuple):
    """Gauss–Hermite rules, for N(0, 1): of a cell's own effect, of a site's effects, of a site's own sd."""

    cell: np.ndarray
    log_cell: np.ndarray
    site: np.ndarray
    log_site: np.ndarray
    sd: np.ndarray
    log_sd: np.ndarray


class Depths(NamedTuple):
    """Ever finer ways of integrating a site out, L of them, and the one that each of the J sites is given."""

    cell: np.ndarray  # (L, widest) nodes of a cell's own effect, the first `cells` of them
    log_cell: np.ndarray
    cells: np.ndarray  # (L,)
    site: np.ndarray  # (L, widest) nodes of a site's effects, the first `sites` of them
    log_site: np.ndarray
    sites: np.ndarray  # (L,)
    sd: np.ndarray  # (L, widest) nodes of a site's own sd, the first `sds` of them
    log_sd: np.ndarray
    sds: np.ndarray  # (L,)
    exact: np.ndarray  # (L,) whether the density itself is taken at the nodes rather than its series
    choice: np.ndarray  # (J,)


class Programme(NamedTuple):
    """Prior of the programme-wide part g (G,), and how it makes the course h (H,).

    The last P entries of either are the effects of the covariates, the same in both but for the unit of effects.
    """

    centre: np.ndarray  # (G,)
    precision: np.ndarray  # (G,)
    fixed: np.ndarray  # (H, G) part of A that is the same whatever the hyperparameters
    walk: np.ndarray  # (H, G) part of A that is multiplied by the trend's sd
