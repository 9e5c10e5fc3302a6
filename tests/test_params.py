"""Params: read as written, refused with line and advice, resolved for papermill, checked before a kernel starts."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from pydantic import ValidationError

from collabeval import params_file, params_reference
from collabeval.errors import ParamsError
from collabeval.params import Params, Prior, Priors
from collabeval.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
GOOD = """\
collaborative: t
title: T
edition: "2025"
data: {sites: s.csv, outcomes: o.csv}
measures:
  death: {label: Deaths, family: binomial, better: lower}
sampling: {seed: 1}
"""


def load(folder: Path, text: str = GOOD, *overrides: str) -> Params:
    path = folder / "t.yml"
    path.write_text(text, encoding="utf-8")
    return params_file.load(path, overrides)


def complaints(folder: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(ParamsError) as error:
        load(folder, text, *overrides)
    return [str(problem).replace(f"{folder}/", "") for problem in error.value.problems]


@pytest.mark.parametrize("name", ["infant_cardiac_surgery", "ny_cabg"])
def test_shipped_params_load(name):
    assert params_file.load(ROOT / "params" / f"{name}.yml").collaborative == name


def test_text_is_taken_as_it_is_written(tmp_path):
    text = GOOD.replace('"2025"', "010").replace("title: T", "title: NO").replace("  death:", "  007:")
    text = text.replace("label: Deaths", "label: 1e3, reviewed: 2025-11-03")
    params = load(tmp_path, text + "periods: {length: year, baseline: [2010, 2011], current: [2019, 2019]}\n")
    assert (params.edition, params.title, list(params.measures)) == ("010", "NO", ["007"])
    assert (params.measures["007"].label, params.measures["007"].reviewed) == ("1e3", "2025-11-03")
    assert params.periods.baseline == ("2010", "2011")


def test_what_is_no_number_is_no_number(tmp_path):
    found = complaints(tmp_path, GOOD.replace("seed: 1", 'seed: "1", draws: 1.5, chains: true, target_accept: high'))
    assert [line.split(" → ")[0] for line in found] == [
        "t.yml:7 sampling.seed '1'", "t.yml:7 sampling.draws '1.5'", "t.yml:7 sampling.chains 'true'",
        "t.yml:7 sampling.target_accept 'high'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("better:", "beter:", "t.yml:6 measures.death.beter → unknown key → did you mean 'better'?"),
        ("title: T", "titel: T", "t.yml:2 titel → unknown key → did you mean 'title'?"),
        ("title: T", "", "t.yml:1 title → is missing → add it: Title of the report."),
        ("title: T", "title:", "t.yml:2 title → has no value → add it: Title of the report."),
        ("better: lower", "better: Lower", "t.yml:6 measures.death.better 'Lower' → is not one of the words"),
        ("family: binomial", "family: binom", "→ did you mean 'binomial'? (allowed: binomial, poisson, normal)"),
        ("collaborative: t", "collaborative: my unit", "t.yml:1 collaborative 'my unit' → is not a code"),
        ("  death:", "  a/b:", "t.yml:6 measures.a/b 'a/b' → is not a code"),
        ("label: Deaths", "label: [a]", "t.yml:6 measures.death.label → is not text"),
        ("label: Deaths", "label: true", "t.yml:6 measures.death.label 'true' → is not text → put it in quotes"),
        ("label: Deaths", "label: D, benchmark: 101", "measures.death.benchmark '101' → no rate per 100 can be 101"),
        ("label: Deaths", "label: D, per: 0", "measures.death.per '0' → must be greater than 0"),
        ("data: {", "data: {encoding: utf9, ", "t.yml:4 data.encoding 'utf9' → is not the name of an encoding"),
        ("sampling: {seed: 1}", "sampling: 1", "t.yml:7 sampling '1' → is not a block of keys"),
        ("title: T", "title: T\ntitle: U", "t.yml:3 title → the key is there twice → remove this one or"),
        ("title: T", "title: T: U", "t.yml:2 → is not YAML: mapping values are not allowed here → put text that"),
        ("title: T", "\ttitle: T", "t.yml:2 → is not YAML"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_and_its_remedy(tmp_path, old, new, said):
    found = complaints(tmp_path, GOOD.replace(old, new))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        ("{length: year, baseline: ['2011', '2010']}", "periods.baseline → ends (2010) before it starts (2011)"),
        ("{length: year, current: [2025Q1, 2025Q2]}", "periods.current → ['2025Q1', '2025Q2']: is a quarter, but"),
        ("{length: year, baseline: ['2010', '2012'], current: ['2012', '2013']}", "before the baseline has ended"),
        ("{length: none, current: ['2012', '2013']}", "there are no windows where `periods.length` is none"),
        ("{length: year, current: ['2012']}", "periods.current.1 → is missing → the list takes two entries"),
        ("{length: quarterly}", "did you mean 'quarter'?"),
        ("{length: year, year_starts: 13}", "periods.year_starts '13' → must be less than or equal to 12"),
    ],
)
def test_windows_must_make_sense(tmp_path, periods, said):
    assert said in complaints(tmp_path, GOOD + f"periods: {periods}\n")[0]


def test_windows_are_written_as_periods_are(tmp_path):
    params = load(tmp_path, GOOD + "periods: {length: quarter, current: [2025 q1, 2025-04-01]}\n")
    assert params.periods.current == ("2025Q1", "2025Q2")


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ("site_sd: {on: precision, dist: Gamma, alpha: 0.001}", "Gamma: beta is missing → Gamma takes alpha and beta"),
        ("site_sd: {dist: HalfNormal, sigma: 1, mu: 0}", "HalfNormal: mu is not one of its numbers"),
        ("site_sd: {dist: Normal, mu: 0, sigma: 1}", "Normal can be negative, site_sd cannot"),
        ("site_sd: {dist: Uniform, lower: -1, upper: 1}", "Uniform can be negative, site_sd cannot"),
        ("trend_slope: {on: sd, dist: Normal, mu: 0, sigma: 1}", "`on: sd` makes no sense for trend_slope"),
        ("site_correlation: {dist: Normal, mu: 0, sigma: 1}", "Normal leaves the range of a correlation"),
        ("intercept: {dist: Uniform, lower: 2, upper: 1}", "Uniform: lower is not below upper"),
        ("site_sd: {dist: Gama, alpha: 1, beta: 1}", "did you mean 'Gamma'?"),
        ("sites_sd: {dist: HalfNormal, sigma: 1}", "model.priors.sites_sd → unknown key → did you mean 'site_sd'?"),
    ],
)
def test_a_prior_has_exactly_its_numbers(tmp_path, prior, said):
    assert said in complaints(tmp_path, GOOD + f"model: {{priors: {{{prior}}}}}\n")[0]


@pytest.mark.parametrize(
    "prior",
    [
        {"site_sd": Prior(on="precision", dist="Gamma", alpha=0.001, beta=0.001)},
        {"site_sd": Prior(on="log_sd", dist="Normal", mu=0, sigma=1)},
        {"site_correlation": Prior(dist="Beta", alpha=2, beta=2)},
        {"intercept": Prior(dist="Cauchy", alpha=-1, beta=2)},
    ],
)
def test_priors_that_make_sense_are_taken(prior):
    assert Priors(**prior) == Priors.model_validate(prior)


def test_defaults_beside_the_file_go_under_it_and_overrides_over_it(tmp_path):
    (tmp_path / "_defaults.yml").write_text("report: {sites: named, minimum_cell: 5}\nsampling: {draws: 7, seed: 9}\n")
    params = load(tmp_path, GOOD + "report: {minimum_cell: 6}\n", "sampling.draws=8", "title=NO")
    assert (params.report.sites, params.report.minimum_cell) == ("named", 6)
    assert (params.sampling.draws, params.sampling.seed, params.title) == (8, 1, "NO")


def test_a_mistake_in_the_defaults_is_told_at_the_defaults(tmp_path):
    (tmp_path / "_defaults.yml").write_text("report:\n  site: named\n")
    assert complaints(tmp_path, GOOD)[0].startswith("_defaults.yml:2 report.site → unknown key → did you mean 'sites'?")


def test_the_house_defaults_say_what_the_models_say():
    defaults = params_file.read(ROOT / "params" / "_defaults.yml").values
    report = Params.model_fields["report"].default_factory()
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in report.model_dump().items()
            if key in defaults["report"]} == defaults["report"]  # fmt: skip
    assert set(defaults) == {"report"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sampling.seed=x", "--set sampling.seed=x sampling.seed 'x' → is not a whole number"),
        ("peroids.length=year", "--set peroids.length=year peroids → unknown key → did you mean 'periods'?"),
        ("title", "--set title → is not KEY=VALUE"),
        ("title.x=1", "--set title.x=1 → `title` is no block of keys"),
        ("report.formats=[html", "--set report.formats=[html → is not YAML"),
        ("report.formats=html", "report.formats 'html' → is not a list → write it in square brackets"),
        ("measures.death.better=up", "measures.death.better 'up' → is not one of the words"),
    ],
)
def test_mistakes_in_overrides_name_the_override(tmp_path, override, said):
    (found,) = complaints(tmp_path, GOOD, override)
    assert found.startswith("--set ")
    assert said in found


def test_a_missing_params_file_says_what_is_near(tmp_path):
    (tmp_path / "stroke.yml").write_text(GOOD)
    with pytest.raises(ParamsError, match=r"no such file \(looked for .*strok.yml\) → did you mean .*stroke.yml\?"):
        params_file.load(tmp_path / "strok.yml")


def test_an_empty_file_is_no_params(tmp_path):
    assert complaints(tmp_path, "# nothing\n")[0].startswith("t.yml → is empty → start from the file that")


def resolved(tmp_path, *overrides) -> tuple[Params, RunFolder, Path]:
    params = load(tmp_path, GOOD.replace("death:", "NO:"), *overrides)
    folder = RunFolder(tmp_path / "run")
    return params, folder, params_file.write_resolved(params, folder)


PRIOR = "model.priors.site_sd={on: precision, dist: Gamma, alpha: 1e-05, beta: 0.001}"


def test_resolved_params_read_the_same_in_yaml_1_1_and_1_2(tmp_path):
    params, folder, path = resolved(tmp_path, PRIOR, "edition=1e3", "title=on")
    assert params_file.read_resolved(path) == params
    as_papermill_reads = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert as_papermill_reads == {**json.loads(params.model_dump_json()), "run_folder": str(folder.path)}
    assert as_papermill_reads["model"]["priors"]["site_sd"]["alpha"] == 1e-05


def test_a_notebook_gets_back_what_was_resolved(tmp_path):
    params, folder, path = resolved(tmp_path, PRIOR)
    blocks = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert params_file.from_blocks({**blocks, "json": json, "measure": "NO"}) == (params, folder)
    with pytest.raises(ParamsError, match="run_folder → is missing or not a path"):
        params_file.from_blocks({key: value for key, value in blocks.items() if key != "run_folder"})
    with pytest.raises(ParamsError, match=r"notebook parameters sampling.seed 'x' → is not a whole number"):
        params_file.from_blocks({**blocks, "sampling": {"seed": "x"}})


def notebook(folder: Path, source: str) -> Path:
    tagged = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    cells = [nbformat.v4.new_markdown_cell("# Why?"), tagged, nbformat.v4.new_code_cell("other = 1")]
    path = folder / "fit.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


STEP = {"run_folder": "/tmp/run", "measure": "death", "sampling": {"seed": 1},
        "measures": {"death": {"label": "D", "family": "binomial", "better": "lower"}}}  # fmt: skip
DECLARED = "run_folder = None\nmeasure: str = ''\nsampling = {}\nmeasures = {}"


def test_good_step_parameters_pass(tmp_path):
    params_file.check_parameters(STEP, notebook(tmp_path, DECLARED))
    params_file.check_parameters({"run_folder": "/tmp/run"}, notebook(tmp_path, "run_folder = ''"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mesure": "x"}, "fit.ipynb mesure → unknown parameter → did you mean 'measure'?"),
        ({"sampling": None}, "fit.ipynb sampling"),
        ({"sampling": {"seed": "1"}}, "fit.ipynb sampling.seed '1' → is not a whole number"),
        ({"sampling": {"seed": 1, "drawz": 1}}, "fit.ipynb sampling.drawz → unknown key → did you mean 'draws'?"),
        ({"sampling": {}}, "fit.ipynb sampling.seed → is missing"),
        ({"measure": "deth"}, "fit.ipynb measure 'deth' → is not one of the measures → did you mean 'death'?"),
        ({"run_folder": 3}, "fit.ipynb run_folder '3' → is not text"),
    ],
)
def test_unknown_missing_and_mistyped_step_parameters_are_refused(tmp_path, change, said):
    with pytest.raises(ParamsError) as error:
        params_file.check_parameters({**STEP, **change}, notebook(tmp_path, DECLARED))
    assert str(error.value.problems[0]).startswith(said)


def test_a_missing_step_parameter_is_refused(tmp_path):
    with pytest.raises(ParamsError, match=r"fit\.ipynb measure → parameter is missing"):
        params_file.check_parameters({key: STEP[key] for key in STEP if key != "measure"}, notebook(tmp_path, DECLARED))


def test_params_never_change():
    params = params_file.load(ROOT / "params" / "infant_cardiac_surgery.yml")
    with pytest.raises(ValidationError):
        params.sampling.seed = 2


def test_the_shipped_schema_and_reference_are_made_from_the_models():
    schema = json.loads((ROOT / "params" / "schema.json").read_text(encoding="utf-8"))
    assert schema == params_file.schema(), "run: collabeval schema"
    reference = (ROOT / "docs" / "params.md").read_text(encoding="utf-8")
    assert reference == params_reference.reference(), "run: collabeval.params_reference.write_reference"


def test_every_key_is_described():
    schema = params_file.schema()
    for part in (schema, *schema["$defs"].values()):
        assert [key for key, value in part["properties"].items() if "description" not in value] == [], part["title"]


def test_light_modules_load_no_heavy_library():
    code = (
        "import sys, collabeval.params_file, collabeval.errors, collabeval.periods; "
        "print([name for name in ('pandas', 'numpy', 'pymc', 'matplotlib') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
