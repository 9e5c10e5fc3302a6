"""Every report says which engine made its numbers, why that one, and what its check said: each branch word by word."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
import pytest

import fake_run
from collabeval import sections
from collabeval.diagnostics.check import Check, as_table
from collabeval.statements import engines
from collabeval.statements.checks import figure
from fake_run import Fake
from opinion_tables import BLOCKS as OPINIONS

LABELS = {"death": "Deaths", "stay": "Length of stay"}
CHOSEN, ASKED = "its own check passed", "model.engine: laplace"
LAPLACE = (
    "was integrated by nested Laplace, each site by quadrature, and corrected by Pareto-smoothed importance weights"
)
NUTS = "was sampled with the No-U-Turn sampler"
FAST = {"pareto_k": (0.312, 0.652, True), "site_share": (0.93, 0.5, True), "proposals_lost": (0.0, 0.01, True)}
CHAINS = {"divergences": (0, 0, True), "rhat": (1.004, 1.01, True), "ess_bulk": (1540, 400, True),
          "ess_tail": (812.4, 400, True)}  # fmt: skip
FAST_SAID = (
    "k̂ 0.312 (at most 0.652), share of effective proposals of the worst site 0.930 (at least 0.500) and share of "
    "proposals without a weight 0 (at most 0.010)"
)
CHAINS_SAID = (
    "divergences 0 (at most 0), R-hat 1.004 (at most 1.010), effective draws behind estimates 1,540 (at least 400) and "
    "effective draws behind intervals 812 (at least 400)"
)


def fitted(model, engine, reason, checks):
    """The rows of one fit in the table of checks: check → value, limit, whether it passed; and an advisory one."""
    rows = [Check(model, name, value, limit, "blocking", passed, "") for name, (value, limit, passed) in checks.items()]
    rows.append(Check(model, "influence", 0.9, 0.7, "advisory", False, ""))
    return as_table(rows, {model: {"engine": engine, "engine_reason": reason}})


def said(*tables, labels=None):
    known = labels or {name: LABELS[name] for name in LABELS if any((table["model"] == name).any() for table in tables)}
    return list(engines.sentences(engines.of_diagnostics(pd.concat(tables, ignore_index=True), known)))


@pytest.mark.parametrize(
    ("engine", "reason", "checks", "sentence"),
    [
        ("laplace", CHOSEN, FAST, f"The posterior {LAPLACE}. Its check passed: {FAST_SAID}."),
        ("laplace", ASKED, FAST, f"The posterior {LAPLACE}, as params ask ({ASKED}). Its check passed: {FAST_SAID}."),
        ("laplace", ASKED, FAST | {"pareto_k": (0.912, 0.652, False)},
         f"The posterior {LAPLACE}, as params ask ({ASKED}). Its check failed: k̂ 0.912 (at most 0.652). "
         "The numbers are provisional."),
        ("laplace", ASKED, FAST | {"pareto_k": (math.nan, 0.652, False), "site_share": (0.31, 0.5, False)},
         f"The posterior {LAPLACE}, as params ask ({ASKED}). Its check failed: k̂ – (at most 0.652) and share of "
         "effective proposals of the worst site 0.310 (at least 0.500). The numbers are provisional."),
        ("nuts", "the weights of the fast engine have k̂ 0.85, above 0.70", CHAINS,
         f"The posterior {NUTS}, since the weights of the fast engine have k̂ 0.85, above 0.70. "
         f"Its check passed: {CHAINS_SAID}."),
        ("nuts", "model.engine: nuts", CHAINS,
         f"The posterior {NUTS}, as params ask (model.engine: nuts). Its check passed: {CHAINS_SAID}."),
        ("nuts", "model.engine: nuts", CHAINS | {"divergences": (7, 0, False), "rhat": (math.inf, 1.01, False)},
         f"The posterior {NUTS}, as params ask (model.engine: nuts). Its check failed: divergences 7 (at most 0) and "
         "R-hat infinite (at most 1.010). The numbers are provisional."),
        ("nuts", "model.engine: nuts", CHAINS | {"rhat": (math.nan, 1.01, True), "ess_tail": (math.nan, 400, True)},
         f"The posterior {NUTS}, as params ask (model.engine: nuts). Its check passed: divergences 0 (at most 0) and "
         "effective draws behind estimates 1,540 (at least 400)."),
        ("", "", FAST, f"Which engine made the numbers of Deaths is not recorded. Its check passed: {FAST_SAID}."),
        ("laplace", CHOSEN, {}, f"The posterior {LAPLACE}. What its check said is not recorded."),
    ],
)  # fmt: skip
def test_engine_reason_and_check_of_one_measure(engine, reason, checks, sentence):
    assert said(fitted("death", engine, reason, checks)) == [sentence]


def test_measures_alike_stand_together_with_the_value_nearest_to_its_limit():
    """The largest k̂ is not the one nearest to its limit where limits differ, as they do with few proposals."""
    tables = (
        fitted("death", "laplace", CHOSEN, {"pareto_k": (0.6, 0.7, True), "site_share": (0.9, 0.5, True)}),
        fitted("stay", "laplace", CHOSEN, {"pareto_k": (0.59, 0.65, True), "site_share": (0.8, 0.5, True)}),
    )
    assert said(*tables) == [
        f"The posterior {LAPLACE}. Its check passed for each; nearest to the limits: k̂ 0.590 (at most 0.650) and share "
        "of effective proposals of the worst site 0.800 (at least 0.500)."
    ]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (fitted("stay", "nuts", "a reason", {"rhat": (1.0, 1.01, True)}),
         f"The posterior (Length of stay) {NUTS}, since a reason. Its check passed: R-hat 1 (at most 1.010)."),
        (fitted("stay", "laplace", ASKED, {"pareto_k": (0.4, 0.7, True)}),
         f"The posterior (Length of stay) {LAPLACE}, as params ask ({ASKED}). Its check passed: "
         "k̂ 0.400 (at most 0.700)."),
        (fitted("stay", "laplace", CHOSEN, {"ess_bulk": (80, 400, False)}),
         f"The posterior (Length of stay) {LAPLACE}. Its check failed: effective draws behind estimates 80 (at least "
         "400). The numbers are provisional."),
    ],
    ids=["engine", "reason", "check"],
)  # fmt: skip
def test_measures_that_differ_in_engine_reason_or_check_are_told_apart(other, sentence):
    first = fitted("death", "laplace", CHOSEN, {"pareto_k": (0.3, 0.7, True)})
    assert said(first, other) == [
        f"The posterior (Deaths) {LAPLACE}. Its check passed: k̂ 0.300 (at most 0.700).", sentence
    ]  # fmt: skip


def test_a_measure_without_a_row_of_checks_is_not_passed_over():
    table = fitted("death", "laplace", CHOSEN, {"pareto_k": (0.3, 0.7, True)})
    assert said(table, labels=LABELS)[1] == (
        "Which engine made the numbers of Length of stay is not recorded. What its check said is not recorded."
    )


def test_fits_of_survey_ratings_and_audit_are_named_after_the_measures():
    quadrature = {"pareto_k": (0.41, 0.7, True), "proposals_lost": (0.002, 0.01, True)}
    of_words = as_table([Check("survey", "borderline", 1, 0, "advisory", False, "")])
    assert said(
        fitted("survey: leadership", "quadrature", CHOSEN, quadrature), fitted("ratings", "nuts", "it must", CHAINS),
        of_words, fitted("death", "laplace", CHOSEN, FAST),
    ) == [
        f"The posterior (Deaths) {LAPLACE}. Its check passed: {FAST_SAID}.",
        "The posterior (survey: Leadership and community) was integrated by quadrature, each group’s effect on its "
        "own, and corrected by Pareto-smoothed importance weights. Its check passed: k̂ 0.410 (at most 0.700) and share "
        "of proposals without a weight 0.002 (at most 0.010).",
        f"The posterior (ratings) {NUTS}, since it must. Its check passed: {CHAINS_SAID}.",
    ]  # fmt: skip


def effect(*rows, failed=()):
    """What may be shown of the effect: measure, engine and reason, and those of the fit with leads."""
    columns = ["measure", "engine", "engine_reason", "leads_engine", "leads_engine_reason"]
    words = [
        {"measure": row[0], "slot": "effect", "statement": "not_reliable" if row[0] in failed else "better",
         "rule": "R-hat 1.20, above 1.01" if row[0] in failed else "a rule"} for row in rows
    ]  # fmt: skip
    found = SimpleNamespace(basis=pd.DataFrame(rows, columns=columns), statements=pd.DataFrame(words))
    return list(engines.sentences(engines.of_effect(found, LABELS)))


def test_the_fits_behind_the_effect_are_named():
    behind = "The posterior behind the effect of the programme"
    alike = (CHOSEN, "laplace", CHOSEN)
    assert list(engines.of_effect(None, LABELS)) == []
    assert effect(("death", "", "", "", "")) == []
    assert effect(("death", "laplace", *alike), ("stay", "laplace", *alike)) == [
        f"{behind} {LAPLACE}. Its check passed."
    ]
    assert effect(("death", "laplace", CHOSEN, "nuts", "it must"), ("stay", "laplace", *alike)) == [
        f"{behind} {LAPLACE}. Its check passed.",
        f"The posterior behind the course before joining of Deaths {NUTS}, since it must. Its check passed.",
    ]
    assert effect(("death", "laplace", *alike), ("stay", "laplace", *alike), failed=("stay",)) == [
        f"{behind} (Deaths) {LAPLACE}. Its check passed.",
        f"{behind} (Length of stay) {LAPLACE}. Its check failed (R-hat 1.20, above 1.01), and nothing is said of it.",
    ]


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ((), "not recorded"),
        ((("laplace", "passed"),), "nested Laplace for one measure; checks passed"),
        ((("laplace", "passed"), ("nuts", "failed"), ("laplace", "failed")),
         "nested Laplace for two measures and the No-U-Turn sampler for one measure; checks failed for two measures"),
        ((("nuts", ""), ("", "passed")),
         "the No-U-Turn sampler for one measure and engine not recorded for one measure; checks not recorded"),
    ],
)  # fmt: skip
def test_a_collaborative_of_a_portfolio_has_its_engines_on_one_line(found, line):
    assert engines.of_run(found) == line


@pytest.mark.parametrize(
    ("value", "shown"),
    [(math.inf, "infinite"), (math.nan, "–"), (0.0, "0"), (1540.2, "1,540"), (0.7, "0.700"), (-0.25, "−0.250")],
)
def test_values_and_limits_of_checks_as_they_are_shown(value, shown):
    assert figure(value) == shown


def test_the_fits_of_hours_and_cost_are_named_and_what_failed_with_its_check():
    columns = ["estimand", "event", "engine", "engine_reason"]
    rows = [("hours", "", "", ""), ("hours_per_case", "", "laplace", CHOSEN), ("hours_per_case", "", "laplace", CHOSEN),
            ("cost", "", "", ""), ("cost_not_fitted", "ess_tail", "nuts", "it must")]  # fmt: skip
    found = SimpleNamespace(burden=pd.DataFrame(rows, columns=columns))
    what = "The posterior of what collecting data takes"
    assert list(engines.sentences(engines.of_burden(found))) == [
        f"{what} (hours a case) {LAPLACE}. Its check passed.",
        f"{what} (cost a case) {NUTS}, since it must. Its check failed (ess_tail), and nothing is said of it.",
    ]
    assert list(engines.of_burden(None)) == []
    assert list(engines.of_burden(SimpleNamespace(burden=found.burden.head(1)))) == []


def test_a_whole_report_names_every_engine_in_its_methods(tmp_path):
    fake = Fake(years=4, sites=8, cases=300, blocks=OPINIONS, effect={"words": {"death": "better"}})
    fake_run.make(tmp_path, fake)
    methods = sections.methods(sections.open_report(str(tmp_path))).markdown
    label = fake_run.DEATH["label"]
    assert (
        f"The posterior ({label}) {NUTS}, since the weights of the fast engine have k̂ 0.85, above 0.70. Its check "
        "passed: divergences 0 (at most 0), R-hat 1.003 (at most 1.010) and effective draws behind estimates 1,540 (at "
        "least 400)."
    ) in methods
    for fit in ("survey: Leadership and community", "survey: High-quality coordination", "ratings", "audit"):
        assert methods.count(fit) == 1
    assert "was integrated by quadrature, each group’s effect on its own" in methods
    assert f"The posterior behind the effect of the programme {LAPLACE}. Its check passed." in methods
    assert methods.count("Every number shown of them is a summary of their draws.") == 1
