"""What the model of features and improvement reads: improvements and features of collaboratives, with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.models.design import Floats


@dataclass(frozen=True)
class AssociationDesign:
    """C collaboratives with all of F features, standardised; the units to go back to what was measured.

    Improvement is less its mean over `improvement_unit`; features are less theirs over `feature_unit`.
    """

    collaboratives: tuple[str, ...]
    features: tuple[str, ...]
    improvement: Floats  # (C,)
    improvement_se: Floats  # (C,)
    measured: Floats  # (C, F)
    measured_se: Floats  # (C, F)
    improvement_unit: float
    feature_unit: Floats  # (F,)


def standardised(
    collaboratives: tuple[str, ...], features: tuple[str, ...], improvement: Floats, improvement_se: Floats,
    measured: Floats, measured_se: Floats,
) -> AssociationDesign:  # fmt: skip
    """The design of improvements (C,) and features (C, F) as measured; a unit that would be 0 is 1."""
    unit = float(improvement.std(ddof=1)) or 1.0
    units = np.where(measured.std(axis=0, ddof=1) > 0, measured.std(axis=0, ddof=1), 1.0)
    return AssociationDesign(
        collaboratives=collaboratives,
        features=features,
        improvement=(improvement - improvement.mean()) / unit,
        improvement_se=improvement_se / unit,
        measured=(measured - measured.mean(axis=0)) / units,
        measured_se=measured_se / units,
        improvement_unit=unit,
        feature_unit=units,
    )
