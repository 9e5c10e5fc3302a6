"""What a site is called in a report: its name, or a code that says nothing about it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from collabeval.params import Params

if TYPE_CHECKING:
    import pandas as pd

EDITION_KIND = "collaborative"


def site_labels(sites: pd.DataFrame, panel: pd.DataFrame, params: Params) -> dict[str, str]:
    """The label under which each site appears: `named` its name (with its code where names repeat), `coded` a number.

    Codes run through a shuffle keyed by the seed, the collaborative, the edition and the confidential data themselves.
    So they are the same whenever the same run is repeated, and next year's codes say nothing about this year's. Whoever
    holds the data of the run can work the codes out, as could someone who knew the seed and could guess every number:
    that is why a coded report prints neither the seed nor a plain hash of the data.
    """
    codes = sorted(map(str, sites["site"]))
    if params.report.sites == "coded":
        return _coded(codes, _key(panel, params), params.report.site_noun[0])
    names = {str(row["site"]): _name(row) for row in sites.to_dict("records")}
    repeated = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {code: f"{name} ({code})" if name in repeated else name for code, name in names.items()}


def _name(row: dict) -> str:
    name = row.get("name")
    return name.strip() if isinstance(name, str) and name.strip() else str(row["site"])


def _coded(codes: Sequence[str], key: bytes, noun: str) -> dict[str, str]:
    shuffled = sorted(codes, key=lambda code: hmac.new(key, code.encode(), hashlib.sha256).digest())
    width = len(str(len(codes)))
    return {code: f"{noun.capitalize()} {place:0{width}d}" for place, code in enumerate(shuffled, start=1)}


def _key(panel: pd.DataFrame, params: Params) -> bytes:
    """The key of the shuffle: no part of it but the collaborative and the edition is ever printed in a coded report."""
    columns = [name for name in ("measure", "site", "period", "numerator", "denominator", "mean", "n", "se")
               if name in panel]  # fmt: skip
    data = panel[columns].sort_values(columns[:3]).to_csv(index=False, float_format="%.10g")
    secret = f"{params.sampling.seed}|{params.collaborative}|{params.edition}|{EDITION_KIND}"
    return hmac.new(secret.encode(), data.encode(), hashlib.sha256).digest()
