"""The page of benchmarks says which aims were missed, and by how much."""

from benchmarks import engines_aims


def summary(case, engine, seconds, longest=900.0):
    return {"case": case, "engine": engine, "seconds": seconds, "longest": seconds or longest}


def run(case, load):
    return {"case": case, "engine": "laplace", "kind": "warm", "parts": {"load": load, "fit": 4.0, "save": 0.5}}


def test_what_is_missed_is_said_by_how_much():
    rows = [summary("demo_surgical", "laplace", 5.0), summary("demo_surgical", "stan", 400.0)]
    rows += [summary("demo_surgical", "pymc", 900.0), summary("demo_surgical", "nuts", 150.0)]
    rows += [summary("grown_4700", "laplace", 8.0), summary("patients", "laplace", 20.0)]
    result = {"summaries": rows, "cases": ["demo_surgical"], "runs": [run("demo_surgical", load) for load in (1, 2, 9)]}
    _, table, _, parts = engines_aims.section(result)
    lines = table.splitlines()[2:]
    assert [line.split(" | ")[-2:] for line in lines] == [
        ["80.0", "missed: 40% of it |"],  # the fastest peer counts
        ["30.0", "reached |"],
        ["8.0", "reached |"],
        ["20.0", "missed: 25% of it |"],
    ]
    assert parts.splitlines()[-1] == "| `demo_surgical` | 2.0 | 4.0 | 0.5 |"


def test_a_peer_that_does_not_come_to_the_goal_gives_no_ratio():
    rows = [summary("demo_surgical", "laplace", 5.0), summary("demo_surgical", "stan", None)]
    _, table, *_ = engines_aims.section({"summaries": rows, "cases": [], "runs": []})
    assert table.count("no warm run of theirs came to the goal") == 2


def test_falling_short_of_the_goal_is_missing_the_aim():
    rows = [summary("collaboratives", "laplace", None, longest=715.0)]
    _, table, *_ = engines_aims.section({"summaries": rows, "cases": [], "runs": []})
    assert table.splitlines()[-1].endswith("| 715, short of the goal | missed |")


def test_nothing_is_said_of_cases_that_were_not_run():
    assert engines_aims.section({"summaries": [summary("infant", "laplace", 2.0)], "cases": [], "runs": []}) == []
