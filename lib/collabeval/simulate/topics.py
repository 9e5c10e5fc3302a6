"""What ten invented collaboratives are about: their measures, how these behave, and what an event costs."""

from __future__ import annotations

from dataclasses import dataclass

from collabeval.params import Family
from collabeval.simulate.draw import Behaviour

# by family: how a measure behaves that nothing else is said of; the improvement is that of a middling collaborative
USUAL: dict[Family, Behaviour] = {
    "binomial": Behaviour("binomial", 0.1, 0.25, 0.05, 0.08, 0.4, 0.9, 0.3, case_mix_sd=0.12),
    "poisson": Behaviour("poisson", 0.01, 0.28, 0.06, 0.10, 0.4, 1.1, 0.3, exposure=6.0),
    "normal": Behaviour("normal", 8.0, 0.20, 0.04, 0.05, 0.25, 0.5, 0.15, spread=3.5),
}


@dataclass(frozen=True)
class TopicMeasure:
    """One measure; `rate` before the collaborative began, per case or (normal) as a mean."""

    code: str
    label: str
    family: Family
    better: str
    events: str
    rate: float
    cost: int = 0  # of one event; 0: none is given


@dataclass(frozen=True)
class Topic:
    """One collaborative: its title, what it calls its sites (`code`), its cases, its measures, the leading first."""

    name: str
    title: str
    code: str
    cases: str
    measures: tuple[TopicMeasure, ...]


def _topic(name: str, title: str, code: str, cases: str, *measures: TopicMeasure) -> Topic:
    return Topic(name, title, code, cases, measures)


M = TopicMeasure
TOPICS = (
    _topic("hips", "Safer Hip Replacement", "H{:02d}", "operations",
           M("readmission", "Readmissions within 30 days", "binomial", "lower", "readmissions", 0.11, 9_000),
           M("early_walking", "Patients who walk on the day of surgery", "binomial", "higher", "walkers", 0.6)),
    _topic("stroke", "Better Stroke Care", "ST{}", "strokes",
           M("death", "Deaths within 30 days of a stroke", "binomial", "lower", "deaths", 0.14, 12_000),
           M("unit_in_time", "Patients on a stroke unit within hours", "binomial", "higher", "arrivals", 0.55)),
    _topic("births", "Safer Births", "{:03d}", "births",
           M("tear", "Severe tears in vaginal births", "binomial", "lower", "tears", 0.06, 4_500),
           M("haemorrhage", "Haemorrhages after birth", "binomial", "lower", "haemorrhages", 0.09, 3_800)),
    _topic("sepsis", "Sepsis in Time", "sep-{}", "patients",
           M("death", "Deaths in hospital from sepsis", "binomial", "lower", "deaths", 0.2, 14_000),
           M("stay", "Days in intensive care", "normal", "lower", "days", 7.5)),
    _topic("falls", "Wards without Falls", "W{:02d}", "days in hospital",
           M("fall", "Falls on the ward", "poisson", "lower", "falls", 0.014, 2_600),
           M("ulcer", "Pressure ulcers", "poisson", "lower", "ulcers", 0.011, 5_200)),
    _topic("bowel", "Bowel Surgery Together", "B{}", "operations",
           M("complication", "Major complications of surgery", "binomial", "lower", "complications", 0.16, 18_000),
           M("home_early", "Patients home within five days", "binomial", "higher", "patients home early", 0.5)),
    _topic("heart", "Heart Failure Network", "{}", "patients",
           M("readmission", "Readmissions within 90 days", "binomial", "lower", "readmissions", 0.24, 8_000),
           M("medicine", "Patients on all four medicines", "binomial", "higher", "patients treated", 0.4)),
    _topic("newborn", "Newborn Intensive Care", "N-{:02d}", "days in hospital",
           M("infection", "Infections of central lines", "poisson", "lower", "infections", 0.009, 21_000),
           M("cold", "Babies cold on arrival", "binomial", "lower", "cold babies", 0.2)),
    _topic("emphysema", "Breathing Easier", "E{:02d}", "admissions",
           M("readmission", "Readmissions within 30 days", "binomial", "lower", "readmissions", 0.19, 6_500),
           M("bundle", "Patients who leave with the whole bundle", "binomial", "higher", "bundles", 0.35)),
    _topic("kidneys", "Kidneys Protected", "K{:02d}", "patients",
           M("injury", "Kidney injuries acquired in hospital", "binomial", "lower", "injuries", 0.08, 7_000),
           M("stay", "Days in hospital", "normal", "lower", "days", 9.0)),
)  # fmt: skip
