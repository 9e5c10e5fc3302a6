"""PyMC models of site performance, one function per family of measures (docs/methods.md)."""

from collabeval import compile_cache

compile_cache.use()  # before anything loads PyTensor, which reads its settings once

from collabeval.models.binomial import build_binomial_model  # noqa: E402
from collabeval.models.normal import build_normal_model  # noqa: E402
from collabeval.models.poisson import build_poisson_model  # noqa: E402

MODELS = {"binomial": build_binomial_model, "poisson": build_poisson_model, "normal": build_normal_model}

__all__ = ["MODELS", "build_binomial_model", "build_normal_model", "build_poisson_model"]
