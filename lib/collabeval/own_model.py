"""Models of the evaluation's own: Python functions in files that params name. What can be told without running them."""

from __future__ import annotations

import ast
import os
from difflib import get_close_matches
from pathlib import Path

from collabeval.errors import ParamsError, Problem
from collabeval.params import Model, Params
from collabeval.params.yaml_text import Document, Place

TAKES = "(panel, settings)"


def file_and_name(function: str) -> tuple[Path, str]:
    """`FILE.py:FUNCTION` as the file and the name of the function in it."""
    file, _, name = function.rpartition(":")
    return Path(file), name


def located(model: Model) -> Model:
    """The same model with the paths of its functions absolute, from the working folder."""
    paths = {
        measure: f"{os.path.abspath(Path(file).expanduser())}:{name}" if function else ""
        for measure, function in model.functions.items()
        for file, name in [file_and_name(function)]
    }
    return model.model_copy(update={"functions": paths}) if paths else model


def own_function(model: Model, measure: str) -> str:
    """`FILE.py:FUNCTION` of the measure's own model; "" where it has the built-in one."""
    return model.functions.get(measure, "")


def with_models(params: Params, document: Document) -> Params:
    """The params with every model whole and every file found: each alternative takes over from `model` what it leaves.

    Raises
    ------
    ParamsError
        with every function that `model` or `compare` names and that cannot be called.
    """
    model = located(params.model)
    compare = {name: model.with_changes(located(alternative)) for name, alternative in params.compare.items()}
    params = params.model_copy(update={"model": model, "compare": compare})
    wrong = problems(params, document)
    if wrong:
        raise ParamsError(wrong)
    return params


def problems(params: Params, document: Document) -> list[Problem]:
    """What is wrong with the functions that `model` and `compare` name: file, function or signature."""
    models: dict[Place, Model] = {("model",): params.model}
    models |= {("compare", name): model for name, model in params.compare.items()}
    found: dict[tuple[str, int | None, str], Problem] = {}
    for place, model in models.items():
        for measure, function in model.functions.items():
            key = (*place, "functions", measure)
            if key in document.lines:  # what an alternative takes over from `model` is told there
                problem = _problem(measure, function, key, params, document)
                if problem:
                    found[(problem.file, problem.row, problem.column)] = problem
    return list(found.values())


def _problem(measure: str, function: str, key: Place, params: Params, document: Document) -> Problem | None:
    file, line = document.lines[key]
    if measure not in params.measures:
        near = get_close_matches(measure, params.measures, n=1)
        fix = f"did you mean '{near[0]}'?" if near else f"the measures are {', '.join(params.measures)}"
        return Problem(file, "is not one of the measures", fix, line, ".".join(key))
    said = wrong_with(function) if function else None
    return Problem(file, said[0], said[1], line, ".".join(key), function) if said else None


def wrong_with(function: str) -> tuple[str, str] | None:
    """What is wrong with `FILE.py:FUNCTION` and how to mend it, as far as its text tells; None where nothing is."""
    path, name = file_and_name(function)
    if not path.is_file():
        return (
            f"there is no such file (looked for {path.absolute()})",
            "paths count from the folder the command runs in",
        )
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        return f"{path.name} is not Python: line {error.lineno}: {error.msg}", "mend that line"
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name not in functions:
        others = f"it has {', '.join(functions)}" if functions else "it has none"
        return f"{path.name} has no function {name} at its top level", f"{others}; write `def {name}{TAKES}:` there"
    return _signature(functions[name])


def _signature(function: ast.FunctionDef) -> tuple[str, str] | None:
    """Whether the function can be called with the panel and the settings, and nothing else."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    needed = len(positional) - len(given.defaults)
    keywords = [arg.arg for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    if needed <= 2 <= len(positional) and not keywords:
        return None
    takes = ", ".join([arg.arg for arg in positional] + keywords)
    return f"{function.name} takes ({takes})", f"it is called with two arguments: `def {function.name}{TAKES}:`"
