"""The published view of a run: the only thing that sections, tables, figures and sentences may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collabeval.disclosure.indicators import PublishedIndicators
from collabeval.panel import Windows
from collabeval.params import Measure, Params

if TYPE_CHECKING:
    import pandas as pd

    from collabeval.command import Command
    from collabeval.disclosure.audit import AuditView, RatingsView
    from collabeval.disclosure.command import PublishedCommand
    from collabeval.disclosure.composites import Composites
    from collabeval.disclosure.effect import Effect
    from collabeval.disclosure.practices import Practices
    from collabeval.disclosure.profile import ProfileView
    from collabeval.disclosure.scorecards import PublishedScorecard
    from collabeval.disclosure.survey import SurveyView
    from collabeval.disclosure.threats import Threats
    from collabeval.disclosure.value import PublishedValue


@dataclass(frozen=True)
class MeasureView:
    """One measure as the report speaks of it.

    ``base`` is the number of cases a rate is given for ("per 1,000"), the same all through the report; 1 for means.
    ``adjusted`` says whether every row came with its own expected value (case-mix from outside).
    ``hidden`` counts the sites whose number of events in the current window is not shown.
    """

    name: str
    params: Measure
    base: int
    adjusted: bool
    windows: Windows
    hidden: int = 0

    @property
    def is_mean(self) -> bool:
        return self.params.family == "normal"

    @property
    def has_case_mix(self) -> bool:
        """Whether a case-mix model of this evaluation adjusts it (`adjusted` says that predicted numbers are there)."""
        return self.params.records is not None and bool(self.params.records.case_mix)

    @property
    def has_change(self) -> bool:
        return self.windows.baseline is not None


@dataclass(frozen=True)
class Run:
    """The tables of a run as its steps left them: confidential, read by `publish` and by nothing after it."""

    sites: pd.DataFrame
    panel: pd.DataFrame
    quality: pd.DataFrame
    site_estimates: pd.DataFrame
    site_probabilities: pd.DataFrame
    site_statements: pd.DataFrame
    programme_estimates: pd.DataFrame
    programme_trend: pd.DataFrame
    funnel: pd.DataFrame
    spc: pd.DataFrame
    diagnostics: pd.DataFrame
    threats: Mapping[str, pd.DataFrame]
    case_mix_calibration: pd.DataFrame | None = None
    case_mix_deciles: pd.DataFrame | None = None
    further: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # results of the further analyses, by name
    given: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # the further tables as the contract left them
    command: Command | None = None  # that asked for the run, where it is known


@dataclass(frozen=True)
class Published:
    """What may be shown. Every `site` is a label; a number that is not shown is NaN; rates are per `base` of a measure.

    Attributes
    ----------
    measures : the measures in the order of the report: the leading outcome first.
    counts : measure, site, window (``current`` or ``baseline``), numerator, denominator, expected, cases, hidden.
    probabilities : events of the collaborative as a whole; those of sites are said in `statements`.
    diagnostics : the checks of the fit; `changes` has a line "label<tab>what" for each word that is in doubt.
    cells : measure, site, period, observed: the recorded ratio (for means: the mean) of one site in one period.
    totals : measure, window (``current``, ``baseline`` or ``all``), sites, numerator, denominator, years.
    estimates, programme, statements, funnel, spc, trend, diagnostics, quality : the results tables after disclosure;
        ``estimates`` and ``statements`` carry `hidden`.
    fingerprint : SHA-256 of the analysed rows; "" where it must not be told.
    curves : the smooth limits of each measure's funnel.
    indicators : how the collaborative works; None without indicators.
    case_mix_years, case_mix_tenths : calibration of the case-mix models by year, and by tenths of the prediction.
    scorecards : the performance indices, () where there are none.
    threats : what could be wrong with the conclusions, and covariates of the model.
    survey, ratings, audit, profile : what people and audits say and the scores of the features; None without data.
    effect : what of the change is due to the programme; None where the run has no such step.
    value : burden and value; None where the run has no such step.
    command : how to make the report again, as far as it may be told; None where it is not known.
    """

    params: Params
    measures: tuple[MeasureView, ...]
    counts: pd.DataFrame
    cells: pd.DataFrame
    totals: pd.DataFrame
    estimates: pd.DataFrame
    statements: pd.DataFrame
    probabilities: pd.DataFrame
    programme: pd.DataFrame
    trend: pd.DataFrame
    funnel: pd.DataFrame
    curves: Mapping[str, pd.DataFrame]
    spc: pd.DataFrame
    diagnostics: pd.DataFrame
    quality: pd.DataFrame
    fingerprint: str
    case_mix_years: pd.DataFrame
    case_mix_tenths: pd.DataFrame
    threats: Threats
    composites: Composites | None = None
    practices: Practices | None = None
    scorecards: tuple[PublishedScorecard, ...] = ()
    effect: Effect | None = None
    indicators: PublishedIndicators | None = None
    value: PublishedValue | None = None
    survey: SurveyView | None = None
    ratings: RatingsView | None = None
    audit: AuditView | None = None
    profile: ProfileView | None = None
    command: PublishedCommand | None = None

    @property
    def lead(self) -> MeasureView:
        return self.measures[0]

    @property
    def hides_counts(self) -> bool:
        return self.params.report.minimum_cell > 1

    @property
    def tells_hashes(self) -> bool:
        """Whether plain hashes and the seed may be printed: with hidden counts or codes they let a guess be checked."""
        return bool(self.fingerprint)
