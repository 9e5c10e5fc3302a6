"""Burden and value: what the programme and its data cost, and what the events it avoided were worth (docs/value.md)."""
