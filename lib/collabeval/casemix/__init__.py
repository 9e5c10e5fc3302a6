"""Case-mix: records collapsed to covariate patterns, a model of them, and what it expects of each site.

`patterns` collapses, `regression` finds coefficients, `model` fits a measure's baseline, `sites` standardises, `judge`
looks at calibration and discrimination by year, `by_site` (with `slopes`) by site, `adjust` does all of it for an
evaluation.
"""

from __future__ import annotations

from collabeval.params import Params

# the tables of docs/data.md that records add
TABLES = ("case_mix_coefficients", "case_mix_calibration", "case_mix_deciles", "case_mix_expected", "case_mix_sites",
          "case_mix_by_site", "case_mix_differences")  # fmt: skip


def adjusted(params: Params) -> bool:
    """Whether any measure has a case-mix model of its own."""
    return any(measure.records is not None and measure.records.case_mix for measure in params.measures.values())
