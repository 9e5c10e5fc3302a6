"""The steps of one run, in order: what each runs, what it depends on, what it makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from collabeval import analysis_plan, casemix, further, narrative, params_file, threats
from collabeval.command import Command
from collabeval.own_model import file_and_name, own_function
from collabeval.params import TABLES, Model, Params
from collabeval.pipeline import keys
from collabeval.pipeline.job import Job, Step, render_step, tables
from collabeval.pipeline.tidy import keep_narrative, keep_own_models, own_models
from collabeval.provenance import sources_file
from collabeval.run_folder import RunFolder

WORDING = ("label", "unit", "numerator", "denominator", "reviewed", "events", "cases", "role", "domain")
JUDGEMENT = ("benchmark", "minimal_difference", "minimum_denominator")
SITE_TABLES = ("site_estimates", "site_probabilities", "site_statements", "funnel")
PROGRAMME_TABLES = ("programme_estimates", "programme_trend", "spc")


class Evaluation(Job):
    """One evaluation's params and run folder, and the digests its steps share."""

    def __init__(self, params: Params, run: RunFolder, command: Command) -> None:
        super().__init__(params, run, command)
        self.params: Params = params

    @property
    def fits(self) -> list[str]:
        return list(self.params.measures)

    @property
    def own_files(self) -> list[Path]:
        return [*own_models(self.params), *narrative.files(self.params).values()]

    def keep_inputs(self) -> None:
        super().keep_inputs()
        params_file.write_resolved(self.params, self.run)
        keep_own_models(self.params, self.run)
        keep_narrative(self.params, self.run)

    def steps(self) -> list[Step]:
        """All steps, in an order in which they can run."""
        alone = [measure for measure in self.params.measures if measure not in self.params.model.together]
        fits = [*([_fit_together(self)] if self.params.model.together else []), *(_fit(self, name) for name in alone)]
        analyses = [step(self) for step in (_performance, _improvement, _checks)]
        added = [_further(self, one) for one in further.there(self.params)]
        return [data_step(self), *fits, *analyses, *added, _report(self), render_step(self)]

    def blocks(self, measure: str = "") -> dict[str, Any]:
        """What a step's notebook is given: every block of the resolved params, the run folder, and the measure."""
        given = {**self.values, "run_folder": str(self.run.path)}
        return {**given, "measure": measure} if measure else given

    def measures(self, without: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """The measures' settings but for some, such as the words they are shown with."""
        return {
            name: {key: value for key, value in measure.items() if key not in without}
            for name, measure in self.values["measures"].items()
        }

    def model(self, model: Model, measures: Iterable[str]) -> dict[str, str]:
        """Digests of a model's settings, and of the files of those of its functions that are for these measures."""
        own = {measure: own_function(model, measure) for measure in measures if own_function(model, measure)}
        settings = model.model_dump(mode="json", exclude={"functions"})
        named = {f"model {Path(name).name} of {measure}": keys.digest_file(file_and_name(name)[0])
                 for measure, name in own.items()}  # fmt: skip
        return {"params model": keys.digest_values(settings), **named}


def data_step(evaluation: Evaluation) -> Step:
    source, run, values = evaluation.notebook("data"), evaluation.run, evaluation.values
    where = {key: value for key, value in values["data"].items() if key != "note"}
    measures = evaluation.measures((*WORDING, *JUDGEMENT))
    found = evaluation.keys(source, data=where, periods=values["periods"], measures=measures)
    if evaluation.params.data.further:
        named = ("indicators", "survey")
        found |= {f"params {name}": keys.digest_values(values[name]) for name in named}
    models = (evaluation.params.model, *evaluation.params.compare.values())
    covariates = [[how.model_dump() for how in model.terms.values()] + list(model.terms) for model in models]
    found["params covariates"] = keys.digest_values(covariates)
    for location in filter(None, (values["data"][table] for table in TABLES)):
        found |= {f"data {name}": value for name, value in keys.source_digests(location).items()}
    case_mix = tables(run, casemix.TABLES) if casemix.adjusted(evaluation.params) else ()
    added = tuple(run.data_table(table) for table in evaluation.params.data.further)
    makes = (run.panel, run.sites, data_checks(run), sources_file(run), *case_mix, *added, run.notebook("data"))
    return Step("data", "Reading and checking the data", source, evaluation.blocks(), found, (), makes)


def _fit(evaluation: Evaluation, measure: str) -> Step:
    source, run, values = evaluation.notebook("fit"), evaluation.run, evaluation.values
    settings = evaluation.measures((*WORDING, *JUDGEMENT))[measure]
    names = ("periods", "sampling")
    found = evaluation.keys(source, **{name: values[name] for name in names}, **{f"measures.{measure}": settings})
    found |= evaluation.model(evaluation.params.model, [measure])
    name = f"fit-{measure}"
    makes = (run.draws(measure), run.notebook(name))
    label = f"Fitting the model of {measure}"
    return Step(name, label, source, evaluation.blocks(measure), found, (run.panel,), makes, samples=True)


def _fit_together(evaluation: Evaluation) -> Step:
    source, run, values = evaluation.notebook("fit_together"), evaluation.run, evaluation.values
    names = evaluation.params.model.together
    measures = evaluation.measures((*WORDING, *JUDGEMENT))
    blocks = {"periods": values["periods"], "sampling": values["sampling"]}
    found = evaluation.keys(source, **blocks, **{f"measures.{name}": measures[name] for name in names})
    found |= evaluation.model(evaluation.params.model, names)
    makes = (*(run.draws(name) for name in names), run.notebook("fit_together"))
    label = f"Fitting {', '.join(names)} together"
    return Step("fit_together", label, source, evaluation.blocks(), found, (run.panel,), makes, samples=True)


def _analysis(evaluation: Evaluation, name: str, what: str, needs: tuple[Path, ...], makes: tuple[Path, ...]) -> Step:
    source, values = evaluation.notebook(name), evaluation.values
    blocks = {block: values[block] for block in ("periods", "sampling", "rules")}
    found = evaluation.keys(source, measures=evaluation.measures(WORDING), **blocks)
    found |= evaluation.model(evaluation.params.model, ())
    notebook = evaluation.run.notebook(name)
    return Step(name, what, source, evaluation.blocks(), found, needs, (*makes, notebook))


def _performance(evaluation: Evaluation) -> Step:
    makes = tables(evaluation.run, SITE_TABLES)
    return _analysis(evaluation, "performance", "Estimating each site's performance", fitted(evaluation), makes)


def _improvement(evaluation: Evaluation) -> Step:
    makes = tables(evaluation.run, PROGRAMME_TABLES)
    return _analysis(evaluation, "improvement", "Estimating the collaborative's improvement", fitted(evaluation), makes)


def _checks(evaluation: Evaluation) -> Step:
    run = evaluation.run
    judged = tables(run, ("site_estimates", "site_statements", "programme_estimates"))
    case_mix = tables(run, ("case_mix_differences",)) if casemix.adjusted(evaluation.params) else ()
    needs = (*fitted(evaluation), data_checks(run), *judged, *case_mix)
    makes = (*tables(run, ("diagnostics", *threats.TABLES)), run.quality)
    return _analysis(evaluation, "checks", "Checking that the results can be trusted", needs, makes)


def _further(evaluation: Evaluation, one: further.Further) -> Step:
    run, params = evaluation.run, evaluation.params
    needs = fitted(evaluation) if one.draws else (run.panel, run.sites)
    needs += tuple(run.data_table(table) for table in one.reads(params))
    needs += tables(run, tuple(name for name in one.after if name in further.results(params)))
    source, makes = evaluation.notebook(one.name), (*tables(run, one.makes), run.notebook(one.name))
    blocks = {block: evaluation.values[block] for block in ("periods", "sampling", "rules", *one.blocks)}
    found = evaluation.keys(source, measures=evaluation.measures(WORDING), **blocks)
    return Step(one.name, one.what, source, evaluation.blocks(), found, needs, makes)


def _report(evaluation: Evaluation) -> Step:
    source, run = evaluation.home / "reports" / "evaluation.qmd", evaluation.run
    shown = {name: value for name, value in evaluation.values.items() if name not in ("render", "compare")}
    found = evaluation.keys(source, all=shown) | evaluation.asked
    history = analysis_plan.history_file(run)
    found |= {"analysis plan": keys.digest_file(history)} if history.exists() else {}
    found |= {f"sensitivity {path.stem}": keys.digest_file(path) for path in sensitivity(run) if path.exists()}
    found |= {f"narrative {name}": keys.digest_file(path) for name, path in narrative.files(evaluation.params).items()}
    results = tables(run, (*SITE_TABLES, *PROGRAMME_TABLES, "diagnostics", *threats.TABLES))
    results += tables(run, casemix.TABLES) if casemix.adjusted(evaluation.params) else ()
    results += tables(run, further.results(evaluation.params))
    results += tuple(run.data_table(table) for table in evaluation.params.data.further)
    needs = (*fitted(evaluation), run.quality, *results)
    parameters = {"run_folder": str(run.path)}
    makes = (run.notebook("report"), run.figures, run.tables)
    return Step("report", "Writing the report", source, parameters, found, needs, makes)


def sensitivity(run: RunFolder) -> tuple[Path, ...]:
    """What `collabeval compare --sensitivity` found, which the report shows where it has been run."""
    return tables(run.comparison("sensitivity"), ("alternatives", "changes"))


def data_checks(run: RunFolder) -> Path:
    """The data step's checks; the checks step adds those that need draws and writes `data/quality.parquet`."""
    return run.path / "data" / "data_checks.parquet"


def fitted(evaluation: Evaluation) -> tuple[Path, ...]:
    """The panel, the sites and every measure's draws."""
    run = evaluation.run
    return (run.panel, run.sites, *(run.draws(measure) for measure in evaluation.params.measures))
