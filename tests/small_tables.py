"""Small tables and params for tests of the contract: write them, read them, hear the complaints."""

from pathlib import Path

from collabeval import contract, params_file
from collabeval.errors import InputError
from collabeval.params import Params

MEASURES = {
    "death": "{label: Deaths, family: binomial, better: lower}",
    "falls": "{label: Falls, family: poisson, better: lower}",
    "wait": "{label: Waiting, family: normal, better: lower}",
}
Table = str | bytes
SITES = "site,name\nA,Alpha\nB,Beta\n"


def write_params(folder: Path, measures: str = "death", length: str = "year", more: str = "", ext: str = "csv") -> Path:
    """A params file for `sites.<ext>` and `outcomes.<ext>` in the same folder."""
    path = folder / "t.yml"
    listed = "\n".join(f"  {code}: {MEASURES[code]}" for code in measures.split())
    path.write_text(
        f"collaborative: t\ntitle: T\nedition: '2025'\nsampling: {{seed: 1}}\nmeasures:\n{listed}\n"
        f"data: {{sites: '{folder}/sites.{ext}', outcomes: '{folder}/outcomes.{ext}'}}\n"
        f"{more or f'periods: {{length: {length}}}'}\n",
        encoding="utf-8",
    )
    return path


def params_of(folder: Path, *overrides: str, **options: str) -> Params:
    return params_file.load(write_params(folder, **options), overrides)


def read(
    folder: Path, outcomes: str | bytes, sites: str | bytes = SITES, *overrides: str, **options: str
) -> contract.Inputs:
    """Write the two CSV tables and read them through the contract."""
    for name, content in (("sites", sites), ("outcomes", outcomes)):
        (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return contract.read_inputs(params_of(folder, *overrides, **options))


def complaints(
    folder: Path, outcomes: str | bytes, sites: str | bytes = SITES, *overrides: str, **options: str
) -> list[str]:
    """What the contract says is wrong, with file names cut to their last part."""
    try:
        read(folder, outcomes, sites, *overrides, **options)
    except InputError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []
