"""The house reads as one straight line: imports go down the layers only, and heavy libraries stay in their rooms."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lib" / "collabeval"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

# from the ground up; a module imports from its own layer or a lower one
LAYERS = [
    {
        "analysis_plan",
        "command",
        "compile_cache",
        "home",
        "machine",
        "narrative",
        "own_model",
        "params",
        "params_file",
        "params_reference",
        "periods",
        "portfolio_file",
        "errors",
        "further",
        "run_folder",
    },
    {"sources", "contract", "quality", "templates", "panel", "covariates", "casemix", "simulate"},
    {"models", "fit", "laplace", "quadrature", "draws", "convergence", "pareto"},
    {
        "estimates",
        "words",
        "borderline",
        "classical",
        "spc",
        "diagnostics",
        "comparison",
        "features",
        "scorecard",
        "effect",
        "portfolio",
        "practices",
        "threats",
        "composite",
        "value",
    },
    {"disclosure"},
    {"plots", "tables", "equations", "statements", "sections"},
    {"pipeline", "execute", "kernels", "render", "provenance", "doctor"},
    {"cli", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# heavy library -> the only rooms that may import it
ROOMS = {
    "pymc": {"models", "fit"},
    "pytensor": {"models", "fit"},
    "nutpie": {"models", "fit"},
    "matplotlib": {"plots"},
    "papermill": {"execute"},
    "pytask": {"pipeline"},
    "typst": {"render", "doctor"},
    "pypandoc": {"render", "doctor", "narrative"},
    "rocrate": {"provenance"},
    "pandera": {"contract", "templates"},
}


def room(path: Path) -> str:
    """The layer name of a module: its file name, or the package it lies in."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imported(path: Path) -> set[tuple[str, ...]]:
    """Every absolute module name a file imports, wherever in the file, but for those only types are taken from."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                up = list(path.relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level])
                base = up + base
            names |= {(*base, alias.name) for alias in node.names}
    return names


def test_every_module_has_a_layer():
    unknown = {room(path) for path in MODULES} - set(LEVEL) - {""}
    assert not unknown, f"say in LAYERS where these belong: {sorted(unknown)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path):
    own = LEVEL.get(room(path), 0)
    ups = [
        ".".join(name)
        for name in imported(path)
        if name[0] == "collabeval" and len(name) > 1 and LEVEL.get(name[1], -1) > own
    ]
    assert not ups, f"{path.name} reaches up to {ups}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path):
    strays = [name[0] for name in imported(path) if name[0] in ROOMS and room(path) not in ROOMS[name[0]]]
    assert not strays, f"{path.name} imports {strays}"


def test_the_layer_test_sees_an_import_that_goes_up(tmp_path):
    source = "def f():\n    from collabeval.cli import main\n    return main\n"
    stray = tmp_path / "stray.py"
    stray.write_text(source)
    assert ("collabeval", "cli", "main") in imported(stray)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, collabeval, collabeval.cli; print(' '.join(sorted({n.split('.')[0] for n in sys.modules})))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "collabeval" in loaded
    assert not loaded & {"numpy", "pandas", "pymc", "matplotlib", "xarray", "arviz", "papermill", "pytask", "pandera"}


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ("collabeval.sections", {"pymc", "pytensor", "numba", "nutpie", "arviz", "xarray", "scipy.stats"}),
        ("collabeval.contract, collabeval.panel, collabeval.quality", {"scipy.stats", "openpyxl", "sqlalchemy"}),
        ("collabeval.classical, collabeval.estimates", {"pymc", "numba", "arviz", "scipy.stats", "scipy.interpolate"}),
    ],
)
def test_notebooks_load_no_more_than_they_need(modules, unwanted):
    code = f"import sys, {modules}; print(' '.join(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pandas" in said.split()
    assert not unwanted & set(said.split())
