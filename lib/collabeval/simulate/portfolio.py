"""A funder's ten collaboratives over five years: sites out of one country, a known effect each, and why it differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.simulate.complete import Complete, complete
from collabeval.simulate.demo import TOWNS
from collabeval.simulate.draw import DIGITS, Behaviour, hospital
from collabeval.simulate.setting import PRACTICES, Array, Setting
from collabeval.simulate.topics import TOPICS, USUAL, Topic, TopicMeasure

SEED = 20260401
QUARTERS, FIRST = 20, "2021Q1"
FEATURES = ("positive_deviance", "coordination", "measurement", "levers", "leadership")
MOST_LEVEL, DRIFT_SD = 1.2, 0.12  # levels in the last year, spread evenly; change in a year
USUAL_GAIN, GAIN_SD = 1.0, 0.12  # of a collaborative's effect, as a multiple of what is usual for a measure
MATTERS, SLOPE = "coordination", 0.6  # a logit more of this feature adds so much to that multiple; of the others none
SITES = (10, 17)
LEAST_GAIN = 0.05
KINDS = ("general", "teaching", "community", "general")


@dataclass(frozen=True)
class SimulatedPortfolio:
    """Every collaborative by name; the register of sites (`national, collaborative, site`); the truth above them.

    `truth` has `collaborative, quantity, code, value`: `gain` (the effect of joining as a multiple of the usual one),
    `effect` of each measure on its link scale, `level` of each feature in the last year, and, of the portfolio as a
    whole (collaborative blank), `slope` of the gain on each feature, and `gain_sd` about that line.
    """

    collaboratives: dict[str, Complete]
    register: pd.DataFrame
    truth: pd.DataFrame


def portfolio(seed: int = SEED, count: int = len(TOPICS), quarters: int = QUARTERS) -> SimulatedPortfolio:
    """Simulate the first `count` of the ten collaboratives; a site may take part in several, and has one name."""
    generator = np.random.Generator(np.random.PCG64(seed))
    spread = np.linspace(-MOST_LEVEL, MOST_LEVEL, len(TOPICS)).round(DIGITS)
    last = np.column_stack([generator.permutation(spread) for _ in FEATURES])
    drifts = np.round(generator.normal(0, DRIFT_SD, last.shape), DIGITS)
    about = np.round(generator.normal(0, GAIN_SD, len(TOPICS)), DIGITS)
    gains = np.maximum(USUAL_GAIN + SLOPE * last[:, FEATURES.index(MATTERS)] + about, LEAST_GAIN)
    first = (last - (quarters // 4 - 1) * drifts).round(DIGITS)
    made: dict[str, Complete] = {}
    registers, truths = [], []
    for number, topic in enumerate(TOPICS[:count]):
        chosen = np.sort(generator.permutation(len(TOWNS))[: generator.integers(*SITES)])
        setting = replace(
            _setting(topic, chosen, seed + 1 + number, quarters, gains[number]),
            levels=_by_feature(first[number]),
            drifts=_by_feature(drifts[number]),
            practices=_practices(generator),
        )
        made[topic.name] = complete(setting)
        national = [f"N{town + 1:03d}" for town in chosen]
        registers.append(pd.DataFrame({"national": national, "collaborative": topic.name, "site": setting.codes}))
        truths.append(_truth(setting, topic.name, gains[number], _by_feature(last[number])))
    return SimulatedPortfolio(made, pd.concat(registers, ignore_index=True), _with_slopes(truths))


def _by_feature(values: Array) -> dict[str, float]:
    return dict(zip(FEATURES, map(float, values), strict=True))


def _with_slopes(truths: list[pd.DataFrame]) -> pd.DataFrame:
    """The truth of the collaboratives, and what lies behind their gains."""
    slopes = [SLOPE if feature == MATTERS else 0.0 for feature in FEATURES]
    whole = [
        pd.DataFrame({"quantity": "slope", "code": FEATURES, "value": slopes}),
        pd.DataFrame({"quantity": ["gain_sd"], "code": "", "value": GAIN_SD}),
    ]
    truth = pd.concat([*truths, *(part.assign(collaborative="") for part in whole)], ignore_index=True)
    return truth[["collaborative", "quantity", "code", "value"]].round({"value": 6})


def _practices(generator: np.random.Generator) -> dict[str, float]:
    """The same practices everywhere, some more usual here and some there."""
    shift = generator.normal(0, 0.15, len(PRACTICES)).round(2)
    usual = np.clip(np.array(list(PRACTICES.values())) + shift, 0.1, 0.9)
    return dict(zip(PRACTICES, map(float, usual.round(2)), strict=True))


def _setting(topic: Topic, towns: npt.NDArray[np.int64], seed: int, quarters: int, gain: float) -> Setting:
    codes = tuple(topic.code.format(number) for number in range(1, len(towns) + 1))
    names = tuple(hospital(TOWNS[town], KINDS[town % len(KINDS)], town) for town in towns)
    measures = {measure.code: behaviour(measure, gain) for measure in topic.measures}
    return Setting(
        measures=measures, levels={}, drifts={}, towns=names, names=names, codes=codes, seed=seed, quarters=quarters,
        first=FIRST, comparators=8,
    )  # fmt: skip


def behaviour(measure: TopicMeasure, gain: float) -> Behaviour:
    """How a measure behaves where joining adds `gain` times the usual: signs follow its direction."""
    usual = USUAL[measure.family]
    sign = -1.0 if measure.better == "lower" else 1.0
    return replace(
        usual,
        rate=measure.rate,
        improvement=round(sign * gain * usual.improvement, 6),
        deviant=sign * usual.deviant,
        worsening=-sign * usual.worsening,
        case_mix_sd=usual.case_mix_sd if measure.better == "lower" else 0.0,
    )


def _truth(setting: Setting, name: str, gain: float, levels: Mapping[str, float]) -> pd.DataFrame:
    rows = [("gain", "", gain)]
    rows += [("effect", code, measure.improvement) for code, measure in setting.measures.items()]
    rows += [("level", feature, level) for feature, level in levels.items()]
    return pd.DataFrame(rows, columns=["quantity", "code", "value"]).assign(collaborative=name)
