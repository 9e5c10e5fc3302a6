"""The report fixture, rendered once for all tests in this folder."""

from __future__ import annotations

import pikepdf
import pytest

from reading import page_of
from report_fixture import embedded


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The fixture rendered once: the folder with report.html and report.pdf."""
    return embedded(tmp_path_factory.mktemp("report"))


@pytest.fixture
def page(report):
    return page_of(report / "report.html")


@pytest.fixture(scope="session")
def pdf(report):
    with pikepdf.open(report / "report.pdf") as opened:
        yield opened
