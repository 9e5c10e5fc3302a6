"""Rendering: an executed report notebook to one self-contained HTML file and one tagged PDF.

Two renderers read the same notebook, filters, templates and styles (`reports/style`): Quarto where it is installed, and
an embedded one made of the Pandoc and Typst wheels. Neither computes anything: all numbers are in the notebook already.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from collabeval.errors import RenderError
from collabeval.render import embedded, quarto
from collabeval.render.common import FORMATS, Rendered, Renderer, prepare

__all__ = ["Rendered", "Renderer", "choose", "prepare", "render"]


def choose(preference: str = "auto") -> Renderer:
    """Pick the renderer for `render: auto | quarto | embedded` in params; the result says which, its version and why.

    Raises
    ------
    RenderError
        Quarto is asked for by name and cannot be used, or the preference is not one of the three.
    """
    if preference == "embedded":
        return embedded.describe("asked for in params (render: embedded)")
    found = quarto.describe()
    if preference == "quarto" and not found.usable:
        raise RenderError(f"params ask for `render: quarto`, but {found.why}; use `render: auto` or install Quarto")
    if preference not in ("auto", "quarto"):
        raise RenderError(f"render: {preference!r} is not known; use auto, quarto or embedded")
    return found if found.usable else embedded.describe(found.why)


def render(
    notebook: Path,
    figures: Path,
    out: Path,
    formats: Sequence[str],
    preference: str = "auto",
    name: str = "report",
    work: Path | None = None,
) -> Rendered:
    """Render one executed notebook into `out`.

    Everything is done in a folder of this report's own, `work`, made anew each time (reports that share a folder share
    figures). It stays behind: it is a Quarto project, and a plain `quarto render` in it gives the report again.

    Parameters
    ----------
    notebook : executed report, its first cell the raw YAML front matter (title, lang, date)
    figures : folder of the pictures that the report names as `figures/<name>.svg`
    out : where `<name>.html` and `<name>.pdf` go, moved into place only when whole
    formats : some of "html", "pdf"
    work : the working folder, `out/source` if None; not below a folder whose name starts with a dot, where Quarto does
        not find the packages its own Typst template imports

    Raises
    ------
    RenderError
        The notebook holds something that a report may not hold, or the renderer failed; the message says what.
    """
    unknown = [wanted for wanted in formats if wanted not in FORMATS]
    if unknown:
        raise RenderError(f"formats: {', '.join(unknown)} not known; use {' and '.join(FORMATS)}")
    renderer = choose(preference)
    out.mkdir(parents=True, exist_ok=True)
    for wanted in FORMATS:
        (out / f"{name}.{wanted}").unlink(missing_ok=True)  # a report that fails leaves no older one in its place
    work = work or out / "source"
    if work.exists():
        shutil.rmtree(work)
    source = prepare(notebook, figures, work, name)
    write = quarto.write if renderer.name == "quarto" else embedded.write
    files = tuple(path.replace(out / path.name) for path in write(source, formats))
    return Rendered(files=files, renderer=renderer.name, version=renderer.version)
