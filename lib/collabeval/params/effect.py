"""How the improvement due to the programme is estimated: the block `effect` of a params file."""

from __future__ import annotations

from collabeval.params.types import Code, Strict


class Effect(Strict):
    """The improvement due to the programme, against sites that have not joined yet or units outside it."""

    measures: tuple[Code, ...] = ()
    """The measures it is estimated for; left out: all."""
