"""Figures of the report: one file each, from tidy tables that have passed disclosure control to SVG with real text.

Nothing is computed here but geometry. Each figure takes its rows and a `FigureText`, and returns a matplotlib Figure
for `save_svg`.
"""

from collabeval.plots.caterpillar import caterpillar
from collabeval.plots.change import change
from collabeval.plots.event_study import EventLabels, event_study
from collabeval.plots.funnel import funnel
from collabeval.plots.indicators import fit_on_a_page, indicators
from collabeval.plots.portfolio_features import portfolio_features
from collabeval.plots.profile import scores
from collabeval.plots.ranks import ranks
from collabeval.plots.saving import save_svg, svg
from collabeval.plots.scales import Axis
from collabeval.plots.scorecard import scorecard
from collabeval.plots.small_multiples import MOST_PANELS, small_multiples
from collabeval.plots.spc import spc
from collabeval.plots.style import FigureText, font_files
from collabeval.plots.trend import TrendLabels, trend
from collabeval.plots.value import value
from collabeval.plots.value_curve import Declared, value_curve
from collabeval.plots.value_tornado import value_tornado

__all__ = [
    "MOST_PANELS",
    "Axis",
    "Declared",
    "EventLabels",
    "FigureText",
    "TrendLabels",
    "caterpillar",
    "change",
    "event_study",
    "fit_on_a_page",
    "font_files",
    "funnel",
    "indicators",
    "portfolio_features",
    "ranks",
    "save_svg",
    "scorecard",
    "scores",
    "small_multiples",
    "spc",
    "svg",
    "trend",
    "value",
    "value_curve",
    "value_tornado",
]
