"""The embedded renderer: Pandoc and Typst from their wheels, with the same filters, templates and styles as Quarto."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from collabeval.errors import RenderError
from collabeval.render import notebook
from collabeval.render.common import Renderer, source_date

FILTERS = ("markup", "structure", "figures", "tables", "look")
READER = "markdown"
PAGES = {
    "html": ["--to=html5", "--template=style/page.html", "--css=style/fonts.css", "--css=style/report.css",
             "--embed-resources", "--section-divs"],
    "pdf": ["--to=typst-citations", "--template=style/embedded.typ"],
}  # fmt: skip


def describe(why: str) -> Renderer:
    """Return the embedded renderer with the versions of its two parts."""
    parts = f"pypandoc-binary {version('pypandoc-binary')}, typst {version('typst')}"
    return Renderer(name="embedded", version=parts, why=why)


def write(source: Path, formats: Sequence[str]) -> list[Path]:
    """Render the notebook `source`, which lies in its prepared working folder, to "html", "pdf" or both at once."""
    document = notebook.to_markdown(source)
    with ThreadPoolExecutor(max_workers=len(PAGES)) as pool:
        return list(pool.map(lambda wanted: _write(document, source, wanted), formats))


def _write(document: str, source: Path, wanted: str) -> Path:
    if wanted == "html":
        return _pandoc(document, source.with_suffix(".html"), wanted)
    return _typst(_pandoc(document, source.with_suffix(".typ"), wanted), source.with_suffix(".pdf"))


def _pandoc(document: str, target: Path, wanted: str) -> Path:
    import pypandoc

    folder = target.parent
    command = [pypandoc.get_pandoc_path(), f"--from={READER}", *PAGES[wanted], "--standalone", "--wrap=none",
               "--shift-heading-level-by=1", "--fail-if-warnings", "--syntax-highlighting=none",
               *(f"--lua-filter=style/{name}.lua" for name in FILTERS)]  # fmt: skip
    if (folder / "references.bib").exists():
        command += ["--citeproc", "--bibliography=references.bib", "--metadata=link-citations:true"]
    done = subprocess.run(
        [*command, f"--output={target.name}"], input=document, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.split("stack traceback:")[0].strip()
        raise RenderError(f"{target.with_suffix('.ipynb')} could not be rendered to {wanted}: {said}")
    return target


def _typst(source: Path, target: Path) -> Path:
    import typst

    try:
        typst.compile(
            source, output=target, root=source.parent, font_paths=[source.parent / "fonts"], ignore_system_fonts=True,
            pdf_standards=["ua-1"], timestamp=source_date(),
        )  # fmt: skip
    except typst.TypstError as error:
        raise RenderError(f"{source} could not be set as PDF: {error}") from None
    return target
