"""Methods: the model in equations and in words, its priors, the rules behind every word."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from collabeval import equations as eq
from collabeval.equations import Formula, averaged, below, join, raised, symbol, word
from collabeval.own_model import own_function
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements import covariates, engines, features, numbers, priors
from collabeval.statements import words as slugs

SITE, PERIOD = symbol("j"), symbol("t")
CELL = join(SITE, PERIOD)
ETA = below(symbol("η", "eta"), CELL)


@narrated("methods")
def methods(report: Report) -> Section:
    """The chapter for the reader's own statistician."""
    return Section(
        blocks(
            "# Methods {#sec-methods}",
            "## The model",
            _families(report),
            _predictor(report),
            text(_in_words(report)),
            _own(report),
            "## Priors",
            _priors(report),
            "## The rules behind the words",
            _rules(report),
            _windows(report),
            "## Methods used besides",
            _classical(report),
            "\n".join(f"- {text(said)}" for said in features.models(report.published)),
        )
    )


def over_time(report: Report) -> bool:
    """Whether the data have periods at all."""
    return report.published.params.periods.length != "none"


def _families(report: Report) -> str:
    """The likelihood of each family that occurs."""
    found = dict.fromkeys(facts.view.params.family for facts in report.facts)
    return blocks(*(FAMILIES[family]() for family in found))


def _own(report: Report) -> str:
    """Which measures have a model of the evaluation's own, of which only likelihood and linear predictor are these."""
    params = report.published.params
    views = [view for view in report.published.measures if own_function(params.model, view.name)]
    if not views:
        return ""
    named = [f"{view.params.label} ({Path(own_function(params.model, view.name)).name})" for view in views]
    return text(
        f"A model of this evaluation’s own, written in PyMC: {numbers.listed(named)}. It has the likelihood and the "
        "linear predictor above; how its parts vary, and their priors, are its own and stand in that file, a copy of "
        "which lies in the run’s folder (models). The rest of this chapter on how the parts vary and on their priors "
        "does not speak of it."
    )


def _binomial() -> str:
    count, cases, share = (below(symbol(letter), CELL) for letter in "ynp")
    likelihood = join(count, "~", word("Binomial"), "(", cases, ",", share, ")")
    formula = join(likelihood, ",", eq.SPACE, eq.SPACE, word("logit"), eq.SPACE, share, "=", ETA)
    alt = "y of site j in period t is binomial with n cases and probability p; the logit of p is eta"
    return blocks(text("Shares (events among cases):"), eq.block(formula, alt))


def _poisson() -> str:
    count, exposure = (below(symbol(letter), CELL) for letter in "yE")
    formula = join(count, "~", word("Poisson"), "(", exposure, raised(symbol("e"), ETA), ")")
    alt = "y of site j in period t is Poisson with mean E times e to the power of eta"
    said = "Counts over an exposure, where E is the predicted number if the data give one, else the exposure:"
    return blocks(text(said), eq.block(formula, alt))


def _normal() -> str:
    mean = below(averaged(symbol("y")), CELL)
    error = eq.over(below(symbol("σ", "sigma"), SITE), eq.root(below(symbol("n"), CELL)))
    formula = join(mean, "~", word("Normal"), "(", ETA, ",", error, ")")
    alt = (
        "the mean of y of site j in period t is normal with mean eta and standard deviation sigma j over the root of n"
    )
    said = (
        "Means, with the standard deviation within each site estimated from the reported ones and partially pooled "
        "(or the "
        "reported standard error taken as known):"
    )
    return blocks(text(said), eq.block(formula, alt))


FAMILIES = {"binomial": _binomial, "poisson": _poisson, "normal": _normal}


def _predictor(report: Report) -> str:
    """The linear predictor with the terms this run asks for."""
    model = report.published.params.model
    pieces: list[Formula | str] = [ETA, "=", below(word("offset"), CELL), "+", symbol("α", "alpha")]
    alt = "eta is the offset plus alpha"
    if over_time(report) and model.trend != "none":
        pieces += ["+", below(symbol("f"), PERIOD)]
        alt += " plus the programme trend f in t"
    if model.covariates:
        pieces += ["+", below(symbol("x"), CELL), symbol("β", "beta")]
        alt += " plus the covariates x of site j in period t times their effects beta"
    pieces += ["+", below(symbol("θ", "theta"), SITE)]
    alt += " plus the level theta of site j"
    if over_time(report) and model.trajectory:
        pieces += ["+", below(symbol("δ", "delta"), SITE), "(", PERIOD, "−", averaged(PERIOD), ")"]
        alt += " plus the slope delta of site j times t minus its mean"
    if model.overdispersion is True or (over_time(report) and model.overdispersion == "auto"):
        pieces += ["+", below(symbol("ε", "epsilon"), CELL)]
        alt += " plus the ups and downs epsilon of site j in period t"
    return eq.block(join(*pieces), alt)


def _in_words(report: Report) -> str:
    model, nouns = report.published.params.model, report.lead.nouns
    sentences = [
        f"Each {nouns[0]} has its own level, drawn from a common distribution, so that {nouns[1]} with few cases are "
        "drawn towards "
        "the average (partial pooling)."
    ]
    if any(facts.view.adjusted for facts in report.facts):
        sentences.append(
            "The offset carries the number predicted for the patients of each row, so levels are adjusted for case-mix."
        )
    if any(facts.view.has_case_mix for facts in report.facts):
        sentences.append(
            "Where numbers are predicted from patients' records, the case-mix model is fitted first, by maximum "
            "likelihood, and its predictions enter as known: its own uncertainty is not carried on. A mean is adjusted "
            "by taking what was predicted off each patient's value and adding the baseline's overall mean."
        )
    elif not any(facts.view.adjusted for facts in report.facts):
        sentences.append(
            "No predicted numbers came with the data, so nothing is adjusted for case-mix and the offset is the "
            "exposure alone or zero."
        )
    if over_time(report) and model.trend == "random_walk":
        sentences.append("The trend of the collaborative is a random walk: it may turn at every period.")
    elif over_time(report) and model.trend == "linear":
        sentences.append("The trend of the collaborative is a straight line on the scale of the model.")
    if over_time(report) and model.trajectory:
        sentences.append(f"Each {nouns[0]} may also have its own slope; level and slope may be correlated.")
    if model.site_effects == "student_t":
        sentences.append("Site effects follow a Student t distribution, so that a single far site is drawn in less.")
    if model.covariates:
        sentences.append(covariates.in_the_model(model, nouns))
    if model.together:
        labels = {view.name: numbers.lower_first(view.params.label) for view in report.published.measures}
        named = numbers.listed([labels[name] for name in model.together])
        sentences.append(
            f"{numbers.capital(named)} are fitted together: the levels of a {nouns[0]} are correlated over them, so "
            "that each measure lends its evidence to the others."
        )
    sentences.append(engines.said(report.published))
    return " ".join(sentences)


def _priors(report: Report) -> str:
    found = priors.used(report.published.params.model, report.published.measures, over_time(report))
    rows = [(name, meaning, said + (" (set in params)" if own else "")) for name, meaning, said, own in found]
    table = pd.DataFrame(rows, columns=["Name", "What it is", "Prior"])
    note = text("On the log-odds or log-rate scale; for means in units of the pooled standard deviation within sites.")
    return blocks(note, report.table("priors", table, "Priors of this run"))


def _rules(report: Report) -> str:
    """Every word that occurs in this report with its rule and thresholds, slot by slot."""
    table = report.published.statements
    table = table[table["statement"].ne("none")].drop_duplicates(["slot", "statement", "rule"])
    order = {slot: place for place, slot in enumerate(slugs.WORDS)}
    table = table.assign(place=table["slot"].map(order)).sort_values(["place", "statement", "rule"])
    said = [
        slugs.word(slot, slug) for slot, slug in zip(table["slot"].to_list(), table["statement"].to_list(), strict=True)
    ]
    shown = pd.DataFrame(
        {"Word": [numbers.capital(said_) for said_ in said], "Rule": list(table["rule"])}
    ).drop_duplicates()
    intro = text("The thresholds stand in the params file. Words that occur in this report:")
    return blocks(intro, report.table("rules", shown, "Words and their rules"))


def _windows(report: Report) -> str:
    """What is compared with what: the windows, and what "average" means."""
    windows, nouns = report.lead.view.windows, report.lead.nouns
    sentences = []
    if windows.current.label:
        before = "; there is no baseline"
        if windows.baseline is not None:
            before = f", the baseline {numbers.period_name(windows.baseline.label)}"
        sentences.append(f"Now is {numbers.period_name(windows.current.label)}{before}.")
        sentences.append("Within a window, periods weigh by their cases.")
    sentences.append(
        f"The average is that of the {nouns[1]} with cases enough to be compared, each counting once; ratios to it "
        "are of "
        f"standardised rates, as if every {nouns[0]} had treated all cases."
    )
    return text(" ".join(sentences))


def _classical(report: Report) -> str:
    """The companions of the Bayesian results, with their sources."""
    funnel = text(
        "Funnel limits are exact; the over-dispersed limits are the additive ones of the NHS mortality indicator, "
        "with the lowest and highest tenth left out of the estimate of the spread "
    )
    sentences = [f"{funnel}[@spiegelhalter2005; @spiegelhalter2012]."]
    if over_time(report):
        sentences.append(text("Control charts are XmR charts with the rules of NHS England’s Making Data Count."))
    sentences.append(f"{text('Mean ranks are averages over the posterior')} [@laird1989].")
    chapters = text("The chapters follow the features of high-performing collaboratives found in Michigan")
    sentences.append(f"{chapters} [@mcgowan2023].")
    return " ".join(sentences)
