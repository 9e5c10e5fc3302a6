"""The folder one run leaves behind: its paths, and tables moved into place only when whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TABLES = (
    "site_estimates",
    "site_probabilities",
    "site_statements",
    "programme_estimates",
    "programme_trend",
    "funnel",
    "spc",
    "diagnostics",
)


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write to; move it into place only when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True)
class RunFolder:
    """`runs/<collaborative>/<edition>/`: where each thing lies (docs/data.md, "What a run leaves behind")."""

    path: Path

    @property
    def params(self) -> Path:
        return self.path / "params.yml"

    @property
    def panel(self) -> Path:
        return self.path / "data" / "panel.parquet"

    @property
    def quality(self) -> Path:
        return self.path / "data" / "quality.parquet"

    @property
    def sites(self) -> Path:
        return self.path / "data" / "sites.parquet"

    def data_table(self, name: str) -> Path:
        """A further table (survey, costs …) as the contract left it."""
        return self.path / "data" / f"{name}.parquet"

    @property
    def status(self) -> Path:
        return self.path / "run.json"

    def draws(self, measure: str) -> Path:
        return self.path / "draws" / f"{measure}.nc"

    def table(self, name: str) -> Path:
        return self.path / "results" / f"{name}.parquet"

    def notebook(self, step: str) -> Path:
        return self.path / "notebooks" / f"{step}.ipynb"

    @property
    def own_models(self) -> Path:
        return self.path / "models"

    @property
    def narrative(self) -> Path:
        """The evaluator's words as they were when the report was made."""
        return self.path / "narrative"

    def comparison(self, kind: str) -> RunFolder:
        """The folder of a comparison of models: `sensitivity`, or `models` for those in params."""
        return RunFolder(self.path / "compare" / kind)

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def tables(self) -> Path:
        return self.path / "tables"

    @property
    def report(self) -> Path:
        return self.path / "report"

    def read(self, path: Path) -> pd.DataFrame:
        """Read one Parquet table of this run."""
        import pandas as pd

        return pd.read_parquet(path)

    def write(self, table: pd.DataFrame, path: Path) -> Path:
        """Write one Parquet table of this run, whole or not at all."""
        with written_whole(path) as part:
            table.to_parquet(part, index=False)
        return path

    def write_tables(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Results tables by name, each as `write` does."""
        for name, table in tables.items():
            self.write(table, self.table(name))

    def write_data(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Further tables by name, each as `write` does."""
        for name, table in tables.items():
            self.write(table, self.data_table(name))
