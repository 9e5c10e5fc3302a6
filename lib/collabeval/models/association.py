"""The model of features and improvement across collaboratives: error on both sides, few slopes away from zero."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from collabeval.models.association_design import AssociationDesign

SLAB_SCALE, SLAB_DF = 1.0, 4.0  # a slope that is there: within about two standard deviations of improvement


def build_association_model(design: AssociationDesign) -> pm.Model:
    """Regularised horseshoe regression of improvement on features, both measured with error.

        improvement[c] ~ Normal(level + Σ_f slope[f] · feature[c, f], √(residual_sd² + improvement_se[c]²))
        measured[c, f] ~ Normal(feature[c, f], feature_se[c, f]);  feature[c, f] ~ Normal(0, feature_sd[f])
        slope[f]       = z[f] · tau · √(c² λ[f]² / (c² + tau² λ[f]²))
        λ ~ HalfCauchy(1), tau ~ HalfCauchy(tau_0), c² ~ InverseGamma(2, 2), z ~ Normal(0, 1)
        level ~ Normal(0, 1), residual_sd ~ HalfNormal(1), feature_sd ~ HalfNormal(1)

    The true features are integrated out: given what was measured, feature[c, f] is normal about k · measured[c, f]
    with variance feature_sd² (1 − k), k = feature_sd² / (feature_sd² + feature_se²), so that an improvement is normal
    about level + Σ slope · k · measured with Σ slope² · feature_sd² (1 − k) more variance (Fuller 1987, Measurement
    Error Models, section 2.2).

    Improvement is in standard deviations between collaboratives, features in standard deviations of what was measured,
    each about its mean. tau_0 = p / (F − p) / √C with p = 1: one of the F features is thought to matter (Piironen &
    Vehtari 2017, Electronic Journal of Statistics 11: 5018-5051). Estimand: `slope`. Exploratory: collaboratives choose
    how they work, and whatever goes with both a feature and improvement goes into its slope.
    """
    count, features = design.measured.shape
    tau_0 = 1.0 / max(features - 1.0, 1.0) / np.sqrt(count)
    with pm.Model(coords={"collaborative": design.collaboratives, "feature": design.features}) as model:
        local = pm.HalfCauchy("local", 1.0, dims="feature")
        shrunk = tau_0 * pm.HalfCauchy("common", 1.0)
        slab = pm.InverseGamma("slab", SLAB_DF / 2, SLAB_DF / 2 * SLAB_SCALE**2)
        scale = shrunk * local * pt.sqrt(slab / (slab + shrunk**2 * local**2))
        slope = pm.Deterministic("slope", scale * pm.Normal("raw_slope", 0, 1, dims="feature"), dims="feature")
        spread = pm.HalfNormal("feature_sd", 1.0, dims="feature")
        level, residual = pm.Normal("level", 0, 1), pm.HalfNormal("residual_sd", 1.0)
        both = spread**2 + design.measured_se**2
        pm.Normal("measured", 0, pt.sqrt(both), observed=design.measured)
        told = spread**2 / both  # k: how much of a difference in what was measured is a difference in the feature
        unknown = pt.dot(spread**2 * (1 - told), slope**2)
        spread_of = pt.sqrt(residual**2 + design.improvement_se**2 + unknown)
        pm.Normal("improvement", level + pt.dot(told * design.measured, slope), spread_of, observed=design.improvement)
    return model
