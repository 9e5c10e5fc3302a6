"""The guide to the catalogue of ready indicators, `docs/indicators.md`, made from the catalogue itself."""

from __future__ import annotations

from pathlib import Path

from collabeval.params.catalogue import catalogue
from collabeval.params.indicators import Indicator
from collabeval.run_folder import written_whole

FEATURES = {
    "positive_deviance": "Learning from positive deviance",
    "coordination": "High-quality coordination",
    "measurement": "High-quality measurement and comparative performance feedback",
    "levers": "Careful use of motivational levers",
    "leadership": "Mobilising professional leadership and building community",
    "rigour": "Throughout: rigorous measurement",
    "accountability": "Throughout: accountability for quality",
    "burden": "Throughout: relief from needless burden",
}
OPENING = """\
# The catalogue of indicators

Made from `lib/collabeval/params/indicators.yml` by `collabeval.templates.write_catalogue_guide`.

Ready indicators of how a collaborative works, by the features of a high-performing one (McGowan et al., BMJ Open
2023;13:e076648). A params file names those it has data for, may set fields of one otherwise, and may define its own:

```yaml
data:
  indicators: data/stroke/indicators.csv
indicators:
  - data_on_time
  - {id: audit_agreement, target: 97}     # as in the catalogue, but with another target
  - id: newsletter                        # one of your own
    label: Newsletters sent
    feature: coordination
    family: binomial
    better: higher
    target: 90
```

Every key of a block: [params.md](params.md). The table of indicators: [data.md](data.md). How the estimates are made:
[methods.md](methods.md).

- **Family** says what a row holds: `binomial` a numerator out of a denominator, `poisson` a count over an exposure,
  `normal` a value.
- **Level** says who usually gives it: each site, or the coordinating centre for the collaborative as a whole. Either is
  read; the rows of one indicator are all of one kind.
- **Targets are starting points**, not standards, unless the source says otherwise: set those your collaborative has
  agreed on. A share has no target of 0 or 100%: no number of cases can show that it is reached.
- **People**: counts of these indicators tell of single patients or members of staff; small ones are hidden in reports.
- **Sources** say what is taken from a publication; the rest is the practice of coordinating centres, and no study is
  claimed for it.
"""


def catalogue_guide() -> str:
    """`docs/indicators.md`: one table of all, then each with its definition, source and reason, by feature."""
    entries = [Indicator.model_validate(fields) for fields in catalogue().values()]
    lines = [OPENING]
    for feature, title in FEATURES.items():
        mine = [entry for entry in entries if entry.feature == feature]
        lines += [f"## {title}", "", "| id | indicator | family | level | better | usual target |"]
        lines += ["|---|---|---|---|---|---|", *map(_row, mine), ""]
        for entry in mine:
            lines += _described(entry)
    return "\n".join(lines).rstrip("\n") + "\n"


def write_catalogue_guide(path: Path) -> Path:
    """Bring `docs/indicators.md` up to date."""
    with written_whole(path) as part:
        part.write_text(catalogue_guide(), encoding="utf-8")
    return path


def _row(entry: Indicator) -> str:
    cells = (f"`{entry.id}`", entry.label, entry.family, entry.level, entry.better, _target(entry) or "none")
    return f"| {' | '.join(cells)} |"


def _target(entry: Indicator) -> str:
    if entry.target is None:
        return ""
    unit = entry.shown_unit
    return f"{entry.target:g}{unit if unit == '%' else f' {unit}' if unit else ''}"


def _described(entry: Indicator) -> list[str]:
    counts = (
        f"*Value*: {entry.numerator}."
        if entry.family == "normal"
        else f"*Numerator*: {entry.numerator}. *Denominator*: {entry.denominator}."
    )
    people = " Counts people." if entry.people else ""
    return [
        f"**`{entry.id}`** {entry.definition} {counts}{people}",
        f"*Why*: {entry.why} *Where it falls short*: {entry.improve} *Source*: {entry.source}.",
        "",
    ]
