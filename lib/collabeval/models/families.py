"""The PyMC model of each family of measures (docs/methods.md). Loading this loads PyMC."""

from collabeval import compile_cache

with compile_cache.in_use():
    from collabeval.models import binomial, normal, own, poisson
    from collabeval.models.binomial import build_binomial_model
    from collabeval.models.normal import build_normal_model
    from collabeval.models.poisson import build_poisson_model

OUTCOMES = {"binomial": binomial.observe, "poisson": poisson.observe, "normal": normal.observe}
MODELS = {"binomial": build_binomial_model, "poisson": build_poisson_model, "normal": build_normal_model}

__all__ = ["MODELS", "OUTCOMES", "build_binomial_model", "build_normal_model", "build_poisson_model", "own"]
