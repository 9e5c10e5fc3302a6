"""The collaboratives of one funder together: what their own runs found, side by side, and what may lie behind it."""

from collabeval.portfolio.association import association, association_design
from collabeval.portfolio.gather import gather, read_tables
from collabeval.portfolio.members import Funder, Member, open_funder

__all__ = ["Funder", "Member", "association", "association_design", "gather", "open_funder", "read_tables"]
