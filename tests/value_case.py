"""A finished run with costs, hours and a stand-in for the effect of the programme, never fitted but for the burden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import fake_run
import value_stand_ins
from collabeval import draws, params_file
from collabeval.params import Params
from collabeval.run_folder import RunFolder
from collabeval.value.burden import COLUMNS
from collabeval.value.given import Given
from collabeval.value.worth import worth_tables


def params_of(value: dict[str, Any] | None, tables: tuple[str, ...] = ("costs", "burden"), **own: Any) -> Params:
    """Params of the fake run with a block `value` and these further tables."""
    fake = fake_run.Fake(**{"years": 8, "change": -0.35, "sites": 14, **own})
    blocks = fake_run.parameters(fake).model_dump(mode="json")
    blocks["data"] |= {table: f"{table}.csv" for table in tables}
    return Params.model_validate(blocks | {"value": value})


def make(
    folder: Path, params: Params, effect: pd.DataFrame | None, burden: pd.DataFrame | None = None, **own: Any
) -> RunFolder:
    """A run with every table the chapter reads; `burden` is the results table of that part, where it is wanted."""
    fake = fake_run.Fake(**{"years": 8, "change": -0.35, "sites": 14, "keep_draws": True, **own})
    run = fake_run.make(folder, fake)
    params_file.write_resolved(params, run)
    sites = run.read(run.sites).assign(joined=pd.Timestamp("2018-01-01"))
    given = Given(
        panel=run.read(run.panel),
        sites=sites,
        costs=value_stand_ins.yearly_costs(range(2018, 2023)) if "costs" in params.data.further else None,
        burden=value_stand_ins.burden_table(list(sites["site"]), range(2020, 2023))
        if "burden" in params.data.further
        else None,
        effect={} if effect is None else {"effect_draws": effect},
        trees={name: draws.load(run.draws(name)) for name in fake.measures},
    )
    run.write_data({name: table for name in ("costs", "burden") if (table := getattr(given, name)) is not None})
    empty = pd.DataFrame(columns=list(COLUMNS))
    run.write_tables({"value_burden": empty if burden is None else burden, **worth_tables(params, given)})
    return run
