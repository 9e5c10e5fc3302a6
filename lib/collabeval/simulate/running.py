"""What running a collaborative takes: records abstracted twice, hours and money, and what scoring is to skip."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.simulate.draw import DIGITS
from collabeval.simulate.setting import PER_YEAR, Setting, Truth

# field -> share on which both abstractors agree in a middling site, share on which they would agree by chance
FIELDS = {
    "age": (0.99, 0.05),
    "smoking": (0.93, 0.6),
    "asa_grade": (0.85, 0.45),
    "complication": (0.92, 0.78),
    "discharged_home": (0.97, 0.7),
}
AUDITED, AUDIT_SD = 24, 0.4
MINUTES, MINUTES_SD, WAGE = 52.0, 0.25, 38.0  # per case in a middling site; spread of its logarithm; an hour's wage
# item -> what it costs in a year for each site, and a fixed sum
ITEMS = {
    "coordinating_centre": (9_000, 190_000),
    "meetings": (2_200, 18_000),
    "data_platform": (1_500, 60_000),
    "payments_to_sites": (12_000, 0),
}
WAIVED = (
    ("A new electronic record was taken into use.", 0.5, 1.0, ""),
    ("The ward was closed after a flood.", 1.0, 1.25, ""),
    ("The abstractor's post is vacant.", 1.5, None, "data_on_time"),
)  # fmt: skip


def make_audit(generator: np.random.Generator, setting: Setting, sites: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Each site's re-abstracted records, by year and field; agreement rises with the feature of measurement."""
    own = np.round(generator.normal(0, AUDIT_SD, len(sites)), DIGITS)
    truth.add("audit", "site_effect", own, site=sites["site"])
    parts = []
    for year in setting.years:
        for name, (usual, chance) in FIELDS.items():
            common = np.log(usual / (1 - usual)) + 0.5 * setting.level("measurement", year)
            truth.add("audit", "agreement", 1 / (1 + np.exp(-common)), code=name, period=year)
            checked = generator.poisson(AUDITED, len(sites)) + 5
            agreed = generator.binomial(checked, np.round(1 / (1 + np.exp(-common - own)), DIGITS))
            row = {"site": sites["site"], "period": year, "field": name, "checked": checked, "agreed": agreed}
            parts.append(pd.DataFrame({**row, "chance": chance}))
    return pd.concat(parts, ignore_index=True)


def make_burden(generator: np.random.Generator, setting: Setting, sites: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Hours and cost of each site's abstraction by year; every year takes three per cent less."""
    minutes = np.round(MINUTES * np.exp(generator.normal(0, MINUTES_SD, len(sites))), 3)
    truth.add("burden", "minutes_per_case", minutes, site=sites["site"], period=setting.years[0])
    parts = []
    for number, year in enumerate(setting.years):
        cases = generator.poisson(sites["volume"].to_numpy() * PER_YEAR)
        noise = generator.normal(0, 0.06, len(sites))
        hours = np.round(cases * minutes * 0.97**number * (1 + noise) / 60, 0)
        cost = np.round(hours * WAGE * setting.money_scale, -1)
        parts.append(
            pd.DataFrame({"site": sites["site"], "period": year, "hours": hours, "cases": cases, "cost": cost})
        )
    table = pd.concat(parts, ignore_index=True)
    return table.astype({"hours": int, "cases": int, "cost": int})


def make_costs(generator: np.random.Generator, setting: Setting, truth: Truth) -> pd.DataFrame:
    """What the programme costs, by year and item."""
    rows = []
    for number, year in enumerate(setting.years):
        for item, (each, fixed) in ITEMS.items():
            usual = (each * len(setting.towns) + fixed) * 1.03**number * setting.money_scale
            rows.append((year, item, int(np.round(usual * generator.uniform(0.95, 1.05), -3))))
    table = pd.DataFrame(rows, columns=["period", "item", "amount"])
    truth.add("costs", "total", table["amount"].sum())
    return table


def make_waivers(generator: np.random.Generator, setting: Setting, sites: pd.DataFrame) -> pd.DataFrame:
    """Three sites, each with something that scoring skips in the last years; one waiver is still open."""
    chosen = sites["site"].to_numpy()[np.sort(generator.permutation(len(sites))[: len(WAIVED)])]
    first = setting.quarters - 2 * PER_YEAR
    rows = []
    for site, (reason, begins, ends, measure) in zip(chosen, WAIVED, strict=False):
        start = setting.start.shifted(first + round(begins * PER_YEAR)).start
        end = "" if ends is None else _day_before(setting, first + round(ends * PER_YEAR))
        rows.append((site, start.isoformat(), end, measure, reason))
    return pd.DataFrame(rows, columns=["site", "from", "to", "measure", "reason"])


def _day_before(setting: Setting, quarter: int) -> str:
    return str((pd.Timestamp(setting.start.shifted(quarter).start) - pd.Timedelta(days=1)).date())
