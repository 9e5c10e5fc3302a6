"""docs/estimands.md names every estimand, event and word, and no other."""

import ast
import re
from pathlib import Path

import pytest

from collabeval import estimates
from test_estimates_events import random_case

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "estimands.md").read_text(encoding="utf-8")


def chapter(title: str) -> str:
    """The text under one heading."""
    return re.split(r"^## ", GUIDE.split(f"## {title}\n")[1], maxsplit=1, flags=re.M)[0]


def in_tables(text: str, column: int) -> set[str]:
    """What stands in back-ticks in one column of the tables."""
    rows = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row[column])}


@pytest.fixture(scope="module")
def results():
    setting, draws = random_case(1, expected=True, flip=False)
    trees = {"m": draws.tree()}
    sites = estimates.evaluate_sites(setting, draws.panel, trees)
    return sites, estimates.evaluate_programme(setting, draws.panel, trees)


def test_every_estimand_is_explained(results):
    sites, programme = results
    assert in_tables(chapter("About sites"), 1) == set(sites.estimates["estimand"])
    assert in_tables(chapter("About the collaborative"), 1) == set(programme.estimates["estimand"])


def test_every_event_is_explained(results):
    sites, _ = results
    rows = sites.probabilities
    assert in_tables(chapter("Events and their probabilities"), 1) == set(rows.loc[rows["site"].ne(""), "event"])


def test_every_word_is_explained():
    source = ast.parse((ROOT / "lib/collabeval/words.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Word"]
    said = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)} | {"improved", "worsened"}
    assert in_tables(chapter("Words"), 2) == said
