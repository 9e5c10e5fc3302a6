"""Calibration and operating characteristics, simulated: six studies and their pages in docs/.

    python -m calibration ranks    [--form full] [--family binomial] [--engine laplace] [--first 0] [--replicates 1000]
    python -m calibration control  [--family binomial] [--first 0] [--replicates 200]
    python -m calibration together [--form level] [--first 0] [--replicates 1000]
    python -m calibration features [--replicates 500]
    python -m calibration spreads  [--replicates 2000]
    python -m calibration words    [--first 0] [--replicates 20]
    python -m calibration pages    tables and figures of docs/calibration.md and docs/operating_characteristics.md

Replicates are kept under runs/calibration/ as they are done, one line a replicate: stopped, it goes on where it was,
and from where the tables in calibration/results/ end. Take both away to fit anew.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from calibration.replicates import Store

ROOT = Path(__file__).parents[1]
WORK = ROOT / "runs" / "calibration"  # replicates, a line each
RESULTS = ROOT / "calibration" / "results"
STORE = Store(WORK, RESULTS)
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
    from calibration.forms import FAMILIES, FORMS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name: str, work: Callable[[argparse.Namespace], None], words: str) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=words)
        own.set_defaults(work=work)
        return own

    ranked = command("ranks", _ranks, "simulation-based calibration of every form of the model")
    ranked.add_argument("--form", choices=FORMS, action="append")
    ranked.add_argument("--engine", choices=("laplace", "nuts"), default="laplace")
    _replicates(ranked, None)
    of_effect = command("control", _control, "what is found of an effect where there is none")
    _replicates(of_effect, 200)
    coupled = command("together", _together, "calibration of measures whose levels correlate")
    coupled.add_argument("--form", choices=("level", "full"), action="append")
    _replicates(coupled, 1000)
    for one in (ranked, of_effect):
        one.add_argument("--family", choices=FAMILIES, action="append")
    _replicates(command("features", _features, "calibration of survey, ratings, audit and indicators"), 500)
    _replicates(command("spreads", _spreads, "two parameters of means on a grid, without an engine"), 2000)
    _replicates(command("words", _words, "false positives, power and coverage in simulated collaboratives"), 20)
    command("pages", _pages, "tables and figures for docs/")
    return parser.parse_args()


def _replicates(parser: argparse.ArgumentParser, goal: int | None) -> None:
    parser.add_argument("--first", type=int, default=0, help="the replicate to start from")
    parser.add_argument("--replicates", type=int, default=goal, help="the replicate to stop before")


def _numbers(options: argparse.Namespace) -> range:
    return range(options.first, options.replicates)


def _ranks(options: argparse.Namespace) -> None:
    from calibration import studies

    options.replicates = options.replicates or studies.GOAL[options.engine]
    studies.run(studies.chosen(options.form, options.family, options.engine), _numbers(options), STORE, SEED)


def _control(options: argparse.Namespace) -> None:
    from calibration import control

    control.study(options.family, _numbers(options), STORE)


def _together(options: argparse.Namespace) -> None:
    from calibration import together

    together.study(options.form, _numbers(options), SEED, STORE)


def _features(options: argparse.Namespace) -> None:
    from calibration import features

    features.study(_numbers(options), STORE)


def _spreads(options: argparse.Namespace) -> None:
    from calibration import spreads

    spreads.study(_numbers(options), SEED, STORE)


def _words(options: argparse.Namespace) -> None:
    from calibration import collaboratives

    collaboratives.study(SEED, _numbers(options), WORK)


def _pages(options: argparse.Namespace) -> None:
    from calibration import rank_page, word_page

    rank_page.write(STORE, ROOT / "docs")
    if any(WORK.glob("words_*.parquet")):
        word_page.write(WORK, RESULTS, ROOT / "docs")
    else:
        print(f"no collaboratives in {WORK}: docs/operating_characteristics.md stays → python -m calibration words")


if __name__ == "__main__":
    main()
