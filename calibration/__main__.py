"""Calibration and operating characteristics, simulated: four studies and their pages in docs/.

    python -m calibration ranks    [--form level] [--family binomial] [--replicates 1000] [--engine laplace]
    python -m calibration features [--replicates 500]
    python -m calibration spreads  [--replicates 2000]
    python -m calibration words    [--replicates 20]
    python -m calibration pages    tables and figures of docs/calibration.md and docs/operating_characteristics.md

Replicates are kept under runs/calibration/ as they are done, one line a replicate: stopped, it goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "runs" / "calibration"  # replicates, a line each
RESULTS = ROOT / "calibration" / "results"
SEED = 20250
TOGETHER = "1"  # replicates are small: threads cost more than they bring


def main() -> None:
    os.environ.setdefault("COLLABEVAL_CORES", TOGETHER)
    sys.path.insert(0, str(ROOT / "lib"))
    options = _options()
    WORK.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(exist_ok=True)
    options.work(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    ranked = commands.add_parser("ranks", help="simulation-based calibration")
    ranked.set_defaults(work=_ranks)
    ranked.add_argument("--form", choices=("level", "full"), action="append")
    ranked.add_argument("--family", choices=("binomial", "poisson", "normal"), action="append")
    ranked.add_argument("--engine", choices=("laplace", "nuts"), default="laplace")
    ranked.add_argument("--replicates", type=int, default=1000)
    ranked.add_argument("--draws", type=int, default=200, help="of each fit")
    ranked.add_argument("--effective", type=int, default=400, help="proposals of the fast engine, at least")
    of_features = commands.add_parser("features", help="calibration of survey, ratings, audit and indicators")
    of_features.set_defaults(work=_features)
    of_features.add_argument("--replicates", type=int, default=500)
    by_grid = commands.add_parser("spreads", help="two parameters of means on a grid, without an engine")
    by_grid.set_defaults(work=_spreads)
    by_grid.add_argument("--replicates", type=int, default=2000)
    said = commands.add_parser("words", help="false positives, power and coverage in simulated collaboratives")
    said.set_defaults(work=_words)
    said.add_argument("--replicates", type=int, default=20)
    said.add_argument("--first", type=int, default=0, help="the replicate to start from")
    commands.add_parser("pages", help="tables and figures for docs/").set_defaults(work=_pages)
    return parser.parse_args()


def _ranks(options: argparse.Namespace) -> None:
    from calibration import ranks

    sampling = ranks.Sampling(seed=0, chains=2, draws=options.draws // 2, minimum_ess=options.effective)
    forms = [ranks.FORMS[form] for form in options.form or ranks.FORMS]
    kinds = [(family, form) for form in forms for family in options.family or ranks.FAMILIES]
    for number in range(options.replicates):  # all kinds side by side: stopped, they have come equally far
        for family, form in kinds:
            target = WORK / f"ranks_{form.name}_{family}_{options.engine}_{options.draws}.jsonl"
            ranks.add(target, family, form, SEED, number, options.engine, sampling)
        if number % 50 == 49:
            print(f"{number + 1} of {options.replicates} replicates", flush=True)


def _features(options: argparse.Namespace) -> None:
    from calibration import features

    features.study(range(options.replicates), WORK)


def _spreads(options: argparse.Namespace) -> None:
    from calibration import spread_page, spreads

    spreads.study(range(options.replicates), SEED, WORK / f"{spread_page.BY_GRID}.jsonl")


def _words(options: argparse.Namespace) -> None:
    from calibration import collaboratives

    collaboratives.study(SEED, range(options.first, options.replicates), WORK)


def _pages(options: argparse.Namespace) -> None:
    from calibration import rank_page, word_page

    rank_page.write(WORK, RESULTS, ROOT / "docs")
    if any(WORK.glob("words_*.parquet")):
        word_page.write(WORK, RESULTS, ROOT / "docs")
    else:
        print(f"no collaboratives in {WORK}: docs/operating_characteristics.md stays → python -m calibration words")


if __name__ == "__main__":
    main()
