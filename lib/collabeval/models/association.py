"""The model of features and improvement across collaboratives: error on both sides, few slopes away from zero."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from collabeval.models.association_design import AssociationDesign

SLAB_SCALE, SLAB_DF = 1.0, 4.0  # a slope that is there: within about two standard deviations of improvement
TAILS = 3.0  # degrees of freedom of local scales: lighter than Cauchy, which few collaboratives cannot tame


def build_association_model(design: AssociationDesign) -> pm.Model:
    """Regularised horseshoe regression of improvement on features, both measured with error.

        improvement[c]  ~ Normal(level + Σ_f slope[f] · feature[c, f], √(residual_sd² + improvement_se[c]²))
        measured[c, f]  ~ Normal(feature[c, f], feature_se[c, f]);  feature[c, f] ~ Normal(0, feature_sd[f])
        slope[f]        = z[f] · tau · √(c² λ[f]² / (c² + tau² λ[f]²))
        λ ~ HalfStudentT(3), tau ~ HalfStudentT(3, tau_0), c² ~ InverseGamma(2, 2), z ~ Normal(0, 1)
        level ~ Normal(0, 1), residual_sd ~ HalfNormal(1), feature_sd ~ HalfNormal(1)

    Improvement is in standard deviations between collaboratives, features in standard deviations of what was measured,
    each about its mean. tau_0 = p / (F − p) / √C with p = 1: one of the F features is thought to matter (Piironen &
    Vehtari 2017, Electronic Journal of Statistics 11: 5018-5051). Estimand: `slope`. Exploratory: collaboratives choose
    how they work, and whatever goes with both a feature and improvement goes into its slope.
    """
    count, features = design.measured.shape
    tau_0 = 1.0 / max(features - 1.0, 1.0) / np.sqrt(count)
    with pm.Model(coords={"collaborative": design.collaboratives, "feature": design.features}) as model:
        local = pm.HalfStudentT("local", TAILS, 1.0, dims="feature")
        shrunk = tau_0 * pm.HalfStudentT("common", TAILS, 1.0)
        slab = pm.InverseGamma("slab", SLAB_DF / 2, SLAB_DF / 2 * SLAB_SCALE**2)
        scale = shrunk * local * pt.sqrt(slab / (slab + shrunk**2 * local**2))
        slope = pm.Deterministic("slope", scale * pm.Normal("raw_slope", 0, 1, dims="feature"), dims="feature")
        spread = pm.HalfNormal("feature_sd", 1.0, dims="feature")
        standard = pm.Normal("standard_feature", 0, 1, dims=("collaborative", "feature"))
        true = spread * standard
        pm.Normal("measured", true, design.measured_se, observed=design.measured)
        level, residual = pm.Normal("level", 0, 1), pm.HalfNormal("residual_sd", 1.0)
        spread_of = pt.sqrt(residual**2 + design.improvement_se**2)
        pm.Normal("improvement", level + pt.dot(true, slope), spread_of, observed=design.improvement)
    return model
