"""A project small enough to run in seconds: notebooks that write tiny tables, the real pipeline around them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from collabeval import threats

ROOT = Path(__file__).parents[1]

PARAMS = """
collaborative: small
title: A small collaborative
edition: "2025"
data: {sites: sites.csv, outcomes: outcomes.csv}
measures:
  death: {label: Deaths, family: binomial, better: lower}
  fall: {label: Falls, family: poisson, better: lower}
sampling: {seed: 1}
report: {formats: [html], sites: named, minimum_cell: 0}
render: embedded
"""

BLOCKS = (
    "collaborative", "title", "edition", "data", "measures", "sampling", "periods", "model", "rules", "report",
    "render", "indicators", "survey", "profile", "composites", "effect", "scorecards", "value", "compare", "run_folder",
)  # fmt: skip

SETUP = """
from pathlib import Path
import time
import pyarrow as pa, pyarrow.parquet as pq
run = Path(run_folder)
def write(name, **columns):
    path = run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
"""

CODE = {
    "data": """
text = Path(data["outcomes"]).read_text()
write("data/panel.parquet", rows=text.splitlines())
write("data/sites.parquet", rows=Path(data["sites"]).read_text().splitlines())
write("data/data_checks.parquet", check=["none"])
from collabeval import provenance
from collabeval.sources import Source
sources = [Source(data[table], provenance.sha256(Path(data[table]))) for table in ("sites", "outcomes")]
provenance.write_sources(provenance.RunFolder(run), sources)
""",
    # a seed of 13 sleeps long enough to be killed in the middle; a folder `quick` ends the sleep
    "fit": """
import h5py
(run / "draws").mkdir(exist_ok=True)
print("sampling", measure)
(run / "draws" / f".{measure}-abcdefgh.nc").touch()
while sampling["seed"] == 13 and not Path("quick").exists():
    time.sleep(0.1)
with h5py.File(run / "draws" / f"{measure}.nc", "w") as file:
    file["panel"] = len(pq.read_table(run / "data" / "panel.parquet"))
    file.attrs["engine"] = "stub"
    file.attrs["seed"] = sampling["seed"]
(run / "draws" / f".{measure}-abcdefgh.nc").unlink()
""",
    "performance": "".join(
        f"write('results/{name}.parquet', level=[rules['level']])\n"
        for name in ("site_estimates", "site_probabilities", "site_statements", "funnel")
    ),
    "improvement": "".join(
        f"write('results/{name}.parquet', level=[1.0])\n" for name in ("programme_estimates", "programme_trend", "spc")
    ),
    "checks": """
passed = sampling["draws"] != 13
write("results/diagnostics.parquet", model=["death"], check=["rhat"], value=[1.5], limit=[1.01],
      level=["blocking"], passed=[passed], advice=[""])
write("data/quality.parquet", check=["none"])
"""
    + "".join(f"write('results/{name}.parquet', level=[1.0])\n" for name in threats.TABLES),
}

TEMPLATE = """---
lang: en
---

```{python}
#| tags: [parameters]
run_folder = ""
```

```{python}
#| echo: false
from pathlib import Path
from IPython.display import Markdown, display
front = {"title": "A small collaborative", "date": "2025"}
display({"application/vnd.collabeval.front-matter+json": front}, raw=True)
```

# Summary

Nothing happened.

```{python}
#| echo: false
figures = Path(run_folder) / "figures"
dot = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='90'><circle cx='9' cy='9' r='9'/></svg>"
(figures / "dot.svg").write_text(dot)
Markdown("![A dot](figures/dot.svg){#fig-dot fig-alt='a dot'}")
```
"""


def write_notebook(path: Path, code: Sequence[str], parameters: Sequence[str]) -> Path:
    """Write a notebook with a `parameters` cell and some code cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    declared = "\n".join(f"{name} = None" for name in parameters)
    notebook.cells = [
        nbformat.v4.new_markdown_cell("# Does it run?"),
        nbformat.v4.new_code_cell(declared, metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(cell) for cell in code),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def make_project(folder: Path) -> Path:
    """Lay out the project: notebooks, a template, the report's style, params and data; return the params file."""
    for step, code in CODE.items():
        parameters = [*BLOCKS, "measure"] if step == "fit" else BLOCKS
        write_notebook(folder / "notebooks" / f"{step}.ipynb", [SETUP, code], parameters)
    shutil.copytree(ROOT / "reports", folder / "reports", ignore=shutil.ignore_patterns("published"))
    (folder / "reports" / "evaluation.qmd").write_text(TEMPLATE, encoding="utf-8")
    (folder / "requirements.lock").write_text("pandas==3\n", encoding="utf-8")
    (folder / "sites.csv").write_text("site\nA\n", encoding="utf-8")
    (folder / "outcomes.csv").write_text("site,numerator\nA,1\n", encoding="utf-8")
    (folder / "small.yml").write_text(PARAMS, encoding="utf-8")
    return folder / "small.yml"


def told(run: Path) -> dict[str, object]:
    """What `run.json` says."""
    return dict(json.loads((run / "run.json").read_text(encoding="utf-8")))


def states(run: Path) -> dict[str, str]:
    """The state of each step, as `run.json` has it."""
    return {row["step"]: row["state"] for row in told(run)["steps"]}  # type: ignore[attr-defined, index]
