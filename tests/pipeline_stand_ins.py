"""The real pipeline on stand-ins for kernels and the renderer, which take no time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from collabeval import threats
from collabeval.pipeline import Request, Run
from collabeval.pipeline.job import Step

ALL = ["data", "fit-death", "fit-fall", "performance", "improvement", "checks", "report", "render"]


class Silent:
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.began: list[str] = []

    def planned(self, due: object, every: object, seconds: object) -> None: ...

    def started(self, step: object) -> None:
        self.began.append(step.name)  # type: ignore[attr-defined]

    def said(self, step: object, words: str) -> None: ...

    def finished(self, step: object, seconds: float) -> None: ...


class Notebooks:
    """Stands for kernels: writes what each notebook would write, or fails where it is told to."""

    def __init__(self, run: Path) -> None:
        self.run, self.failing, self.passed = run, {}, True  # type: tuple[Path, dict[str, Exception], bool]
        self.seen: Callable[[str], None] = lambda step: None

    def __call__(self, source: Path, target: Path, parameters: dict[str, object], kernel: object) -> Path:
        import h5py
        import pyarrow as pa
        import pyarrow.parquet as pq

        step = target.stem
        self.seen(step)
        if step in self.failing:
            raise self.failing[step]
        made = {
            "data": ["data/panel", "data/sites", "data/data_checks"],
            "performance": [f"results/{name}" for name in
                            ("site_estimates", "site_probabilities", "site_statements", "funnel")],
            "improvement": [f"results/{name}" for name in
                            ("programme_estimates", "programme_trend", "spc")],
            "checks": ["results/diagnostics", "data/quality", *(f"results/{name}" for name in threats.TABLES)],
        }  # fmt: skip
        for name in made.get(step, []):
            path = self.run / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            row = {"model": "death", "check": "rhat", "value": 1.5, "limit": 1.01, "advice": "more draws"}
            pq.write_table(pa.Table.from_pylist([{**row, "level": "blocking", "passed": self.passed}]), path)
        if step == "data":
            (self.run / "data" / "sources.json").write_text("{}", encoding="utf-8")
        if step.startswith("fit-"):
            (self.run / "draws").mkdir(exist_ok=True)
            with h5py.File(self.run / "draws" / f"{step[4:]}.nc", "w") as file:
                file.attrs["engine"], file.attrs["seed"] = "nuts", 1
        if step == "report":
            (self.run / "figures" / "dot.svg").write_text("<svg/>", encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{step} {sorted(parameters)}", encoding="utf-8")
        return target


def run(*overrides: str, file: str = "small.yml", **settings: object) -> list[str]:
    """Run the small project; the steps that ran, in the order of the pipeline."""
    reporter = Silent()
    Run(Request(Path(file), overrides, **settings), reporter).go()  # type: ignore[arg-type]
    return sorted(reporter.began, key=ALL.index)


def evaluation_steps() -> list[Step]:
    request = Request(Path("small.yml"))
    return request.evaluation(*request.load()).steps()
