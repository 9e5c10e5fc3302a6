"""Invented tables for the tests of figures: plausible shapes, fixed seeds, no finding."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from collabeval.plots import FigureText

NAMES = (
    "Albany Med Ctr", "Arnot Ogden Med Ctr", "Bassett Medical Center", "Bellevue Hospital Ctr",
    "Buffalo General Med Ctr", "Champlain Valley", "Ellis Hospital", "Erie County Med Ctr", "Good Sam - Suffern",
    "Lenox Hill Hospital", "Long Island Jewish MC", "Maimonides Medical Ctr", "Mercy Hospital-Buffalo",
    "Montefiore - Moses", "Montefiore - Weiler", "Mount Sinai Beth Israel", "NYP Brooklyn Methodist",
    "NYU Langone-Long Island", "Rochester General Hosp", "St. Peter's Hospital",
)  # fmt: skip
LEVEL_TAGS = {"better": "better · {}", "worse": "worse · {}", "not_enough_data": "not enough data", "": ""}
TITLE = (
    "Three hospitals have more deaths than expected and none has clearly fewer; 30 cannot be told apart from the "
    "collaborative, and eight have too few patients to say"
)


def words_around() -> FigureText:
    """A text of the length that reports have."""
    return FigureText(
        title=TITLE,
        subtitle="Deaths after bypass surgery, observed ÷ expected for the case-mix, 2010–2019.",
        note="Dot: estimate after partial pooling. Thick line: 1 chance in 2 that the truth is inside. Thin line: 95 "
        "in 100. Triangle: better. Diamond: worse. Hollow: not enough data. Words follow a rule. Data: invented.",
        alt="Invented.",
        noun="hospitals",
    )


def site_names(count: int) -> list[str]:
    """As many different names."""
    return list(NAMES[:count]) if count <= len(NAMES) else [f"Hospital {number}" for number in range(101, 101 + count)]


def chance(share: float) -> str:
    """A chance as reports word it."""
    return "more than\u00a099\u00a0in\u00a0100" if share > 0.99 else f"{round(100 * share)}\u00a0in\u00a0100"


def level_rows(count: int, seed: int = 1, spread: float = 0.3, centre: float = 1.0) -> pd.DataFrame:
    """Rows of a caterpillar on a ratio scale, best first."""
    rng = np.random.default_rng(seed)
    deaths = np.exp(rng.normal(3.2, 0.8, count))
    error = 1 / np.sqrt(deaths + 1 / spread**2)
    middle = rng.normal(0, spread * 0.9, count)
    rows = pd.DataFrame({"label": site_names(count), "log": middle, "error": error, "deaths": deaths})
    for name, z in (("q025", -1.96), ("q25", -0.674), ("q50", 0.0), ("q75", 0.674), ("q975", 1.96)):
        rows[name] = centre * np.exp(middle + z * error)
    p = stats.norm.cdf(-middle / error)
    few = deaths < 8
    rows["word"] = np.select([few, p >= 0.975, p <= 0.025], ["not_enough_data", "better", "worse"], "")
    sure = [chance(max(share, 1 - share)) for share in p]
    rows["tag"] = [LEVEL_TAGS[word].format(words) for word, words in zip(rows["word"], sure, strict=True)]
    return rows.sort_values("q50", ignore_index=True)


def scorecard_rows(count: int, seed: int = 1) -> pd.DataFrame:
    """Rows of a scorecard, most points first: points on the data, and the interval of those in truth."""
    rng = np.random.default_rng(seed)
    points = np.sort(rng.integers(20, 101, count))[::-1].astype(float)
    rows = pd.DataFrame({"label": site_names(count), "points": points})
    centre = 60 + 0.7 * (points - 60)
    for name, z in (("q025", -1.96), ("q25", -0.674), ("q50", 0.0), ("q75", 0.674), ("q975", 1.96)):
        rows[name] = np.clip(centre + 8 * z, 0, 100)
    rows["word"] = np.where(np.abs(points - 70) < 6, "award_in_doubt", "")
    rows["tag"] = [f"full award, {chance(0.5)}" if word else "half award" for word in rows["word"]]
    return rows


def funnel_rows(count: int, seed: int = 1, spread: float = 0.25) -> pd.DataFrame:
    """Rows of a funnel plot."""
    rng = np.random.default_rng(seed)
    expected = np.exp(rng.normal(2.2, 0.7, count))
    observed = rng.poisson(expected * np.exp(rng.normal(0, spread, count)))
    low, high = stats.poisson.ppf(0.001, expected), stats.poisson.ppf(0.999, expected)
    flag = np.select([observed > high, observed < low], ["above_998", "below_998"], "")
    wide = np.abs(np.log((observed + 0.5) / expected)) > 3.09 * np.sqrt(1 / expected + 0.04)
    tag = [f"{seen} deaths, {mean:.1f} expected" for seen, mean in zip(observed, expected, strict=True)]
    return pd.DataFrame(
        {"label": site_names(count), "expected": expected, "ratio": observed / expected, "flag": flag,
         "flag_overdispersed": np.where(wide, flag, ""), "tag": tag}
    )  # fmt: skip


def funnel_curves(largest: float) -> pd.DataFrame:
    """Smooth limits over a grid of expected numbers."""
    x = np.geomspace(0.8, largest * 1.1, 250)
    curves = {"expected": x, "centre": np.ones_like(x)}
    for name, tail in (("95", 0.025), ("998", 0.001)):
        curves[f"lower_{name}"] = stats.chi2.ppf(tail, 2 * x) / 2 / x
        curves[f"upper_{name}"] = stats.chi2.ppf(1 - tail, 2 * x + 2) / 2 / x
    reach = 3.09 * np.sqrt(1 / x + 0.04)
    return pd.DataFrame(curves | {"lower_od": np.exp(-reach), "upper_od": np.exp(reach)})


def periods(count: int, kind: str = "year") -> list[str]:
    """Period labels: years, quarters or months."""
    if kind == "year":
        return [str(2010 + number) for number in range(count)]
    parts = {"quarter": 4, "month": 12}[kind]
    names = [f"Q{part}" if kind == "quarter" else f"-{part:02d}" for part in range(1, parts + 1)]
    return [f"{2015 + number // parts}{names[number % parts]}" for number in range(count)]


def fan(count: int = 10, seed: int = 1, kind: str = "year", level: float = 15.0) -> pd.DataFrame:
    """A programme's trend."""
    rng = np.random.default_rng(seed)
    middle = level * np.exp(np.cumsum(rng.normal(0, 0.03, count)))
    rows = pd.DataFrame({"period": periods(count, kind), "observed": middle + rng.normal(0, 0.08 * level, count)})
    quantiles = (
        ("q025", -1.96),
        ("q10", -1.28),
        ("q25", -0.67),
        ("q50", 0),
        ("q75", 0.67),
        ("q90", 1.28),
        ("q975", 1.96),
    )
    return rows.assign(**{name: middle * np.exp(0.06 * z) for name, z in quantiles})


def panels(sites: int, count: int = 10, seed: int = 1, kind: str = "year") -> pd.DataFrame:
    """Rows of small multiples: one per site and period, most improved first."""
    rng = np.random.default_rng(seed)
    slopes = np.sort(rng.normal(0, 0.6, sites))
    frames = []
    for name, slope in zip(site_names(sites), slopes, strict=True):
        middle = rng.normal(0, 0.15) + slope * np.linspace(-0.5, 0.5, count)
        word = "improved" if slope < -1 else "worsened" if slope > 1 else ""
        frame = pd.DataFrame({"label": name, "period": periods(count, kind), "q50": np.exp(middle)})
        frame = frame.assign(q025=frame["q50"] / 1.4, q975=frame["q50"] * 1.4, size=rng.integers(50, 900))
        frame["observed"] = frame["q50"] * np.exp(rng.normal(0, 0.35, count))
        frames.append(frame.assign(word=word, tag=f"{word} · {chance(0.97)}" if word else ""))
    return pd.concat(frames, ignore_index=True)


def rank_rows(count: int, seed: int = 1, noise: float = 0.25) -> pd.DataFrame:
    """Rows of the rank plot, by expected rank."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(0, 0.3, count) + noise * rng.normal(size=(2000, count))
    places = draws.argsort(axis=1).argsort(axis=1) + 1
    rows = pd.DataFrame({"label": site_names(count), "mean": places.mean(axis=0)})
    for name, share in (("q025", 0.025), ("q25", 0.25), ("q75", 0.75), ("q975", 0.975)):
        rows[name] = np.quantile(places, share, axis=0, method="nearest")
    rows["tag"] = [f"{low:.0f} to {high:.0f}" for low, high in zip(rows["q025"], rows["q975"], strict=True)]
    return rows.sort_values("mean", ignore_index=True)


def change_rows(count: int, seed: int = 1) -> pd.DataFrame:
    """Rows of the change plot: rates per 1,000 and their difference, most improved first."""
    rng = np.random.default_rng(seed)
    baseline, middle, error = rng.normal(15, 3, count), rng.normal(0.3, 2.0, count), rng.uniform(0.8, 2.0, count)
    rows = pd.DataFrame({"label": site_names(count), "baseline": baseline, "current": baseline + middle})
    for name, z in (("q025", -1.96), ("q25", -0.674), ("q50", 0.0), ("q75", 0.674), ("q975", 1.96)):
        rows[name] = middle + z * error
    p = stats.norm.cdf(-middle / error)
    rows["word"] = np.select([p >= 0.95, p <= 0.05], ["improved", "worsened"], "no_clear_change")
    sure = [chance(max(share, 1 - share)) for share in p]
    rows["tag"] = [f"{w} · {s}" if w != "no_clear_change" else "" for w, s in zip(rows["word"], sure, strict=True)]
    return rows.sort_values("q50", ignore_index=True)


def spc_rows(count: int = 24, seed: int = 1) -> pd.DataFrame:
    """Rows of an XmR chart with a point beyond a limit and a shift."""
    rng = np.random.default_rng(seed)
    value = rng.normal(20, 2, count)
    rows = pd.DataFrame(
        {"period": periods(count, "month"), "value": value, "centre": 20.0, "lower": 13.0, "upper": 27.0}
    )
    rows["flag"], rows["word"] = "", ""
    if count >= 20:
        rows.loc[4, ["value", "flag", "word"]] = [29.0, "beyond_limits", "worsened"]
        rows.loc[range(11, 18), "value"] = rng.normal(16.5, 0.8, 7)
        rows.loc[range(11, 18), ["flag", "word"]] = ["shift", "improved"]
    return rows


def event_rows(before: int, after: int, size: float = 1.0, seed: int = 7) -> pd.DataFrame:
    """Rows of an event study: so many times before the reference, and from joining on."""
    rng = np.random.default_rng(seed)
    times = np.arange(-before - 1, after) if before else np.arange(-1, after)
    rows = pd.DataFrame(
        {"event_time": times, "phase": np.select([times == -1, times < 0], ["reference", "before"], "after")}
    )
    middle = size * (rng.normal(0, 0.4, len(times)) - 0.2 * (times + 1).clip(min=0))
    width = np.where(times == -1, 0.0, size * (0.5 + 0.05 * np.abs(times)))
    for name, z in (("q025", -1.96), ("q25", -0.674), ("q50", 0.0), ("q75", 0.674), ("q975", 1.96)):
        rows[name] = np.where(times == -1, 0.0, middle + z * width)
    return rows


def indicator_plot_rows(count: int, units: tuple[str, ...] = ("%", "days")) -> pd.DataFrame:
    """Rows of a figure of indicators: at target, short of it, undecided, one without interval, one hidden."""
    rng = np.random.default_rng(5)
    per_unit = -(-count // len(units))
    rows = pd.DataFrame({"unit": np.repeat(units, per_unit)[:count], "q50": rng.uniform(40, 97, count)})
    for name, z in (("q025", -1.96), ("q25", -0.674), ("q75", 0.674), ("q975", 1.96)):
        rows[name] = np.minimum(rows["q50"] + 3 * z, 100)
    words = ["at_target", "off_target", "unclear", ""]
    rows["word"] = [words[number % 4] for number in range(count)]
    rows["label"] = [f"Sites with a signal and an action plan in {number} days" for number in range(count)]
    rows["detail"], rows["target"] = "target at least 80%", 80.0
    rows["last"] = rows["q50"] + rng.normal(0, 4, count)
    rows["value"] = [f"{value:.0f}, short of target" for value in rows["q50"]]
    rows["tag"] = "almost certainly: more than\u00a099\u00a0in\u00a0100"
    rows.loc[rows.index % 5 == 3, ["q025", "q25", "q75", "q975"]] = np.nan
    rows.loc[rows.index % 7 == 6, ["q025", "q25", "q50", "q75", "q975", "last"]] = np.nan
    return rows
