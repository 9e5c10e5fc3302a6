"""The fast engine of answers, scores and audits: each group's effect integrated out, the rest by weighted proposals.

Once the effects of respondents (raters, audited cells) are integrated out by adaptive Gauss–Hermite quadrature, what is
left is some tens of coefficients that are nearly Gaussian given a few standard deviations: `surrogate`, `engine`.
"""

from collabeval import compile_cache

compile_cache.of_numba()
