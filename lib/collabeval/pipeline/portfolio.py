"""A portfolio: each collaborative evaluated by its own run, then all of them together in a run of their own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from collabeval import portfolio_file
from collabeval.command import Command
from collabeval.errors import CollabevalError, StepError, StoppedError
from collabeval.params.portfolio import Portfolio
from collabeval.pipeline import keys
from collabeval.pipeline.job import Job, Step, render_step, tables
from collabeval.pipeline.request import Request, Wanted
from collabeval.pipeline.run import Reporter, Run
from collabeval.pipeline.status import Status
from collabeval.portfolio_file import GATHERED, MEMBERS, Outcome
from collabeval.provenance import sources_file
from collabeval.run_folder import RunFolder

ASSOCIATED = ("portfolio_association", "portfolio_association_draws", "diagnostics")
INDEX = "index"
Telling = Callable[[str], AbstractContextManager[Reporter]]


@dataclass(frozen=True)
class PortfolioRequest(Wanted[Portfolio]):
    """What the user asked for: the collaboratives of one funder, together."""

    @property
    def words(self) -> tuple[str, ...]:
        return ("portfolio",)

    def load(self) -> tuple[Portfolio, RunFolder]:
        portfolio = portfolio_file.load(self.file, self.overrides)
        return portfolio, RunFolder(self.runs.resolve() / portfolio.portfolio / portfolio.edition)

    def evaluation(self, params: Portfolio, run: RunFolder) -> PortfolioJob:
        return PortfolioJob(params, run, self.command)

    def member(self, params: str) -> Request:
        """The request for one collaborative's own run."""
        return Request(Path(params), jobs=self.jobs, keep_going=self.keep_going, force=self.force, runs=self.runs)


class PortfolioJob(Job):
    """The steps of a portfolio, once its collaboratives have been evaluated."""

    def __init__(self, params: Portfolio, run: RunFolder, command: Command) -> None:
        super().__init__(params, run, command)
        self.params: Portfolio = params

    @property
    def documents(self) -> dict[str, tuple[str, ...]]:
        return {**super().documents, INDEX: ("html",)}

    def keep_inputs(self) -> None:
        super().keep_inputs()
        portfolio_file.write_resolved(self.params, self.run)

    def steps(self) -> list[Step]:
        return [self.gather(), self.association(), *self.pages(), render_step(self)]

    def gather(self) -> Step:
        """What the runs of the collaboratives found, side by side."""
        source = self.notebook("portfolio")
        found = self.keys(source, collaboratives=self.values["collaboratives"], best_of=self.values["best_of"])
        found["what became of the collaboratives"] = keys.digest_file(self.run.path / MEMBERS)
        for outcome in portfolio_file.read_members(self.run):
            found |= _results(outcome)
        if self.params.site_register is not None:
            digests = keys.source_digests(self.params.site_register)
            found |= {f"data {name}": value for name, value in digests.items()}
        makes = (*tables(self.run, GATHERED), sources_file(self.run), self.run.notebook("gather"))
        return Step("gather", "Laying the collaboratives side by side", source, self.folder, found, (), makes)

    def association(self) -> Step:
        """Which features go with improvement."""
        source = self.notebook("association")
        found = self.keys(source, sampling=self.values["sampling"])
        makes = (*tables(self.run, ASSOCIATED), self.run.notebook("association"))
        what = "Looking for features that go with improvement"
        return Step("association", what, source, self.folder, found, tables(self.run, GATHERED), makes, samples=True)

    def pages(self) -> list[Step]:
        """The report, and the page that leads to the reports of the collaboratives."""
        run, needs = self.run, tables(self.run, (*GATHERED, *ASSOCIATED))
        shown = {name: value for name, value in self.values.items() if name not in ("render", "sampling")}
        steps = []
        for name, template, what, makes in (
            ("report", "portfolio", "Writing the report", (run.figures, run.tables)),
            (INDEX, "portfolio_index", "Writing the index page", ()),
        ):
            source = self.home / "reports" / f"{template}.qmd"
            found = self.keys(source, all=shown) | (self.asked if name == "report" else {})
            found["what became of the collaboratives"] = keys.digest_file(run.path / MEMBERS)
            steps.append(Step(name, what, source, self.folder, found, needs, (run.notebook(name), *makes)))
        return steps

    @property
    def folder(self) -> dict[str, str]:
        """What a notebook is given."""
        return {"run_folder": str(self.run.path)}


def _results(outcome: Outcome) -> dict[str, str]:
    """Digests of what a collaborative's run left for a portfolio to read."""
    if not outcome.folder:
        return {}
    run = Path(outcome.folder)
    files = [
        run / "params.yml",
        *sorted((run / "data").glob("*.parquet")),
        *sorted((run / "results").glob("*.parquet")),
    ]
    return {f"{outcome.name} {path.relative_to(run).as_posix()}": keys.digest_file(path) for path in files}


def evaluate_members(request: PortfolioRequest, telling: Telling) -> list[Outcome]:
    """Run every collaborative's own evaluation, one after another; one that fails is written down, and the rest go on.

    Raises
    ------
    StoppedError
        The user stopped it.
    """
    portfolio, folder = request.load()
    outcomes = []
    for name, member in portfolio.collaboratives.items():
        with telling(name) as reporter:
            outcomes.append(_evaluated(name, request.member(member.params), reporter))
    portfolio_file.write_members(outcomes, folder)
    return outcomes


def _evaluated(name: str, request: Request, reporter: Reporter) -> Outcome:
    try:
        run = Run(request, reporter)
    except CollabevalError as error:
        return Outcome(name, "failed", reasons=_lines(error), exit_code=error.exit_code)
    folder = str(run.folder.path)
    try:
        status = run.go()
    except StoppedError:
        raise
    except CollabevalError as error:
        return Outcome(name, "failed", folder, _lines(error), exit_code=error.exit_code)
    code = 3 if status.status == "provisional" else 0
    engines = tuple((str(said.get("engine", "")), str(said.get("check", ""))) for said in status.engines.values())
    return Outcome(name, status.status, folder, tuple(status.reasons), tuple(status.report), code, engines)


def _lines(error: CollabevalError) -> tuple[str, ...]:
    return tuple(str(error).splitlines())


def together(request: PortfolioRequest, reporter: Reporter) -> tuple[Status, RunFolder]:
    """Run what is due of the portfolio itself, from what its collaboratives' runs have left.

    Raises
    ------
    StepError
        Fewer than two collaboratives have results.
    """
    run = Run(request, reporter)
    usable = [outcome for outcome in portfolio_file.read_members(run.folder) if outcome.status != "failed"]
    if len(usable) < 2:
        raise StepError(f"{len(usable)} of {len(run.params.collaboratives)} collaboratives could be evaluated → a "
                        "portfolio needs two or more; the lines above say what is wrong with the others")  # fmt: skip
    return run.go(), run.folder


def exit_code(outcomes: list[Outcome], status: Status) -> int:
    """0 all complete, 3 something provisional; where a collaborative failed 1, or 2 if only for its params or data."""
    failed = {outcome.exit_code for outcome in outcomes if outcome.status == "failed"}
    if failed:
        return 2 if failed == {2} else 1
    return 3 if status.status == "provisional" or any(one.exit_code == 3 for one in outcomes) else 0
