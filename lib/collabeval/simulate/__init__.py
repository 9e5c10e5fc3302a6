"""An invented collaborative with known truth: data to try the package on, and to see whether it finds what is there."""

from collabeval.simulate.collaborative import Behaviour, Simulated, collaborative
from collabeval.simulate.demo import MEASURES, SEED, TOWNS, demo

__all__ = ["MEASURES", "SEED", "TOWNS", "Behaviour", "Simulated", "collaborative", "demo"]
