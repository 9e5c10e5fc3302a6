"""Models that are compared, in words: what each has otherwise than the one of params, and what came of it."""

from __future__ import annotations

from pathlib import Path

from collabeval.own_model import own_function
from collabeval.params import PARAMS_MODEL, Model, Params, Prior
from collabeval.params.defaults import DEFAULTS
from collabeval.statements import numbers
from collabeval.statements.priors import MEANINGS, described
from collabeval.statements.words import word

OPTIONS = {
    "site_effects": "site effects",
    "trajectory": "slopes of sites",
    "trend": "trend of the collaborative",
    "overdispersion": "ups and downs of a site from period to period",
    "parametrisation": "parametrisation",
    "engine": "engine",
}
VALUES = {
    True: "yes", False: "no", "auto": "by the data", "student_t": "Student t", "normal": "normal",
    "random_walk": "random walk", "linear": "straight line", "none": "none", "laplace": "nested Laplace",
    "nuts": "NUTS",
}  # fmt: skip


def name(alternative: str) -> str:
    """An alternative by its name in params, readable."""
    return "model of params" if alternative == PARAMS_MODEL else alternative.replace("_", " ")


def difference(params: Params, alternative: str) -> str:
    """What it has otherwise than the model of params: "trend of the collaborative: none, not straight line"."""
    if alternative == PARAMS_MODEL:
        return ""
    model, other = params.model, params.compare[alternative]
    found = [
        f"{said}: {_value(getattr(other, option))}, not {_value(getattr(model, option))}"
        for option, said in OPTIONS.items()
        if getattr(other, option) != getattr(model, option)
    ]
    found += [_prior(model, other, key) for key in MEANINGS if getattr(model.priors, key) != getattr(other.priors, key)]
    if model.covariates != other.covariates:
        found.append(f"covariates: {numbers.listed(other.covariates) or 'none'}")
    functions = sorted({*model.functions, *other.functions})
    found += [
        _function(other, key) for key in functions if other.functions.get(key, "") != model.functions.get(key, "")
    ]
    return "; ".join(found) or "nothing"


def _value(value: object) -> str:
    return VALUES.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def _prior(model: Model, other: Model, key: str) -> str:
    now, before = (_described(each, key) for each in (other, model))
    return f"prior of the {MEANINGS[key]}: {now}, not {before}"


def _described(model: Model, key: str) -> str:
    prior: Prior | None = getattr(model.priors, key) or DEFAULTS.get(key)
    return described(prior, key) if prior else "the default"


def _function(other: Model, measure: str) -> str:
    function = own_function(other, measure)
    return f"{measure}: {f'its own model ({Path(function).name})' if function else 'the built-in model'}"


def change(slot: str, now: str, then: str) -> str:
    """ "worse than average → cannot be told apart"; a slot without a word is "no word"."""
    said = [(word(slot, slug) if slug else "") or "no word" for slug in (now, then)]
    return " → ".join(said)


def finding(changed: int, sites: int, others: int, nouns: tuple[str, str]) -> str:
    """How many words change, and about how many sites."""
    models = numbers.plural(others, ("the other model", f"the {numbers.number_word(others)} other models"))
    if not changed:
        return f"No word about any {nouns[0]} would be another under {models}."
    models = models if others == 1 else f"at least one of {models}"
    words = numbers.plural(changed, ("word", "words"))
    count = numbers.capital(numbers.number_word(changed))
    about = f" about {numbers.number_word(sites)} {numbers.plural(sites, nouns)}" if sites else ""
    return f"{count} {words}{about} would be {numbers.plural(changed, ('another', 'others'))} under {models}."
