"""What people and audits say: survey, ratings and audit of one evaluation, as results tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from collabeval.diagnostics.check import as_table
from collabeval.features.audit import KEYS as AUDIT
from collabeval.features.audit import evaluate_audit
from collabeval.features.checks import borderline
from collabeval.features.ratings import KEYS as RATINGS
from collabeval.features.ratings import evaluate_ratings
from collabeval.features.results import Results
from collabeval.features.survey import KEYS as SURVEY
from collabeval.features.survey import evaluate_survey
from collabeval.params import Params

TABLES = {"survey": SURVEY, "ratings": RATINGS, "audit": AUDIT}


def evaluate_opinions(
    params: Params,
    panel: pd.DataFrame,
    sites: pd.DataFrame,
    given: Mapping[str, pd.DataFrame],
    progress: Callable[[str], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """Estimates, probabilities and counts of each, `opinion_distances` and `opinion_checks`; empty where not given.

    Parameters
    ----------
    panel, sites : DataFrame, the analysed rows and the table of sites.
    given : the further tables by name, as the contract leaves them.
    """
    found = {name: Results(name, keys) for name, keys in TABLES.items()}
    if "survey" in given:
        found["survey"] = evaluate_survey(params, panel, sites, given["survey"], progress)
    if "ratings" in given:
        found["ratings"] = evaluate_ratings(params, panel, given["ratings"], progress)
    if "audit" in given:
        found["audit"] = evaluate_audit(params, panel, given["audit"], progress)
    tables = {name: table for results in found.values() for name, table in results.tables().items()}
    distances = [results.distances for results in found.values()]
    tables["opinion_distances"] = pd.concat(distances, ignore_index=True)
    checks = [check for results in found.values() for check in results.checks]
    checks += [borderline(name, tables[f"{name}_probabilities"], params) for name in found if found[name].checks]
    attributes = {model: said for results in found.values() for model, said in results.attributes.items()}
    tables["opinion_checks"] = as_table(checks, attributes)
    return tables
