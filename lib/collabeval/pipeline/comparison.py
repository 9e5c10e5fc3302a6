"""A comparison of models as a run of its own below the run: the same data, a fit of each model, one table, a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from collabeval.comparison.names import alternatives, draws_name, seconds_name
from collabeval.errors import UsageError
from collabeval.params import PARAMS_MODEL, Params
from collabeval.params.grid import with_grid
from collabeval.pipeline.job import Step, render_step, tables
from collabeval.pipeline.request import Request
from collabeval.pipeline.steps import JUDGEMENT, WORDING, Evaluation, data_step
from collabeval.run_folder import RunFolder

MODELS, SENSITIVITY = "models", "sensitivity"
RESULTS = ("alternatives", "changes", "diagnostics")


@dataclass(frozen=True)
class CompareRequest(Request):
    """What the user asked to be compared: the models of `compare` in params, or the grid."""

    sensitivity: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return ("compare", "--sensitivity") if self.sensitivity else ("compare",)

    def keep_plan(self, params: Params, run: RunFolder, today: str) -> None:
        """Nothing: it is the plan of the evaluation, which keeps it."""

    def load(self) -> tuple[Params, RunFolder]:
        """The params with the models to compare, and the folder of the comparison, below that of the run.

        Raises
        ------
        UsageError
            There is nothing to compare.
        """
        params, run = super().load()
        if self.sensitivity:
            return with_grid(params), run.comparison(SENSITIVITY)
        if not params.compare:
            raise UsageError(
                f"{self.file} names no other model → add a block `compare`, give one with "
                "`--set compare.flat.trend=none`, or ask for the grid with `--sensitivity` (docs/statistician.md)"
            )
        return params, run.comparison(MODELS)

    def evaluation(self, params: Params, run: RunFolder) -> Evaluation:
        return ComparedModels(params, run, self.command)


class ComparedModels(Evaluation):
    """The steps of a comparison."""

    @property
    def report_name(self) -> str:
        return f"{super().report_name}-compare-{self.run.path.name}"

    @property
    def fits(self) -> list[str]:
        return [draws_name(name, measure) for name in alternatives(self.params) for measure in self.params.measures]

    def steps(self) -> list[Step]:
        fits = [self.fit(name) for name in alternatives(self.params)]
        return [data_step(self), *fits, self.compare(), self.report(), render_step(self)]

    def fit(self, name: str) -> Step:
        """All measures by one model."""
        source, model = self.notebook("alternative"), alternatives(self.params)[name].model
        values = {block: self.values[block] for block in ("periods", "sampling")}
        found = self.keys(source, measures=self.measures((*WORDING, *JUDGEMENT)), **values)
        found |= self.model(model, self.params.measures)
        step = f"fit-{name}"
        draws = [self.run.draws(draws_name(name, measure)) for measure in self.params.measures]
        makes = (*draws, self.run.table(seconds_name(name)), self.run.notebook(step))
        label = "Fitting the model of params" if name == PARAMS_MODEL else f"Fitting the alternative {name}"
        parameters = self.blocks() | {"alternative": name}
        return Step(step, label, source, parameters, found, (self.run.panel,), makes, samples=True)

    def compare(self) -> Step:
        """LOO and the words that change."""
        source = self.notebook("compare")
        blocks = {block: self.values[block] for block in ("periods", "sampling", "rules")}
        found = self.keys(source, measures=self.measures(WORDING), names=list(alternatives(self.params)), **blocks)
        for name, params in alternatives(self.params).items():
            found |= {f"{key} ({name})": value for key, value in self.model(params.model, ()).items()}
        makes = (*tables(self.run, RESULTS), self.run.notebook("compare"))
        return Step(
            "compare", "Comparing the models", source, self.blocks(), found, (self.run.panel, *self.made()), makes
        )

    def made(self) -> list[Path]:
        """Draws and seconds of every fit."""
        seconds = [self.run.table(seconds_name(name)) for name in alternatives(self.params)]
        return [*(self.run.draws(name) for name in self.fits), *seconds]

    def report(self) -> Step:
        """The report of the comparison."""
        source, run = self.home / "reports" / "comparison.qmd", self.run
        found = self.keys(source, all={name: value for name, value in self.values.items() if name != "render"})
        needs = (run.panel, run.sites, *tables(run, RESULTS))
        makes = (run.notebook("report"), run.figures, run.tables)
        return Step("report", "Writing the report", source, {"run_folder": str(run.path)}, found, needs, makes)
