"""What may not be shown is nowhere: not in tables, text, alt text or pictures, nor as a number it follows from."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fake_run
from collabeval import disclosure, params_file, plots, sections
from collabeval.disclosure import publish, refuse_public_folder, suppress
from collabeval.disclosure.codes import site_labels
from collabeval.disclosure.results import _relabelled, diagnostics
from collabeval.disclosure.suppress import FLOORS, coarse, coarsen, hides_numerator
from collabeval.errors import UsageError
from collabeval.run_folder import RunFolder
from fake_run import Fake

K = 11
CODED = {"sites": "coded", "minimum_cell": K}
CELLS = (
    sections.kicker, sections.summary, sections.outcomes_over_time, sections.site_performance,
    sections.positive_deviance, sections.coordination, sections.measurement, sections.levers, sections.leadership,
    sections.recommend, sections.absent, sections.methods, sections.limits, sections.diagnostics, sections.provenance,
)  # fmt: skip
INDEX = {
    "index": {
        "label": "Performance index", "awards": [{"name": "full", "at": 15}],
        "parts": {
            "death": {"measure": "death", "tiers": [{"at": 4, "points": 10}, {"at": 7, "points": 5}]},
            "infection": {"measure": "infection", "between": "line", "tiers": [
                {"at": 4, "points": 10}, {"at": 80, "points": 0}]},
        },
    }
}  # fmt: skip
SMALL = {
    "one period": Fake(cases=130, report=CODED, seed=3),
    "years": Fake(cases=260, years=5, sites=11, expected=True, worsened=1, report=CODED, seed=4),
    "many measures": Fake(("death", "on_time", "infection", "stay"), cases=70, sites=10, report=CODED, seed=5),
    "nearly all on time": Fake(("on_time",), cases=90, level=0.96, report=CODED, seed=6),
    "scored": Fake(("death", "infection"), cases=90, level=0.06, report=CODED, seed=8, blocks={"scorecards": INDEX}),
    "indicators": Fake(
        cases=90,
        level=0.06,
        report=CODED,
        seed=9,
        blocks={"indicators": ["data_on_time", "operators_reviewed", "champion_turnover", "signals_with_plan"]},
    ),
    "rare": Fake(cases=60, years=5, level=0.01, report=CODED, seed=7),
}


# --- the rule itself ---------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 50)), st.integers(0, 20))
def test_no_small_count_is_ever_shown_and_a_true_zero_stays(counts, minimum_cell):
    given = pd.Series(counts, dtype="Int64")
    shown = suppress(given, minimum_cell)
    assert not shown.dropna().between(1, minimum_cell - 1).any()
    assert (shown[given.eq(0)] == 0).all()
    assert (shown[given.ge(minimum_cell)] == given[given.ge(minimum_cell)]).all()


@given(st.integers(0, 60), st.integers(1, 60), st.integers(2, 20))
def test_a_share_hides_small_counts_on_both_sides(numerator, more, minimum_cell):
    cells = pd.DataFrame({"numerator": [numerator], "denominator": [numerator + more]})
    hidden = bool(hides_numerator(cells, True, minimum_cell).iloc[0])
    small = {0 < count < minimum_cell for count in (numerator, more, numerator + more)}
    assert hidden == (True in small)


@given(st.floats(1e-6, 1e6), st.booleans())
def test_the_coarse_grid_widens_and_never_by_more_than_its_step(value, upwards):
    rounded = coarse(value, upwards)
    assert (rounded >= value * (1 - 1e-8)) if upwards else (rounded <= value * (1 + 1e-8))
    assert 1 / 2.6 < rounded / value < 2.6
    assert coarse(-value, not upwards) == -rounded


def test_a_coarse_interval_cannot_tell_neighbouring_counts_apart():
    """Gamma intervals of a ratio at 10 expected: over all counts of 1 to 10 few different ones are shown."""
    from scipy.stats import gamma

    ends = [gamma(count + 5, scale=1 / 15).ppf([0.025, 0.975]) for count in range(1, K)]
    table = pd.DataFrame(ends, columns=["q025", "q975"]).assign(q50=1.0)
    shown = coarsen(table, pd.Series(True, index=table.index))
    assert shown["q50"].isna().all()
    assert len(shown[["q025", "q975"]].drop_duplicates()) <= 4


# --- codes ---------------------------------------------------------------------------------------------------------


def coded(edition: str = "2024", seed: int = 1) -> dict[str, str]:
    params = fake_run.parameters(Fake(report=CODED)).model_copy(update={"edition": edition})
    sites = pd.DataFrame({"site": [f"H{number}" for number in range(40)], "name": None})
    panel = pd.DataFrame({"measure": "death", "site": sites["site"], "period": "", "numerator": seed, "denominator": 9})
    return site_labels(sites, panel, params)


def test_codes_are_the_same_for_the_same_run_and_others_for_another_edition_or_other_data():
    assert coded() == coded()
    assert len(set(coded().values())) == 40
    for other in (coded(edition="2025"), coded(seed=2)):
        assert sum(coded()[site] == label for site, label in other.items()) < 10


def test_the_order_of_codes_says_nothing_about_the_order_of_sites():
    numbers = [int(coded()[f"H{site}"].split()[1]) for site in range(40)]
    assert abs(np.corrcoef(numbers, range(40))[0, 1]) < 0.5


def test_names_that_repeat_carry_their_codes():
    params = fake_run.parameters(Fake())
    sites = pd.DataFrame({"site": ["a", "b", "c", "d"], "name": ["St. Mary's", "St. Mary's", None, " "]})
    assert site_labels(sites, pd.DataFrame(), params) == {
        "a": "St. Mary's (a)", "b": "St. Mary's (b)", "c": "c", "d": "d"
    }  # fmt: skip


def test_what_a_failed_check_doubts_is_told_by_label_and_an_unknown_code_is_dropped():
    labels = {"1": "Site 7", "1 B": "Site 3"}
    assert _relabelled("1 level: worse → unclear; 1 B 2019; 9 2018; ", labels) == (
        "Site 7\tlevel: worse → unclear\nSite 3\t2019"
    )


# --- a whole report ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SMALL, ids=lambda name: name)
def told(request, tmp_path_factory):
    """A report on small numbers: its run folder, the raw panel, all its text, and every table that was drawn."""
    folder = tmp_path_factory.mktemp("run")
    run = fake_run.make(folder, SMALL[request.param])
    drawn: list[tuple[str, pd.DataFrame]] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("caterpillar", "funnel", "ranks", "small_multiples", "change", "trend", "spc"):
            patch.setattr(plots, name, _recording(name, getattr(plots, name), drawn))
        report = sections.open_report(str(folder))
        markdown = "\n\n".join(cell(report)._repr_markdown_() for cell in CELLS)
    return run, report, markdown + _files(run), drawn


def _recording(name, draw, drawn):
    def recorded(rows, *args, **kwargs):
        drawn.append((name, rows.copy()))
        return draw(rows, *args, **kwargs)

    return recorded


def _files(run: RunFolder) -> str:
    written = [*sorted(run.figures.iterdir()), *sorted(run.tables.iterdir())]
    return "\n".join(f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in written)


def _hidden(run: RunFolder, report) -> pd.DataFrame:
    """Every hidden count of a site now: measure, label, count, cases."""
    params, panel = params_file.read_resolved(run.params), run.read(run.panel)
    labels = site_labels(run.read(run.sites), panel, params)
    rows = []
    for view in report.published.measures:
        own = panel[panel["measure"].eq(view.name) & panel["period"].isin(view.windows.current.periods)]
        sums = own.groupby("site")[["numerator", "denominator"]].sum(min_count=1).reset_index()
        hidden = hides_numerator(sums, view.params.family == "binomial", K)
        found = sums[hidden]
        rows.append(found.assign(measure=view.name, label=found["site"].map(labels)))
    return pd.concat(rows, ignore_index=True)


def test_some_counts_are_hidden_so_that_these_tests_mean_something(told):
    run, report, _, _ = told
    assert len(_hidden(run, report))


def test_no_site_code_and_no_name_is_anywhere(told):
    run, _, text, _ = told
    sites = run.read(run.sites)
    for code, name in zip(sites["site"], sites["name"], strict=True):
        assert not re.search(rf"\b{re.escape(code)}\b", text)
        assert name not in text


def test_the_table_of_sites_shows_no_hidden_count_nor_what_it_follows_from(told):
    run, report, _, _ = told
    for row in _hidden(run, report).itertuples():
        table = pd.read_csv(run.tables / f"sites-{row.measure.replace('_', '-')}.csv", dtype=str).set_index("Hospital")
        view = next(view for view in report.published.measures if view.name == row.measure)
        shown = table.loc[row.label]
        assert shown[view.params.events.capitalize()] in {f"<{K}", f">{int(row.denominator) - K:,}"}
        assert shown["Ratio to average"] == "–"
        for end in re.findall(r"\d[\d.]*", shown["95% interval"]):
            assert float(f"{float(end):.2g}") == float(end)


def test_no_text_names_a_hidden_count_or_its_rate(told):
    run, report, text, _ = told
    for row in _hidden(run, report).itertuples():
        view = next(view for view in report.published.measures if view.name == row.measure)
        rate = row.numerator / row.denominator * view.base
        count = rf"{row.label}\b[^\n]{{0,80}}\b{int(row.numerator)}\s{view.params.events}"
        assert not re.search(count, text)
        for line in text.splitlines():
            if line.startswith((f"| {row.label}", row.label)):  # a row of a table: its cells but the coarse interval
                cells = [
                    cell for cell in re.split(r"[|,]", line) if "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}" not in cell
                ]
                assert not any(cell.strip() in {f"{rate:.{digits}f}" for digits in (1, 2, 3)} for cell in cells), line


def test_no_picture_is_given_a_hidden_value(told):
    run, report, _, drawn = told
    hidden = _hidden(run, report)
    panel, params = run.read(run.panel), params_file.read_resolved(run.params)
    labels = site_labels(run.read(run.sites), panel, params)
    for name, rows in drawn:
        if name in {"caterpillar", "funnel"} and len(report.published.measures) == 1:
            own = rows[rows["label"].isin(hidden["label"])]
            columns = {"caterpillar": ["q25", "q50", "q75"], "funnel": ["ratio", "expected"]}[name]
            assert own[columns].isna().all().all()
        if name == "small_multiples":
            cells = panel[hides_numerator(panel, params.measures["death"].family == "binomial", K)]
            keys = set(zip(cells["site"].map(labels), cells["period"], strict=True))
            own = rows[[key in keys for key in zip(rows["label"], rows["period"], strict=True)]]
            assert own[["q50", "observed"]].isna().all().all()


def test_neither_seed_nor_hash_is_told_where_they_let_a_guess_be_checked(told):
    run, report, text, _ = told
    assert str(params_file.read_resolved(run.params).sampling.seed) not in text
    assert not re.search(r"\b[0-9a-f]{64}\b", text)
    assert report.published.fingerprint == ""


def test_the_published_view_holds_no_hidden_count_under_any_name(told):
    _, report, _, _ = told
    view = report.published
    counts = view.counts[view.counts["window"].eq("current")]
    assert not counts["numerator"].between(1, K - 1).any()
    assert not counts["cases"].between(1, K - 1).any()
    assert "message" not in view.quality
    assert set(view.quality["site"]) <= {"", *counts["site"]}
    hidden = view.estimates[view.estimates["hidden"] & view.estimates["estimand"].eq("against_average")]
    assert hidden[["mean", "sd", "q25", "q50", "q75"]].isna().all().all()


def test_a_chance_about_a_hidden_count_only_reaches_a_threshold(told):
    """Its digits would tell the count to someone who knows the number of cases and the model."""
    run, report, _, _ = told
    statements = report.published.statements
    hidden = statements[statements["hidden"] & statements["probability"].notna()]
    assert set(hidden["probability"]) <= set(FLOORS)
    raw = run.read(run.table("site_statements"))
    assert hidden["probability"].le(raw.loc[hidden.index, "probability"]).all()
    assert set(report.published.probabilities["site"]) <= {""}


def test_a_word_near_its_threshold_is_named_by_label_but_for_hidden_counts():
    """To be named says what the chance is to two digits: not where it rests on a hidden count."""
    labels = {"S1": "Hospital A", "S2": "Hospital B"}
    row = {"model": "death", "check": "borderline", "advice": "Near.", "passed": False}
    changes = "S1 level: worse → unclear; S1 deviance: review → none; S2 level: unclear → better"
    checks = pd.DataFrame([{**row, "changes": changes}, {**row, "model": "stay", "changes": changes}])
    said = pd.DataFrame({"measure": "death", "site": ["Hospital A"] * 2 + ["Hospital B"],
                         "slot": ["level", "deviance", "level"], "hidden": [True, False, False]})  # fmt: skip
    found = diagnostics(checks, labels, said)
    assert found["changes"].iloc[0].splitlines() == [
        "Hospital A\tdeviance: review → none", "Hospital B\tlevel: unclear → better",
    ]  # fmt: skip
    assert found["advice"].tolist() == ["Near. Sites whose counts are not shown are not named here.", "Near."]
    assert len(found["changes"].iloc[1].splitlines()) == 3, "another measure hides its own"


def test_what_a_word_would_otherwise_be_is_not_among_published_statements(told):
    _, report, _, _ = told
    assert "otherwise" not in report.published.statements


def test_a_true_zero_is_shown_and_its_word_too(tmp_path):
    run = fake_run.make(tmp_path, Fake(cases=60, level=0.02, sites=14, report=CODED, seed=2))
    report = sections.open_report(str(tmp_path))
    zero = run.read(run.panel)["numerator"].eq(0)
    assert zero.any()
    sections.site_performance(report)
    assert (pd.read_csv(run.tables / "sites-death.csv", dtype=str)["Deaths"] == "0").sum() == zero.sum()


def test_nothing_is_hidden_where_nothing_is_to_be(tmp_path):
    run = fake_run.make(tmp_path, Fake(cases=60, seed=2))
    report = sections.open_report(str(tmp_path))
    raw = run.read(run.panel).set_index("site")["numerator"]
    assert sorted(report.published.counts["numerator"]) == sorted(raw)
    assert re.fullmatch(r"[0-9a-f]{64}", report.published.fingerprint)
    assert "20240105" in sections.provenance(report)._repr_markdown_()


def test_a_published_folder_is_refused_until_differences_are_safe_too(tmp_path):
    with pytest.raises(UsageError, match="primary suppression"):
        refuse_public_folder(tmp_path / "reports" / "published" / "heart" / "2024")
    refuse_public_folder(tmp_path / "runs" / "heart")


def test_publish_leaves_the_confidential_tables_alone(tmp_path):
    run = fake_run.make(tmp_path, Fake(report=CODED))
    params = params_file.read_resolved(run.params)
    tables = sections._tables(run, params)
    given = {name: table for name, table in vars(tables).items() if isinstance(table, pd.DataFrame)}
    given |= {**tables.further, **tables.given}
    before = {name: table.copy() for name, table in given.items()}
    assert len(before) > 5
    publish(tables, params)
    for name, table in given.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_nothing_after_disclosure_reads_a_raw_table():
    """Sections and statements see the published view alone; only `open_report` reads tables, and hands them on."""
    package = Path(disclosure.__file__).parents[1]
    for path in [*(package / "sections").glob("*.py"), *(package / "statements").glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        assert path.name == "__init__.py" or not re.search(r"\brun\.(read|table\(|panel|sites|quality)", source), path
