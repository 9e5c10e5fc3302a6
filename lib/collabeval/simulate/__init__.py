"""Invented collaboratives with known truth: data to try the package on, and to see whether it finds what is there."""

from collabeval.simulate.collaborative import Simulated, collaborative
from collabeval.simulate.complete import Complete, complete, demo_complete
from collabeval.simulate.demo import MEASURES, SEED, TOWNS, demo
from collabeval.simulate.draw import Behaviour
from collabeval.simulate.setting import Setting

__all__ = [
    "MEASURES", "SEED", "TOWNS", "Behaviour", "Complete", "Setting", "Simulated", "collaborative", "complete", "demo",
    "demo_complete",
]  # fmt: skip
