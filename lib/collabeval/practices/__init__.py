"""What high performers do differently: site effects regressed on practices, as hypotheses for site visits.

`evidence` takes the pooling off the sites' effects, `regression` is the regularised regression, `evaluate` makes the
tables of a run.
"""

from __future__ import annotations

# the tables of docs/data.md that the table of practices adds
TABLES = ("practice_effects", "practice_adoption")

# status of a practice: its effect is estimated; (nearly) all sites do it or none does; too few sites say what they do
ESTIMATED, ALIKE, FEW = "estimated", "alike", "few sites"
FEWEST_SITES = 10  # with data on performance and practices, below which nothing is regressed
FEWEST_ALIKE = 3  # sites that mostly do it, and that mostly do not: an effect of one or two is these sites' own
