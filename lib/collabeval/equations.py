"""Equations for both renderers from one source: MathML for HTML, Typst with a text alternative for PDF."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Formula:
    """A piece of an equation in both notations; pieces are joined with `+`."""

    mathml: str
    typst: str

    def __add__(self, other: Formula) -> Formula:
        return Formula(self.mathml + other.mathml, f"{self.typst} {other.typst}")


def symbol(name: str, typst: str = "") -> Formula:
    """A variable: a letter, Greek letters as themselves."""
    return Formula(f"<mi>{escape(name)}</mi>", typst or name)


def word(text: str) -> Formula:
    """Upright text: the name of a distribution or of a quantity."""
    return Formula(f'<mi mathvariant="normal">{escape(text)}</mi>', f'upright("{text}")')


# how a mark is written in each notation, where not as itself
IN_MATHML = {"~": "∼"}
IN_TYPST = {"~": "tilde.op", "(": "\\(", ")": "\\)", "·": "dot.op", ",": "\\,"}


def operator(mark: str) -> Formula:
    """An operator or bracket: =, ~, +, −, ·, ( and ), a comma."""
    return Formula(f"<mo>{escape(IN_MATHML.get(mark, mark))}</mo>", IN_TYPST.get(mark, mark))


SPACE = Formula('<mspace width="0.17em"/>', "thin")


def averaged(base: Formula) -> Formula:
    """A mean: a bar over a symbol."""
    return Formula(f'<mover accent="true">{row(base)}<mo stretchy="true">¯</mo></mover>', f"overline({base.typst})")


def root(inner: Formula) -> Formula:
    """A square root."""
    return Formula(f"<msqrt>{row(inner)}</msqrt>", f"sqrt({inner.typst})")


def below(base: Formula, index: Formula) -> Formula:
    """A subscript."""
    return Formula(f"<msub>{row(base)}{row(index)}</msub>", f"{base.typst}_({index.typst})")


def raised(base: Formula, power: Formula) -> Formula:
    """A superscript."""
    return Formula(f"<msup>{row(base)}{row(power)}</msup>", f"{base.typst}^({power.typst})")


def over(top: Formula, bottom: Formula) -> Formula:
    """A fraction."""
    return Formula(f"<mfrac>{row(top)}{row(bottom)}</mfrac>", f"frac({top.typst}, {bottom.typst})")


def row(formula: Formula) -> str:
    """MathML of a formula as one argument."""
    return f"<mrow>{formula.mathml}</mrow>"


def join(*pieces: Formula | str) -> Formula:
    """Pieces in a row; plain strings are operators."""
    formulas = [operator(piece) if isinstance(piece, str) else piece for piece in pieces]
    whole = formulas[0]
    for formula in formulas[1:]:
        whole = whole + formula
    return whole


def block(formula: Formula, alt: str) -> str:
    """An equation on its own line: one raw block for each output format.

    `alt` says the equation in words: it is read aloud, and without it a PDF is not accessible.
    """
    words = alt.replace("\\", "").replace('"', "'")
    opening = f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block" alttext="{escape(words)}">'
    math = f"{opening}{row(formula)}</math>"
    typst = f'#math.equation(block: true, alt: "{words}", $ {formula.typst} $)'
    return f"```{{=html}}\n{math}\n```\n\n```{{=typst}}\n{typst}\n```"
