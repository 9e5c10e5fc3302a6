"""The files of an invented portfolio: data of each collaborative, its params, the register, the portfolio's params."""

from __future__ import annotations

from pathlib import PurePosixPath

from collabeval.params import FURTHER_TABLES
from collabeval.simulate.indicators import INDICATORS
from collabeval.simulate.opinions import ITEMS, QUESTIONS
from collabeval.simulate.portfolio import FIRST, SEED, SimulatedPortfolio
from collabeval.simulate.topics import TOPICS, Topic, TopicMeasure

PARAMS = """\
# Invented, made by `collabeval simulate {folder} --portfolio`, as are its data.
# What all its collaboratives share stands in _defaults.yml beside this file.
collaborative: {name}
title: {title}
edition: "{year}"
data:
{tables}
  note: "Data: simulated; every hospital is invented."
periods: {{length: quarter, baseline: ["{first}Q1", "{first}Q4"], current: ["{year}Q1", "{year}Q4"]}}
measures:
{measures}value:
  cost_per_event:
{costs}sampling: {{seed: {seed}}}
"""
COST = "    {code}: {{mean: {cost}, low: {low}, high: {high}, source: invented for this demonstration}}\n"
MEASURE = """\
  {code}:
    label: {label}
    family: {family}
    better: {better}
    per: {per}
    unit: {unit}
    events: {events}
    cases: {cases}
    minimal_difference: {minimal}
    minimum_denominator: 30
"""
PORTFOLIO = """\
# Invented, made by `collabeval simulate {folder} --portfolio`, as are the data: docs/portfolio.md.
portfolio: demo_portfolio
title: The collaboratives of one funder, a demonstration
edition: "{year}"
site_register: {folder}/register.csv
collaboratives:
{rows}
sampling: {{seed: {seed}}}
report: {{site_noun: [hospital, hospitals]}}
"""


def portfolio_files(made: SimulatedPortfolio, folder: PurePosixPath, seed: int = SEED) -> dict[str, str]:
    """Text of every file by its path below the folder; params name the folder as it is given, from where one works."""
    files: dict[str, str] = {}
    for name, simulated in made.collaboratives.items():
        files |= {f"{name}/{file}": text for file, text in simulated.files().items()}
        files[f"params/{name}.yml"] = params_text(name, simulated.tables["outcomes"]["period"].max(), folder, seed)
    last = next(iter(made.collaboratives.values())).tables["outcomes"]["period"].max()
    files["params/_defaults.yml"] = defaults_text()
    files["portfolio.yml"] = portfolio_text(list(made.collaboratives), last, folder, seed)
    for name, table in (("register", made.register), ("truth", made.truth)):
        files[f"{name}.csv"] = table.to_csv(index=False, lineterminator="\n")
    return files


def params_text(name: str, last: str, folder: PurePosixPath, seed: int) -> str:
    """The params file of one collaborative, whose last quarter is `last`."""
    topic = next(topic for topic in TOPICS if topic.name == name)
    tables = "\n".join(f"  {table}: {folder}/{name}/{table}.csv" for table in ("sites", "outcomes", *FURTHER_TABLES))
    return PARAMS.format(
        folder=folder, name=name, title=topic.title, year=last[:4], first=FIRST[:4], tables=tables,
        measures="".join(_measure(topic, measure) for measure in topic.measures), seed=seed + TOPICS.index(topic),
        costs="".join(_cost(measure) for measure in topic.measures if measure.cost),
    )  # fmt: skip


def _cost(measure: TopicMeasure) -> str:
    low, high = (round(measure.cost * factor, -2) for factor in (0.6, 1.5))
    return COST.format(code=measure.code, cost=measure.cost, low=int(low), high=int(high))


def _measure(topic: Topic, measure: TopicMeasure) -> str:
    per = {"binomial": 100, "poisson": 1000, "normal": 1}[measure.family]
    unit = "days" if measure.family == "normal" else f"{measure.events} per {per:,} {topic.cases}"
    minimal = 0.3 if measure.family == "normal" else max(round(0.1 * measure.rate * per, 1), 0.1)
    cases = "patients" if measure.family == "normal" else topic.cases
    return MEASURE.format(
        code=measure.code, label=measure.label, family=measure.family, better=measure.better, per=per, unit=unit,
        events=measure.events, cases=cases, minimal=minimal,
    )  # fmt: skip


def defaults_text() -> str:
    """What the collaboratives share: indicators, survey, model, report."""
    items = "".join(f"    {code}: {{feature: {ITEMS[code][0]}, text: {text}}}\n" for code, text in QUESTIONS.items())
    indicators = "".join(f"  - {one.code}\n" for one in INDICATORS)
    return (
        "# What every collaborative of this portfolio shares; its own params file goes over it.\n"
        f"indicators:\n{indicators}survey:\n  items:\n{items}"
        "value: {currency: US$, price_year: 2025, discount_rate: 0.03, inflation: 0.025}\n"
        "model: {site_effects: normal, trajectory: true, trend: random_walk, overdispersion: auto}\n"
        "report: {formats: [html, pdf], sites: coded, minimum_cell: 5, site_noun: [hospital, hospitals]}\n"
    )


def portfolio_text(members: list[str], last: str, folder: PurePosixPath, seed: int) -> str:
    """The params of the portfolio."""
    rows = "\n".join(f"  {member}: {{params: {folder}/params/{member}.yml}}" for member in members)
    return PORTFOLIO.format(folder=folder, year=last[:4], rows=rows, seed=seed)
