"""Methods: the model in equations and in words, its priors, the rules behind every word."""

from __future__ import annotations

import pandas as pd

from collabeval import equations as eq
from collabeval.equations import Formula, below, join, raised, symbol, word
from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements import numbers, priors
from collabeval.statements import words as slugs

SITE, PERIOD = symbol("j"), symbol("t")
CELL = join(SITE, PERIOD)
ETA = below(symbol("η", "eta"), CELL)


def methods(report: Report) -> Section:
    """The chapter for the reader's own statistician."""
    return Section(
        blocks(
            "# Methods {#sec-methods}",
            "## The model",
            _families(report),
            _predictor(report),
            text(_in_words(report)),
            "## Priors",
            _priors(report),
            "## The rules behind the words",
            _rules(report),
            _windows(report),
            "## Methods used besides",
            _classical(),
        )
    )


def over_time(report: Report) -> bool:
    """Whether the data have periods at all."""
    return report.published.params.periods.length != "none"


def _families(report: Report) -> str:
    """The likelihood of each family that occurs."""
    found = dict.fromkeys(facts.view.params.family for facts in report.facts)
    return blocks(*(FAMILIES[family]() for family in found))


def _binomial() -> str:
    formula = join(below(symbol("y"), CELL), "~", word("Binomial"), "(", below(symbol("n"), CELL), ",", below(symbol("p"), CELL), ")", ",",
                   word("logit"), below(symbol("p"), CELL), "=", ETA)  # fmt: skip
    alt = "y of site j in period t is binomial with n cases and probability p; the logit of p is eta"
    return blocks(text("Shares (events among cases):"), eq.block(formula, alt))


def _poisson() -> str:
    formula = join(below(symbol("y"), CELL), "~", word("Poisson"), "(", below(symbol("E"), CELL),
                   raised(symbol("e"), ETA), ")")  # fmt: skip
    alt = "y of site j in period t is Poisson with mean E times e to the power of eta"
    said = "Counts over an exposure, where E is the predicted number if the data give one, else the exposure:"
    return blocks(text(said), eq.block(formula, alt))


def _normal() -> str:
    mean = below(symbol("ȳ", "macron(y)"), CELL)
    root = Formula(f"<msqrt>{eq.row(below(symbol('n'), CELL))}</msqrt>", f"sqrt({below(symbol('n'), CELL).typst})")
    formula = join(mean, "~", word("Normal"), "(", ETA, ",", eq.over(below(symbol("σ", "sigma"), SITE), root), ")")
    alt = (
        "the mean of y of site j in period t is normal with mean eta and standard deviation sigma j over the root of n"
    )
    said = (
        "Means, with the standard deviation within each site estimated from the reported ones and partially pooled (or the "
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
    pieces += ["+", below(symbol("θ", "theta"), SITE)]
    alt += " plus the level theta of site j"
    if over_time(report) and model.trajectory:
        pieces += ["+", below(symbol("δ", "delta"), SITE), "(", PERIOD, "−", symbol("t̄", "macron(t)"), ")"]
        alt += " plus the slope delta of site j times t minus its mean"
    if model.overdispersion is True or (over_time(report) and model.overdispersion == "auto"):
        pieces += ["+", below(symbol("ε", "epsilon"), CELL)]
        alt += " plus the ups and downs epsilon of site j in period t"
    return eq.block(join(*pieces), alt)


def _in_words(report: Report) -> str:
    model, nouns = report.published.params.model, report.lead.nouns
    sentences = [
        f"Each {nouns[0]} has its own level, drawn from a common distribution, so that {nouns[1]} with few cases are drawn towards "
        "the average (partial pooling)."
    ]
    if any(facts.view.adjusted for facts in report.facts):
        sentences.append(
            "The offset carries the number predicted for the patients of each row, so levels are adjusted for case-mix."
        )
    else:
        sentences.append(
            "No predicted numbers came with the data, so nothing is adjusted for case-mix and the offset is the exposure alone or zero."
        )
    if over_time(report) and model.trend == "random_walk":
        sentences.append("The trend of the collaborative is a random walk: it may turn at every period.")
    elif over_time(report) and model.trend == "linear":
        sentences.append("The trend of the collaborative is a straight line on the scale of the model.")
    if over_time(report) and model.trajectory:
        sentences.append(f"Each {nouns[0]} may also have its own slope; level and slope may be correlated.")
    if model.site_effects == "student_t":
        sentences.append("Site effects follow a Student t distribution, so that a single far site is drawn in less.")
    sentences.append(
        "The posterior was sampled with the No-U-Turn sampler; every number shown is a summary of its draws."
    )
    return " ".join(sentences)


def _priors(report: Report) -> str:
    found = priors.used(report.published.params.model, report.published.measures, over_time(report))
    rows = [(name, meaning, said + (" (set in params)" if own else "")) for name, meaning, said, own in found]
    table = pd.DataFrame(rows, columns=["Name", "What it is", "Prior"])
    note = text("On the log-odds or log-rate scale; for means in units of the pooled standard deviation within sites.")
    return blocks(note, report.table("priors", table, "Priors of this run"))


def _rules(report: Report) -> str:
    """Every word that occurs in this report with its rule and thresholds."""
    table = report.published.statements.drop_duplicates(["slot", "statement", "rule"])
    table = table[table["statement"].ne("none")]
    order = {"level": 0, "trajectory": 1, "deviance": 2}
    table = table.sort_values(
        ["slot", "statement"], key=lambda column: column.map(order).fillna(0) if column.name == "slot" else column
    )
    shown = pd.DataFrame(
        {
            "Word": [numbers.capital(slugs.word(row.slot, row.statement)) for row in table.itertuples()],
            "Rule": list(table["rule"]),
        }
    ).drop_duplicates()
    intro = "The thresholds stand in the params file and were read before any result was computed. Words that occur in this report:"
    return blocks(text(intro), report.table("rules", shown, "Words and their rules"))


def _windows(report: Report) -> str:
    windows = report.lead.view.windows
    if not windows.current.label:
        return ""
    said = f"Now is {numbers.period_name(windows.current.label)}"
    said += (
        f", the baseline {numbers.period_name(windows.baseline.label)}."
        if windows.baseline
        else "; there is no baseline."
    )
    return text(f"{said} Rates of a window weigh periods by their cases.")


def _classical() -> str:
    said = text(
        "Funnel limits are exact (Poisson or binomial); the over-dispersed limits are the additive ones of the NHS mortality indicator "
    )
    charts = text(" Control charts are XmR charts with the rules of NHS England’s Making Data Count. Ranks follow ")
    return f"{said}[@spiegelhalter2005; @spiegelhalter2012].{charts}[@laird1989]. The features of high-performing collaboratives: [@mcgowan2023]."
