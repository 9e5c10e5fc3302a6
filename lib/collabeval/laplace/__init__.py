"""The fast engine: nested Laplace, sites by quadrature, importance weights for the rest (docs/methods.md)."""

from collabeval import compile_cache

compile_cache.of_numba()
