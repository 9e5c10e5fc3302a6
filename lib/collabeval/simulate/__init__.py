"""Invented collaboratives with known truth: data to try the package on, and to see whether it finds what is there."""

from collabeval.simulate.collaborative import Simulated, collaborative
from collabeval.simulate.complete import Complete, complete, demo_complete
from collabeval.simulate.demo import MEASURES, SEED, TOWNS, demo
from collabeval.simulate.draw import Behaviour
from collabeval.simulate.portfolio import SEED as PORTFOLIO_SEED
from collabeval.simulate.portfolio import SimulatedPortfolio, portfolio
from collabeval.simulate.portfolio_files import portfolio_files
from collabeval.simulate.setting import Setting

__all__ = [
    "MEASURES", "PORTFOLIO_SEED", "SEED", "TOWNS", "Behaviour", "Complete", "Setting", "Simulated",
    "SimulatedPortfolio", "collaborative", "complete", "demo", "demo_complete", "portfolio", "portfolio_files",
]  # fmt: skip
