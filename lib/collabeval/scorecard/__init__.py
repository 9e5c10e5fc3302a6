"""The performance index: scorecards scored on the data and under the posterior (docs/scorecards.md).

`evaluate` is what the notebook calls. Nothing is imported here, since disclosure control needs `points` alone.
"""
