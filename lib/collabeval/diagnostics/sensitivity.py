"""Do the results lean on the priors? Power-scaling of the priors, and the words that would change with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from arviz_stats import psense

from collabeval import estimates
from collabeval.diagnostics.check import Check
from collabeval.panel import windows
from collabeval.params import Params

Array = npt.NDArray[np.float64]
LIMIT = 0.05
WHAT_IF = (0.8, 1.25)  # priors that count a fifth less or a quarter more
DRAWS = 1000  # taken again to ask for the words; every further one costs a full evaluation of all sites
SPREADS = ("site_sd", "trajectory_sd", "overdispersion_sd")
UNKNOWN = (
    "Not assessed: no number of this model of one’s own has a prior that stands by itself, so how much the results "
    "lean on the priors is not known. Compare it with the same model under other priors (`collabeval compare`)."
)
IN_WORDS = {
    "level": "the level of the programme",
    "change": "the change of the programme from first to last period",
    "site_sd": "the spread between sites",
    "trajectory_sd": "the spread of the sites' trajectories",
    "overdispersion_sd": "the spread from period to period",
    "site_effects": "the difference of a site from the average",
}


def prior_sensitivity(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> list[Check]:
    """Largest power-scaling sensitivity to the priors (Kallioinen et al. 2024) of what the report rests on.

    Above 0.05 a quantity leans on the priors; then every word is asked again under weaker and stronger priors.
    """
    if not tree["log_prior"].data_vars:
        return [Check(name, "prior_sensitivity", np.nan, LIMIT, "advisory", False, UNKNOWN)]
    found = sensitivities(params, name, panel, tree)
    value = max(found.values(), default=0.0)
    if value <= LIMIT:
        advice = "The results do not lean on the priors: slightly weaker or stronger ones leave them as they are."
        return [Check(name, "prior_sensitivity", value, LIMIT, "advisory", True, advice)]
    changes = words_that_change(params, name, panel, tree)
    said = {0: "no word about any site would change", 1: "one word about a site would change"}
    what = " and ".join(IN_WORDS[quantity] for quantity in found if found[quantity] > LIMIT)
    advice = (
        f"The data alone do not settle {what}. With priors that count a fifth less or a quarter more, "
        f"{said.get(len(changes), f'{len(changes)} words about sites would change')}. Say so where it matters, or "
        "agree on the priors beforehand."
    )
    return [Check(name, "prior_sensitivity", value, LIMIT, "advisory", False, advice, changes="; ".join(changes))]


def sensitivities(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> dict[str, float]:
    """Sensitivity of the programme's level and change, of the spreads, and of the most sensitive site effect now."""
    quantities = _quantities(params, name, panel, tree)
    if not _varies(_log_prior(tree)):  # flat priors: nothing to scale
        return dict.fromkeys(map(str, quantities), 0.0)
    scaled = xr.DataTree.from_dict({"posterior": quantities, "log_prior": tree["log_prior"].to_dataset()})
    found = psense(scaled, group="prior").data_vars
    return {str(key): float(values.max()) for key, values in found.items()}


def words_that_change(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> list[str]:
    """Words about sites that would be others if the priors counted a fifth less or a quarter more: `site slot: a → b`.

    Draws are taken again in proportion to their importance under the scaled priors, evenly spaced and the same for each
    prior but for its weights, so that chance adds little; the words follow by the same rules.
    """
    now = _words(params, name, panel, rescaled(tree, 1.0))
    changes: dict[str, None] = {}
    for power in WHAT_IF:
        then = _words(params, name, panel, rescaled(tree, power)).reindex(now.index)
        other = pd.DataFrame({"now": now, "then": then})[then.ne(now) & then.notna()].reset_index()
        changes |= {f"{row.site} {row.slot}: {row.now} → {row.then}": None for row in other.itertuples()}
    return list(changes)


def rescaled(tree: xr.DataTree, power: float, count: int = DRAWS) -> xr.DataTree:
    """The fit with `count` draws taken again (as one chain) as if the priors had been raised to `power`."""
    weights = _weights(tree, power)
    points = (np.arange(count) + 0.5) / count
    chosen = np.searchsorted(np.cumsum(weights), points).clip(max=weights.size - 1)
    posterior = tree["posterior"].to_dataset()
    chain, draw = np.unravel_index(chosen, (posterior.sizes["chain"], posterior.sizes["draw"]))
    picked = posterior.isel(chain=xr.DataArray(chain, dims="pick"), draw=xr.DataArray(draw, dims="pick"))
    again = picked.drop_vars(["chain", "draw"], errors="ignore").rename(pick="draw").expand_dims(chain=[0])
    again = again.assign_coords(draw=np.arange(count)).transpose("chain", "draw", ...)
    return xr.DataTree.from_dict({"posterior": again, "constant_data": tree["constant_data"].to_dataset()})


def _words(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> pd.Series:
    statements = estimates.evaluate_words(params, panel, {name: tree})
    return statements.set_index(["site", "slot"])["statement"]


def _weights(tree: xr.DataTree, power: float) -> Array:
    """Importance of each draw under priors raised to `power`, as one row that sums to 1, Pareto smoothed."""
    density = _log_prior(tree)
    log_weights = np.zeros(density.size)
    if power != 1 and _varies(density):
        log_weights = density.azstats.power_scale_lw(alpha=power, dim=["chain", "draw"]).to_numpy().ravel()
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def _varies(values: xr.DataArray) -> bool:
    return float(np.ptp(values.to_numpy())) > 0


def _log_prior(tree: xr.DataTree) -> xr.DataArray:
    """Log-density of all top-level priors together (chain, draw)."""
    return tree["log_prior"].to_dataset().to_dataarray("parameter").sum("parameter").transpose("chain", "draw")


def _quantities(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> xr.Dataset:
    """What the report rests on, from the draws alone (all estimands of all sites would take ten times as long)."""
    posterior, constant = tree["posterior"].to_dataset(), tree["constant_data"].to_dataset()
    found = {"level": posterior["intercept"]}
    if "trend" in posterior:
        found["change"] = posterior["trend"].isel(period=-1) - posterior["trend"].isel(period=0)
    found |= {key: posterior[key] for key in SPREADS if key in posterior}
    rows = panel[panel["measure"] == name].reset_index(drop=True)
    labels = windows(params.periods, rows).current.periods
    cells = np.flatnonzero(rows["period"].isin(labels))
    site, weight = constant["site_index"].to_numpy()[cells], rows["weight"].to_numpy()[cells]
    effect = posterior["site_level"].to_numpy()[..., site]
    if "site_slope" in posterior:
        years = constant["time"].to_numpy()[constant["period_index"].to_numpy()[cells]] - float(constant["mean_time"])
        effect = effect + posterior["site_slope"].to_numpy()[..., site] * years
    if "overdispersion" in posterior:
        effect = effect + posterior["overdispersion"].to_numpy()[..., cells]
    present, group = np.unique(site, return_inverse=True)
    shares = np.zeros((len(cells), len(present)))
    shares[np.arange(len(cells)), group] = weight / np.bincount(group, weight)[group]
    own = effect @ shares
    found["site_effects"] = xr.DataArray(own - own.mean(axis=-1, keepdims=True), dims=("chain", "draw", "site"))
    varying = {key: values for key, values in found.items() if _varies(values)}
    return xr.Dataset({key: values.drop_vars("period", errors="ignore") for key, values in varying.items()})
