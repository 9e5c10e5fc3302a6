"""Which engine made the numbers, why that one, and what its check said (docs/methods.md, "Two engines")."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from collabeval.statements import checks, numbers

if TYPE_CHECKING:
    from collabeval.disclosure import Published
    from collabeval.disclosure.effect import Effect
    from collabeval.disclosure.value import PublishedValue

WEIGHTED = "and corrected by Pareto-smoothed importance weights"
MADE = {
    "laplace": f"was integrated by nested Laplace, each site by quadrature, {WEIGHTED}",
    "quadrature": f"was integrated by quadrature, each group’s effect on its own, {WEIGHTED}",
    "nuts": "was sampled with the No-U-Turn sampler",
}
NAMES = {"laplace": "nested Laplace", "quadrature": "quadrature", "nuts": "the No-U-Turn sampler"}
CHECKS = {  # by the name in `diagnostics`: in words, and whether a good value lies above its limit
    "pareto_k": ("k̂", False),
    "site_share": ("share of effective proposals of the worst site", True),
    "proposals_lost": ("share of proposals without a weight", False),
    "divergences": ("divergences", False),
    "energy": ("E-BFMI", True),
    "rhat": ("R-hat", False),
    "ess_bulk": ("effective draws behind estimates", True),
    "ess_tail": ("effective draws behind intervals", True),
    "not_a_number": ("variables with draws that are not numbers", False),
}
NOT_RECORDED = "not recorded"
MEASURES = ("measure", "measures")


@dataclass(frozen=True)
class Fit:
    """One fitted model: what its posterior is of, by which engine and why ("" where not recorded), what its check said.

    `checks` are its blocking rows of `diagnostics`; None where `failed` alone says whether it passed ("": it did).
    """

    subject: str
    name: str
    engine: str
    reason: str
    checks: pd.DataFrame | None = None
    failed: str = ""


def said(published: Published) -> str:
    """Every fit behind a report: of measures, survey, ratings, audit, the effect, and what collecting takes."""
    labels = {view.name: view.params.label for view in published.measures}
    fits = [*of_diagnostics(published.diagnostics, labels), *of_effect(published.effect, labels)]
    fits += of_burden(published.value)
    return " ".join([*sentences(fits), "Every number shown of them is a summary of their draws."])


def of_diagnostics(diagnostics: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[Fit]:
    """The fits that the table of checks is about: every measure, and whatever else names its engine."""
    engines = dict(zip(diagnostics["model"], diagnostics["engine"], strict=True))
    for model in [*labels, *(model for model, engine in engines.items() if engine and model not in labels)]:
        rows = diagnostics[diagnostics["model"].eq(model)]
        name = labels.get(model) or numbers.lower_first(checks.model_name(model, labels))
        reason = "" if rows.empty else str(rows["engine_reason"].iloc[0])
        blocking = rows[rows["level"].eq("blocking")]
        yield Fit("The posterior", name, str(engines.get(model, "")), reason, blocking)


def of_effect(effect: Effect | None, labels: Mapping[str, str]) -> Iterator[Fit]:
    """The fits that say what would have been without the programme, and how courses differed before joining."""
    if effect is None:
        return
    refused = effect.statements[effect.statements["statement"].eq("not_reliable")]
    why = dict(zip(refused["measure"], refused["rule"], strict=True))
    for row in effect.basis[effect.basis["engine"].ne("")].to_dict("records"):
        name, failed = labels[str(row["measure"])], str(why.get(row["measure"], ""))
        engine, reason = str(row["engine"]), str(row["engine_reason"])
        yield Fit("The posterior behind the effect of the programme", name, engine, reason, None, failed)
        leads, why_leads = str(row["leads_engine"]), str(row["leads_engine_reason"])
        if (leads, why_leads) != (engine, reason):
            subject = f"The posterior behind the course before joining of {name}"
            yield Fit(subject, name, leads, why_leads, None, failed)


def of_burden(value: PublishedValue | None) -> Iterator[Fit]:
    """The fits of hours and cost a case; a fit that failed its check has a row which says of which part."""
    if value is None:
        return
    for what in ("hours", "cost"):
        rows = value.burden[value.burden["estimand"].isin([f"{what}_per_case", f"{what}_not_fitted"])]
        for row in rows.head(1).to_dict("records"):
            failed = str(row["event"]) if row["estimand"] == f"{what}_not_fitted" else ""
            subject = "The posterior of what collecting data takes"
            yield Fit(subject, f"{what} a case", str(row["engine"]), str(row["engine_reason"]), None, failed)


def sentences(fits: Iterable[Fit]) -> Iterator[str]:
    """Engine, reason and check of all fits; those of one subject by one engine for one reason stand together."""
    groups: dict[tuple[str, str, str, bool, str], list[Fit]] = {}
    for fit in fits:
        groups.setdefault((fit.subject, fit.engine, fit.reason, _passed(fit), fit.failed), []).append(fit)
    of_subject = Counter(subject for subject, *_ in groups)
    for (subject, engine, reason, *_), group in groups.items():
        named = numbers.listed([fit.name for fit in group])
        about = subject if of_subject[subject] == 1 else f"{subject} ({named})"
        if engine not in MADE:
            yield f"Which engine made the numbers of {named} is {NOT_RECORDED}. {_check(group)}"
        else:
            yield f"{about} {MADE[engine]}{_because(reason)}. {_check(group)}"


def _passed(fit: Fit) -> bool:
    return not fit.failed if fit.checks is None else bool(fit.checks["passed"].astype(bool).all())


def _because(reason: str) -> str:
    """What stands after the engine: params asked for it, or why the other could not be used; "" for its own choice."""
    if reason in ("", "its own check passed"):
        return ""
    return f", as params ask ({reason})" if reason.startswith("model.") else f", since {reason}"


def _check(group: Sequence[Fit]) -> str:
    """What the check of a group of fits said: where it failed each failed part, else how near it came to its limits."""
    if group[0].failed:
        return f"Its check failed ({group[0].failed}), and nothing is said of it."
    tables = [fit.checks for fit in group if fit.checks is not None]
    if not tables:
        return "Its check passed."
    rows = pd.concat(tables)
    if rows.empty:
        return f"What its check said is {NOT_RECORDED}."
    failed = rows[~rows["passed"].astype(bool)]
    if len(failed):
        return f"Its check failed: {_worst(failed)}. The numbers are provisional."
    each = "Its check passed for each; nearest to the limits:" if len(group) > 1 else "Its check passed:"
    return f"{each} {_worst(rows)}."


def _worst(rows: pd.DataFrame) -> str:
    """ "k̂ 0.312 (at most 0.700) and …": of each check the value that lies nearest to its limit, or farthest beyond."""
    found = []
    for check, (words, above) in CHECKS.items():
        own = rows[rows["check"].eq(check) & (rows["value"].notna() | ~rows["passed"].astype(bool))]
        room = ((own["value"] - own["limit"]) * (1 if above else -1)).fillna(-math.inf)
        if len(own):
            row = own.iloc[int(room.argmin())]
            value, limit = checks.figure(float(row["value"])), checks.figure(float(row["limit"]))
            found.append(f"{words} {value} (at {'least' if above else 'most'} {limit})")
    return numbers.listed(found)


def of_run(engines: Sequence[tuple[str, str]]) -> str:
    """The engines of a run's measures and what their checks said: "nested Laplace for two measures; checks passed".

    Parameters
    ----------
    engines : of each measure the engine, and `passed` or `failed`; "" where the run does not say.
    """
    if not engines:
        return NOT_RECORDED
    by_engine = Counter(NAMES.get(engine, engine) or f"engine {NOT_RECORDED}" for engine, _ in engines)
    who = numbers.listed(f"{name} for {numbers.counted(count, MEASURES)}" for name, count in by_engine.items())
    failed = sum(check == "failed" for _, check in engines)
    if failed:
        return f"{who}; checks failed for {numbers.counted(failed, MEASURES)}"
    every = all(check == "passed" for _, check in engines)
    return f"{who}; checks {'passed' if every else NOT_RECORDED}"
