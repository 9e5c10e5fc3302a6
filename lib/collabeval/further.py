"""The analyses that an evaluation has or not, by the tables and params it is given: each a step with a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from collabeval.params import FurtherName, Params


@dataclass(frozen=True)
class Further:
    """One such step: when it is there, what it reads, what it makes.

    ``after`` names the results tables of earlier steps that it reads, where they are made; ``draws`` says whether it
    reads the draws of the measures.
    """

    name: str
    what: str  # what a person is told while it runs
    there: Callable[[Params], bool]
    tables: tuple[FurtherName, ...]
    blocks: tuple[str, ...]
    makes: tuple[str, ...]
    draws: bool = False
    after: tuple[str, ...] = ()

    def reads(self, params: Params) -> tuple[FurtherName, ...]:
        """Its further tables that are given."""
        return tuple(table for table in self.tables if table in params.data.further)


def _any(*tables: FurtherName) -> Callable[[Params], bool]:
    return lambda params: bool(set(tables) & set(params.data.further))


OPINIONS = ("estimates", "probabilities", "counts")
FURTHER: tuple[Further, ...] = (
    Further(
        name="composites",
        what="Putting measures together",
        there=lambda params: bool(params.composites or params.model.together),
        tables=(),
        blocks=("composites", "model"),
        makes=("composite_estimates", "composite_statements", "composite_parts", "measure_correlations"),
        draws=True,
    ),
    Further(
        name="practices",
        what="Comparing what high performers do differently",
        there=_any("practices"),
        tables=("practices",),
        blocks=("model",),
        makes=("practice_effects", "practice_adoption"),
        draws=True,
    ),
    Further(
        name="features",
        what="Estimating how the collaborative works",
        there=_any("indicators"),
        tables=("indicators",),
        blocks=("indicators",),
        makes=("feature_indicators", "feature_probabilities", "feature_counts"),
    ),
    Further(
        name="scorecards",
        what="Scoring the performance index",
        there=lambda params: bool(params.scored),
        tables=("indicators", "waivers"),
        blocks=("scorecards", "indicators"),
        makes=("scorecard_sites", "scorecard_tiers", "scorecard_parts", "scorecard_summary", "scorecard_signals"),
        draws=True,
    ),
    Further(
        "opinions",
        "Estimating what people and audits say",
        _any("survey", "ratings", "audit"),
        ("survey", "ratings", "audit"),
        ("survey", "profile", "model"),
        (
            *(f"{name}_{what}" for name in ("survey", "ratings", "audit") for what in OPINIONS),
            "opinion_distances",
            "opinion_checks",
        ),
    ),
    Further(
        "profile",
        "Scoring the five features",
        _any("indicators", "survey", "ratings", "audit"),
        (),
        ("indicators", "profile"),
        ("feature_profile", "feature_profile_probabilities", "feature_parts"),
        after=("feature_indicators", "opinion_distances"),
    ),
    Further(
        name="effect",
        what="Estimating what is due to the programme",
        there=lambda params: params.effect is not None or "comparators" in params.data.further,
        tables=("comparators",),
        blocks=("effect", "model"),
        makes=("effect_event_time", "effect_summary", "effect_statements", "effect_basis", "effect_draws"),
    ),
    Further(
        name="value",
        what="Weighing burden and value",
        there=lambda params: params.value is not None or "burden" in params.data.further,
        tables=("burden", "costs"),
        blocks=("value",),
        makes=("value_costs", "value_burden", "value_summary", "value_curve", "value_tornado"),
        draws=True,
        after=("effect_draws", "effect_basis", "effect_statements"),
    ),
)


def there(params: Params) -> tuple[Further, ...]:
    """The further steps of one evaluation, in an order in which they can run."""
    return tuple(step for step in FURTHER if step.there(params))


def results(params: Params) -> tuple[str, ...]:
    """The results tables that they leave for the report."""
    return tuple(name for step in there(params) for name in step.makes)


def checks(params: Params) -> tuple[str, ...]:
    """Those of them that hold checks of fits, in the columns of `diagnostics`."""
    return tuple(name for name in results(params) if name.endswith("_checks"))
