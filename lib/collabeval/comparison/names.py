"""The models that are compared, and the names under which their fits are kept. Light: the pipeline reads it too."""

from __future__ import annotations

from collabeval.params import PARAMS_MODEL, Params


def alternatives(params: Params) -> dict[str, Params]:
    """The evaluation under each model: that of `model` first, under the name `params`, then those of `compare`."""
    models = {PARAMS_MODEL: params.model, **params.compare}
    return {name: params.fitted_by(model) for name, model in models.items()}


def draws_name(alternative: str, measure: str) -> str:
    """Under which name the draws of one model of one measure are kept; `@` is in no code."""
    return f"{alternative}@{measure}"


def seconds_name(alternative: str) -> str:
    """Under which name the table of seconds of one model's fits is kept."""
    return f"seconds@{alternative}"
