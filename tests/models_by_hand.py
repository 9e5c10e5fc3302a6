"""The log-density of the models written out with scipy, loop by loop: a second opinion on lib/collabeval/models."""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from collabeval.models.terms import mean_zero_basis
from collabeval.params import Model

LINK_SCALES = {
    "sd": lambda x: x,
    "value": lambda x: x,
    "variance": np.sqrt,
    "precision": lambda x: x**-0.5,
    "log_sd": np.exp,
}
FROZEN = {
    "Normal": lambda p: stats.norm(p.mu, p.sigma),
    "HalfNormal": lambda p: stats.halfnorm(scale=p.sigma),
    "StudentT": lambda p: stats.t(p.nu, p.mu, p.sigma),
    "HalfCauchy": lambda p: stats.halfcauchy(scale=p.beta),
    "Gamma": lambda p: stats.gamma(p.alpha, scale=1 / p.beta),
    "InverseGamma": lambda p: stats.invgamma(p.alpha, scale=p.beta),
    "Exponential": lambda p: stats.expon(scale=1 / p.lam),
    "Uniform": lambda p: stats.uniform(p.lower, p.upper - p.lower),
    "LogNormal": lambda p: stats.lognorm(p.sigma, scale=np.exp(p.mu)),
    "Beta": lambda p: stats.beta(p.alpha, p.beta),
}
DEFAULT_SD = {"trend_sd": 0.2, "site_sd": 0.5, "trajectory_sd": 0.1, "overdispersion_sd": 0.5}


class ByHand:
    """Adds up one log-density from named values as the model's random variables have them (untransformed)."""

    def __init__(self, panel: pd.DataFrame, family: str, settings: Model, values: dict, trend_centred: bool):
        self.panel, self.family, self.settings, self.values = panel, family, settings, values
        self.trend_centred = trend_centred
        self.sites = sorted(panel["site"].unique())
        self.periods = panel[["period", "time"]].drop_duplicates().sort_values("time").reset_index(drop=True)
        self.total = 0.0

    def sd(self, name):
        """An sd and the density of its prior on the scale the prior names."""
        prior = getattr(self.settings.priors, name)
        if prior is None:
            self.total += stats.halfnorm(scale=DEFAULT_SD[name]).logpdf(self.values[name])
            return self.values[name]
        drawn = self.values[name if prior.on in ("sd", "value") else f"{name}_{prior.on}"]
        self.total += FROZEN[prior.dist](prior).logpdf(drawn)
        return LINK_SCALES[prior.on](drawn)

    def draw(self, name, default):
        prior = getattr(self.settings.priors, name)
        self.total += (FROZEN[prior.dist](prior) if prior else default).logpdf(self.values[name])
        return self.values[name]

    def expected_given(self):
        return "expected" in self.panel and self.panel["expected"].notna().all()

    def scale(self):
        if self.family != "normal":
            return 1.0
        if "sd" in self.panel and self.panel["sd"].notna().any():
            rows = self.panel[self.panel["sd"].notna() & (self.panel["n"] > 1)]
            return np.sqrt(sum((rows.n - 1) * rows.sd**2) / sum(rows.n - 1))
        return 2 * np.std(self.panel["mean"])

    def intercept(self):
        panel = self.panel
        if self.family == "normal":
            centre = np.average(panel["mean"], weights=panel["weight"])
            return self.draw("intercept", stats.norm(centre, 2.5 * self.scale()))
        if self.expected_given():
            return self.draw("intercept", stats.norm(0, 1))
        rate = (panel["numerator"].sum() + 0.5) / (panel["denominator"].sum() + 1)
        centre = np.log(rate / (1 - rate)) if self.family == "binomial" else np.log(rate)
        return self.draw("intercept", stats.norm(centre, 1.5))

    def trend(self):
        time = self.periods["time"].to_numpy()
        if len(time) == 1 or self.settings.trend == "none":
            return np.zeros(len(time))
        if self.settings.trend == "linear":
            return self.draw("trend_slope", stats.norm(0, 0.2)) * (time - time.mean())
        sd, raw, walk = self.sd("trend_sd"), self.values["trend_raw"], [0.0]
        if self.trend_centred:  # coordinates in an orthonormal basis: a rotation, so no Jacobian
            trend = mean_zero_basis(len(time)) @ raw
            for t in range(1, len(time)):
                self.total += stats.norm.logpdf(trend[t] - trend[t - 1], 0, sd * np.sqrt(time[t] - time[t - 1]))
            return trend
        for before, after, step in zip(time[:-1], time[1:], raw, strict=True):
            self.total += stats.norm.logpdf(step)
            walk.append(walk[-1] + sd * np.sqrt(after - before) * step)
        return np.array(walk) - np.mean(walk)

    def covariates(self):
        """What is explained of each site, and adjusted for in each row: beds, teaching, the share and its site mean.

        The covariates of `with_covariates` in tests/small_covariates.py, each written out.
        """
        sites, rows = [0.0] * len(self.sites), [0.0] * len(self.panel)
        if not self.settings.covariates:
            return sites, rows
        prior = self.settings.priors.covariates
        effects = self.values["covariates"]
        self.total += (FROZEN[prior.dist](prior) if prior else stats.norm(0, 1)).logpdf(effects).sum()
        of_site = self.panel.groupby("site").first()
        beds = np.log(of_site["covariate sites.beds"])
        teaching = of_site["covariate sites.teaching"].eq("yes") * 1.0
        share, weight = self.panel["covariate outcomes.share"], self.panel["weight"]
        means = (share * weight).groupby(self.panel["site"]).sum() / weight.groupby(self.panel["site"]).sum()
        for j, site in enumerate(self.sites):
            sites[j] += effects[0] * (beds[site] - beds.mean()) / np.std(beds)
            sites[j] += effects[3] * (means[site] - means.mean()) / np.std(means)
        for i, site in enumerate(self.panel["site"]):
            rows[i] += effects[1] * (teaching[site] - teaching.mean())
            rows[i] += effects[2] * (share[i] - share.mean()) / np.std(share)
        return sites, rows

    def site_effects(self, intercept, trend, explained):
        sd = self.sd("site_sd")
        shape = None
        if self.settings.site_effects == "student_t":
            shape = self.values["degrees_of_freedom"]
            self.total += stats.gamma.logpdf(shape, 2, scale=10) - stats.gamma.logsf(2, 2, scale=10)
        effect = stats.t(shape) if shape else stats.norm()
        levels = []
        for j in range(len(self.sites)):
            if "site_mean_raw" in self.values:
                level = self.values["site_mean_raw"][j] - intercept / self.scale()
                self.total += effect.logpdf((level - explained[j]) / sd) - np.log(sd)
            else:
                level = explained[j] + sd * self.values["site_level_raw"][j]
                self.total += effect.logpdf(self.values["site_level_raw"][j])
            levels.append(level)
        if not {"site_drift_raw", "site_slope_raw"} & self.values.keys():
            return np.array(levels), np.zeros(len(levels))
        slope_sd, rho = self.sd("trajectory_sd"), self.correlation()
        spread = sd * np.sqrt(shape / (shape - 2)) if shape else sd
        slopes = []
        for j, level in enumerate(levels):
            mean, own = slope_sd * rho * (level - explained[j]) / spread, slope_sd * np.sqrt(1 - rho**2)
            if "site_drift_raw" in self.values:
                drift = np.polyfit(self.periods["time"], trend, 1)[0]  # least squares: the trend's own slope
                slopes.append(self.values["site_drift_raw"][j] - drift)
                self.total += stats.norm.logpdf(slopes[-1], mean, own)
            else:
                slopes.append(mean + own * self.values["site_slope_raw"][j])
                self.total += stats.norm.logpdf(self.values["site_slope_raw"][j])
        return np.array(levels), np.array(slopes)

    def correlation(self):
        prior = self.settings.priors.site_correlation
        if prior and prior.dist == "Uniform":
            self.total += FROZEN["Uniform"](prior).logpdf(self.values["site_correlation"])
            return self.values["site_correlation"]
        half = self.values["site_correlation_half"]
        self.total += stats.beta(*((prior.alpha, prior.beta) if prior else (2, 2))).logpdf(half)
        return 2 * half - 1

    def logp(self):
        """The whole log-density: priors, effects, likelihood."""
        intercept = self.intercept()
        trend = self.trend()
        explained, adjusted = self.covariates()
        levels, slopes = self.site_effects(intercept, trend, explained)
        residual = self.residual_sd()
        mean_time = self.panel["time"].mean()
        cell_sd = self.sd("overdispersion_sd") if {"overdispersion_raw", "cell_mean_raw"} & self.values.keys() else None
        for i, row in enumerate(self.panel.to_dict("records")):
            j = self.sites.index(row["site"])
            t = list(self.periods["period"]).index(row["period"])
            mean = intercept / self.scale() + trend[t] + adjusted[i] + levels[j]
            mean += slopes[j] * (row["time"] - mean_time)
            if "cell_mean_raw" in self.values:
                self.total += stats.norm.logpdf(self.values["cell_mean_raw"][i], mean, cell_sd)
                mean = self.values["cell_mean_raw"][i]
            elif "overdispersion_raw" in self.values:
                self.total += stats.norm.logpdf(self.values["overdispersion_raw"][i])
                mean += cell_sd * self.values["overdispersion_raw"][i]
            self.total += self.likelihood(row, self.scale() * mean, residual and residual[j])
        return self.total

    def likelihood(self, row, eta, residual):
        if self.family == "binomial":
            n, given = row["denominator"], self.expected_given()
            offset = np.log(row["expected"] / n / (1 - row["expected"] / n)) if given else 0.0
            return stats.binom.logpmf(row["numerator"], n, expit(offset + eta))
        if self.family == "poisson":
            exposure = row["expected"] if self.expected_given() else row["denominator"]
            return stats.poisson.logpmf(row["numerator"], exposure * np.exp(eta))
        known = row.get("se")
        return stats.norm.logpdf(row["mean"], eta, known if known == known and known else residual / np.sqrt(row["n"]))

    def residual_sd(self):
        """Within-site sds, with the χ² density of each site's pooled variance (as a density of that variance)."""
        if "residual_sd_raw" not in self.values:
            return None
        typical, spread = self.values["residual_sd_typical"], self.values["residual_sd_spread"]
        self.total += stats.norm.logpdf(np.log(typical), np.log(self.scale()), 1) - np.log(typical)
        self.total += stats.halfnorm(scale=0.5).logpdf(spread)
        self.total += stats.norm.logpdf(self.values["residual_sd_raw"]).sum()
        sds = [np.exp(np.log(typical) + spread * raw) for raw in self.values["residual_sd_raw"]]
        for site, sigma in zip(self.sites, sds, strict=True):
            rows = self.panel[(self.panel["site"] == site) & (self.panel["n"] > 1)]
            if len(rows):
                freedom = (rows.n - 1).sum()
                variance = ((rows.n - 1) * rows.sd**2).sum() / freedom
                ratio = freedom / sigma**2
                self.total += stats.chi2.logpdf(ratio * variance, freedom) + np.log(ratio)
        return sds
