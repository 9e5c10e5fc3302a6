"""The PyMC model of each family of measures (docs/methods.md). Loading this loads PyMC."""

from collabeval import compile_cache

with compile_cache.in_use():
    from collabeval.models import own
    from collabeval.models.binomial import build_binomial_model
    from collabeval.models.normal import build_normal_model
    from collabeval.models.poisson import build_poisson_model

MODELS = {"binomial": build_binomial_model, "poisson": build_poisson_model, "normal": build_normal_model}

__all__ = ["MODELS", "build_binomial_model", "build_normal_model", "build_poisson_model", "own"]
