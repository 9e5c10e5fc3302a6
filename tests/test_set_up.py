"""The doors: one set-up for everybody, pinned, with no download address in the repository."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"]


def pins(lock: str) -> dict[str, set[str]]:
    """Versions by package; a package may stand twice where a marker tells Pythons or systems apart."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(), re.M):
        found.setdefault(name, set()).add(version)
    return found


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;~! ]", requirement)[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    assert pins(lock)
    entries = [block for block in re.split(r"\n(?=\S)", text) if "==" in block]
    assert all("--hash=sha256:" in block for block in entries)
    assert "://" not in text


def test_the_locks_hold_what_the_project_asks_for_and_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plain, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    extras = project["optional-dependencies"]
    asked = {normal(requirement) for requirement in project["dependencies"] + extras["setup"]}
    assert asked <= set(plain)
    assert {normal(requirement) for requirement in extras["dev"]} <= set(dev)
    assert {name: dev[name] for name in plain} == plain


def test_conda_users_get_the_same_packages():
    environment = YAML(typ="safe").load((ROOT / "environment.yml").read_text())
    conda = [item for item in environment["dependencies"] if isinstance(item, str)]
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    version = (ROOT / ".python-version").read_text().strip()
    assert f"python={version}" in conda
    assert any(item.startswith("quarto") for item in conda)
    # every Python library comes from the lock, and none besides
    assert {re.split(r"[=<>]", item)[0] for item in conda} == {"python", "quarto", "pip"}
    assert pip == ["--require-hashes", "-r requirements.lock"]


def test_make_help_lists_every_target_in_one_line():
    # not as a make inside make: then it would say which folder it enters
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    out = run.stdout
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)
    assert [line.split()[0] for line in out.splitlines()] == targets
    bodies = re.findall(r"^([a-z-]+):.*##.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert {name: body.count("\n") for name, body in bodies} == dict.fromkeys(targets, 1)


def test_make_and_bootstrap_know_the_same_targets():
    out = subprocess.run(
        ["python3", "bootstrap.py", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)) - {"help"}
    assert set(out.split("targets:")[1].split()) == targets
