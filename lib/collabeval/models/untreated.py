"""The model of outcomes outside the programme: sites before they join, and comparators."""

from __future__ import annotations

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models import priors
from collabeval.models.design import Design, default_intercept
from collabeval.models.families import OUTCOMES
from collabeval.models.forms import forms
from collabeval.models.terms import coordinates, overdispersion, programme_trend, site_level, site_slope
from collabeval.models.waves import LEAD_SD, SECULAR_SD, WAVE_SD, Waves, contrasts


def build_untreated_model(design: Design, waves: Waves) -> pm.Model:
    """Hierarchical model of untreated cells: one unit (a site or a comparator) in one period each.

        η[cell] = offset + intercept + scale · (secular · (time − mean_time) + trend[period] + wave[wave of unit]
                  + lead[event time] + site_level[unit] + site_slope[unit] · (time − mean_time) + overdispersion[cell])
        secular ~ Normal(0, 0.5) a year, wave ~ Normal(0, 1), lead ~ Normal(0, 1)

    A unit's level varies about the mean of its wave, so that those who join are not pulled towards those who never do.
    Leads, where asked for, are how far joiners were from parallel before joining; without them the trends are parallel.
    The rest, and the likelihood of each family, is that of site performance (models/terms.py).
    """
    coords = {**coordinates(design), "joining_wave": waves.labels, "event_time": waves.event_times}
    with pm.Model(coords=coords) as model:
        OUTCOMES[design.family](design, untreated_predictor(design, waves))
    return model


def untreated_predictor(design: Design, waves: Waves) -> TensorVariable:
    """η of each cell (N,), declared in the open PyMC model."""
    form = forms(design)
    of_wave, of_lead = contrasts(design, waves)
    intercept = priors.random("intercept", design.settings.priors.intercept or default_intercept(design))
    trend = programme_trend(design, form.trend)
    mean = intercept / design.scale + trend[design.period_index]
    mean = mean + pm.Normal("secular", 0.0, SECULAR_SD) * design.years
    level, standard = site_level(design, intercept / design.scale, pt.zeros(len(design.sites)), form.level)
    mean = mean + level[design.site_index]
    if waves.labels:
        mean = mean + pt.dot(of_wave, pm.Normal("wave", 0.0, WAVE_SD, dims="joining_wave"))
    if waves.with_leads:
        mean = mean + pt.dot(of_lead, pm.Normal("lead", 0.0, LEAD_SD, dims="event_time"))
    if design.trajectory:
        mean = mean + site_slope(design, standard, trend, form.slope)[design.site_index] * design.years
    if design.overdispersion:
        mean = mean + overdispersion(design, mean, form.cells)
    return design.offset + design.scale * mean
