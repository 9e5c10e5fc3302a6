"""What goes with improvement: slopes on the five features, where there are collaboratives enough; and their checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from collabeval.convergence import Mixing
from collabeval.diagnostics.check import Check, as_table
from collabeval.diagnostics.sampling import convergence
from collabeval.diagnostics.sampling import sampling as sampler_checks
from collabeval.estimates.summaries import SUMMARY, Drawn, summarise
from collabeval.fit.association import AssociationDraws, sample_association
from collabeval.models.association_design import AssociationDesign, standardised
from collabeval.params import Sampling
from collabeval.params.indicators import FIVE
from collabeval.portfolio.improvement import one_basis

MINIMUM = 8  # collaboratives with a score of every feature and an improvement, below which nothing is estimated
FIGURE = 20  # below which there is a table and no figure
POINTS = 10.0  # a slope is told for so many points of a feature
SLOPES = ["feature", "basis", "collaboratives", "estimand", *SUMMARY, "event", "probability"]
DRAWS = ["draw", "feature", "slope"]
MODEL = "features and improvement"


def association(
    tables: Mapping[str, pd.DataFrame], sampling: Sampling, tell: Callable[[str], None] | None = None
) -> dict[str, pd.DataFrame]:
    """`portfolio_association`, its draws, and `diagnostics`, from the tables that `gather` made.

    `slope` is the improvement (minus the log of what is not wanted) that goes with `POINTS` more of a feature; the
    event `positive` has its chance. Without collaboratives enough only `collaboratives` is told, with a blank feature.
    """
    design, basis = association_design(tables)
    members = tables["portfolio_members"]
    checks = provisional(members)
    if design is None:
        nothing = pd.DataFrame([{"feature": "", "basis": basis, "collaboratives": count_usable(tables)}])
        slopes, drawn = nothing.reindex(columns=SLOPES), pd.DataFrame(columns=DRAWS)
    else:
        draws = sample_association(design, sampling, tell)
        slopes, drawn = _slopes(design, draws, basis), _draws(design, draws)
        checks += _checks(draws, slopes)
    return {"portfolio_association": slopes, "portfolio_association_draws": drawn, "diagnostics": as_table(checks)}


def association_design(tables: Mapping[str, pd.DataFrame]) -> tuple[AssociationDesign | None, str]:
    """Collaboratives with an improvement and a score of every feature, and what the improvement is; None if too few."""
    joined, basis = _joined(tables)
    if len(joined) < MINIMUM:
        return None, basis
    measured, errors = (joined[[f"{name}_{of}" for name in FIVE]].to_numpy(float) for of in ("mean", "sd"))
    names = tuple(joined.index)
    return standardised(names, FIVE, joined["mean"].to_numpy(), joined["sd"].to_numpy(), measured, errors), basis


def count_usable(tables: Mapping[str, pd.DataFrame]) -> int:
    """How many collaboratives have both an improvement and a score of every feature."""
    return len(_joined(tables)[0])


def _joined(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    chosen = one_basis(tables["portfolio_improvements"], MINIMUM)
    scores = tables["portfolio_features"]
    scores = scores[scores["estimand"].eq("score") & scores["years_back"].eq(0) & scores["feature"].isin(FIVE)]
    wide = scores.pivot(index="collaborative", columns="feature", values=["mean", "sd"])
    wide = wide.set_axis([f"{key[1]}_{key[0]}" for key in wide.columns.to_flat_index()], axis="columns")
    wide = wide.reindex(columns=[f"{name}_{of}" for name in FIVE for of in ("mean", "sd")]).dropna()
    joined = chosen.set_index("collaborative")[["mean", "sd"]].join(wide, how="inner")
    return joined.astype(float), str(chosen["basis"].iloc[0]) if len(chosen) else ""


def _slopes(design: AssociationDesign, draws: AssociationDraws, basis: str) -> pd.DataFrame:
    values = POINTS * draws.slopes
    rows = summarise([Drawn("slope", "", np.array(design.features, dtype=object), values)], Mixing(draws.chains))
    rows = rows.rename(columns={"site": "feature"}).drop(columns="period")
    rows = rows.assign(event="positive", probability=(values > 0).mean(axis=1))
    return rows.assign(basis=basis, collaboratives=len(design.collaboratives))[SLOPES]


def _draws(design: AssociationDesign, draws: AssociationDraws) -> pd.DataFrame:
    count = draws.slopes.shape[1]
    parts = [pd.DataFrame({"draw": np.arange(count), "feature": feature, "slope": POINTS * values})
             for feature, values in zip(design.features, draws.slopes, strict=True)]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[DRAWS]


def _checks(draws: AssociationDraws, slopes: pd.DataFrame) -> list[Check]:
    from xarray import DataTree

    posterior = draws.tree["posterior"].to_dataset()
    whole = DataTree.from_dict(
        {"posterior": posterior, "posterior_predictive": posterior[[]], "log_likelihood": posterior[[]],
         "sample_stats": draws.tree["sample_stats"].to_dataset()}
    )  # fmt: skip
    return [*sampler_checks(MODEL, whole), *convergence(MODEL, slopes.assign(period=slopes["feature"]))]


def provisional(members: pd.DataFrame) -> list[Check]:
    """A blocking check that fails for each collaborative whose own run is provisional."""
    return [_own_run(str(row["label"]), row["status"] == "provisional") for row in members.to_dict("records")
            if row["status"] != "failed"]  # fmt: skip


def _own_run(label: str, failed: bool) -> Check:
    advice = "A blocking check of its own run failed: its own report says which, and what to do."
    said = advice if failed else "Its own run passed its checks."
    return Check(label, "own_run", float(failed), 0.0, "blocking", not failed, said)
