"""An executed report notebook as the one Markdown document that it stands for."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from collabeval.errors import RenderError

FRONT_MATTER = "application/vnd.collabeval.front-matter+json"
PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
CELL_OPTIONS = {"label", "fig-cap", "fig-alt", "echo", "output", "warning", "include", "tags"}
REFUSED = {
    "a shortcode": re.compile(r"\{\{[<%].*?[%>]\}\}"),
    "inline code": re.compile(r"`(\{(python|r|julia|ojs)\}|r )[^`\n]+`"),
    "a code cell inside Markdown": re.compile(r"^\s*```+\s*\{(python|r|julia|ojs|mermaid|dot)\b", re.MULTILINE),
}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook file."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise RenderError(f"{path} is not a notebook that can be read: {error}") from None
    return list(cells)


def to_markdown(path: Path) -> str:
    """Return front matter, Markdown cells and Markdown outputs as one Pandoc Markdown document.

    Code is hidden unless its cell says `#| echo: true`. Pictures among the outputs are written to `figures/` beside the
    notebook and become figures with the cell's `label`, `fig-cap` and `fig-alt`.

    Raises
    ------
    RenderError
        A cell holds something that the report cannot carry (an error, printed text, a shortcode, an unknown option).
    """
    parts = []
    for number, cell in enumerate(read(path), start=1):
        where = f"{path.name}, cell {number}"
        text = _joined(cell["source"])
        if cell["cell_type"] == "code":
            parts.append(_code_cell(text, cell["outputs"], where, path.parent))
        else:
            parts.append(_checked(text, where))
    return "\n\n".join(part for part in parts if part) + "\n"


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _checked(markdown: str, where: str) -> str:
    for what, pattern in REFUSED.items():
        found = pattern.search(markdown)
        if found:
            raise RenderError(f"{where}: {what} ({found.group().strip()!r}) is not part of the report markup")
    return markdown


def _options(source: str, where: str) -> dict[str, Any]:
    lines = [line[2:].strip() for line in source.splitlines() if line.startswith("#|")]
    try:
        options = YAML(typ="safe", pure=True).load("\n".join(lines)) or {}
    except YAMLError as error:
        raise RenderError(f"{where}: the cell options cannot be read: {error}") from None
    unknown = sorted(set(options) - CELL_OPTIONS)
    if unknown:
        raise RenderError(
            f"{where}: cell option {unknown[0]!r} is not known; known are {', '.join(sorted(CELL_OPTIONS))}"
        )
    return dict(options)


def _code_cell(source: str, outputs: list[dict[str, Any]], where: str, folder: Path) -> str:
    options = _options(source, where)
    if options.get("include") is False:
        return ""
    parts = []
    if options.get("echo", False):
        code = "\n".join(line for line in source.splitlines() if not line.startswith("#|")).strip()
        parts.append(f"```python\n{code}\n```")
    if options.get("output", True):
        for position, output in enumerate(outputs, start=1):
            parts.append(_output(output, options, f"{where}, output {position}", folder))
    return "\n\n".join(part for part in parts if part)


def _output(output: dict[str, Any], options: dict[str, Any], where: str, folder: Path) -> str:
    kind = output["output_type"]
    if kind == "error":
        raise RenderError(f"{where}: the cell failed with {output['ename']}: {output['evalue']}")
    if kind == "stream":
        if output["name"] == "stderr":
            return ""  # warnings and progress belong to the executed notebook, not to the report
        raise RenderError(f"{where}: printed text ({_joined(output['text'])[:60]!r}) is not part of a report")
    data = output["data"]
    if "text/markdown" in data:
        return _checked(_joined(data["text/markdown"]), where)
    for mime, suffix in PICTURES.items():
        if mime in data:
            return _picture(data[mime], suffix, options, where, folder)
    if FRONT_MATTER in data:
        return ""
    raise RenderError(f"{where}: a result of type {', '.join(data)} is not part of a report; emit text/markdown")


def _picture(data: str | list[str], suffix: str, options: dict[str, Any], where: str, folder: Path) -> str:
    if not (options.get("fig-alt") and options.get("label")):
        raise RenderError(f"{where}: a picture needs the cell options `label` and `fig-alt`")
    label = str(options["label"])
    target = folder / "figures" / f"{label}.{suffix}"
    target.parent.mkdir(exist_ok=True)
    body = _joined(data)
    target.write_bytes(body.encode() if suffix == "svg" else base64.b64decode(body))
    alt = str(options["fig-alt"]).replace("\\", "\\\\").replace('"', '\\"')
    return f'![{options.get("fig-cap", "")}](figures/{target.name}){{#{label} fig-alt="{alt}"}}'
