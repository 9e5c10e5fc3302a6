"""Ten million patient records, from file to expected numbers: seconds and peak memory, beside DuckDB for the collapse.

    python benchmarks/records.py [--records 10000000] [--folder FOLDER] [--write FILE.json]

Each measurement is a process of its own. `collabeval` reads the file, checks every value against the contract,
collapses, fits the case-mix model (four categories and a spline, a term for each of 200 sites) to the first year and
judges it in all five. `arrow` and `duckdb` only read the columns and collapse them to the same patterns. Machines are
shared: `cpu_seconds` of all threads stand beside seconds on the wall.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

COVARIATES = {
    "age": "spline",
    "sex": "category",
    "admission": "category",
    "diagnosis": "category",
    "comorbidity": "category",
}
COLUMNS = ["site", "date", "died", *COVARIATES]
PARAMS = """
collaborative: big
title: Many records
edition: "2023"
data: {{sites: {folder}/sites.csv, records: {file}}}
periods: {{length: quarter}}
measures:
  death:
    label: Deaths
    family: binomial
    better: lower
    records:
      outcome: died
      case_mix: {{age: spline, sex: category, admission: category, diagnosis: category, comorbidity: category}}
sampling: {{seed: 1}}
"""


def make(folder: Path, records: int, seed: int = 20231231) -> None:
    """Write records.csv, records.parquet and sites.csv: whole years of age, five years of days, 200 sites."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as arrow_csv
    import pyarrow.parquet as pq

    generator = np.random.default_rng(seed)

    def drawn(values: list[str]) -> tuple[np.ndarray, pa.Array]:
        codes = generator.integers(len(values), size=records, dtype=np.int32)
        return codes, pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values)).cast(pa.string())

    sites, first = [f"H{number:03d}" for number in range(200)], np.datetime64("2019-01-01")
    site, site_text = drawn(sites)
    age = np.clip(generator.normal(68, 14, records), 18, 100).round()
    admission, admission_text = drawn(["elective", "emergency", "transfer", "urgent"])
    diagnosis, diagnosis_text = drawn([f"D{number:02d}" for number in range(20)])
    quality = generator.normal(0, 0.3, len(sites))[site]
    eta = -4.2 + 0.04 * (age - 68) + 0.3 * admission + 0.05 * diagnosis + quality
    died = (generator.random(records) < 1 / (1 + np.exp(-eta))).astype(np.int8)
    table = pa.table(
        {
            "record": pa.array(np.arange(records)).cast(pa.string()), "site": site_text,
            "date": drawn([str(first + np.timedelta64(day, "D")) for day in range(1826)])[1], "died": died,
            "age": age.astype(np.int16), "sex": drawn(["F", "M"])[1], "admission": admission_text,
            "diagnosis": diagnosis_text, "comorbidity": drawn(["0", "1-2", "3-4", "5+"])[1],
        }
    )  # fmt: skip
    arrow_csv.write_csv(table, folder / "records.csv")
    pq.write_table(table, folder / "records.parquet")
    (folder / "sites.csv").write_text("site\n" + "\n".join(sites) + "\n", encoding="utf-8")


def with_collabeval(file: Path) -> dict[str, float]:
    """From the file to expected numbers, as `collabeval run` does it."""
    from collabeval.casemix.adjust import adjust
    from collabeval.contract import read_inputs
    from collabeval.params_file import load

    params = file.with_suffix(".yml")
    params.write_text(PARAMS.format(folder=file.parent.as_posix(), file=file.as_posix()), encoding="utf-8")
    start = time.perf_counter()
    inputs = read_inputs(load(params))
    read = time.perf_counter()
    adjust(load(params), inputs.records, inputs.outcomes)
    cells = len(inputs.records["death"].cells)
    return {"read_and_collapse_seconds": read - start, "model_seconds": time.perf_counter() - read, "rows": cells}


def with_arrow(file: Path) -> dict[str, float]:
    """Arrow's dictionaries and joined codes, without any check: what `collabeval` is made of."""
    import numpy as np

    from collabeval.casemix.patterns import Coded, collapse
    from collabeval.sources.coded import Columns, read_csv_coded, read_parquet_coded

    columns, content = Columns(lambda names: COLUMNS), file.read_bytes()
    parquet = file.suffix == ".parquet"
    raw = read_parquet_coded(content, "", columns) if parquet else read_csv_coded(content, "", "utf-8", columns)
    coded = {
        name: Coded(raw.frame[name].cat.codes.to_numpy(), list(raw.frame[name].cat.categories)) for name in COLUMNS
    }
    quarters = [f"{day[:4]}Q{(int(day[5:7] or 0) + 2) // 3}" for day in map(str, coded["date"].values)]
    labels = {label: at for at, label in enumerate(dict.fromkeys(quarters))}
    period = Coded(np.array([labels[label] for label in quarters])[coded["date"].codes], list(labels))
    blank = Coded(np.zeros(len(raw.frame), dtype=np.int8), [""])
    died = np.array([float(text or "nan") for text in coded["died"].values])[coded["died"].codes]
    found = collapse(coded["site"], period, blank, {name: coded[name] for name in COVARIATES}, died, None)
    return {"rows": len(found.cells)}


def with_duckdb(file: Path) -> dict[str, float]:
    """DuckDB's GROUP BY over the file, two threads."""
    import duckdb

    table = f"read_csv('{file}', all_varchar = true)" if file.suffix == ".csv" else f"'{file}'"
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute(
        f"CREATE TABLE patterns AS SELECT site, date[:4] AS year, (date[6:7]::INT + 2) // 3 AS quarter, "
        f"{', '.join(COVARIATES)}, count(*) AS cases, sum(died::INT) AS total FROM {table} GROUP BY ALL"
    )
    return {"rows": connection.execute("SELECT count(*) FROM patterns").fetchall()[0][0]}


WAYS: dict[str, Callable[[Path], dict[str, float]]] = {
    "collabeval": with_collabeval, "arrow": with_arrow, "duckdb": with_duckdb,
}  # fmt: skip


def measured(way: str, file: Path) -> dict[str, float | str]:
    """One way in a process of its own: seconds from its start to its end, and peak resident memory in MB."""
    start = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, __file__, "--way", way, "--file", str(file)], capture_output=True, text=True
    )
    if answer.returncode:
        return {"way": way, "file": file.suffix, "failed": answer.stderr.strip().rpartition("\n")[2]}
    return {
        "way": way,
        "file": file.suffix,
        "seconds": round(time.perf_counter() - start, 1),
        **json.loads(answer.stdout),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are there")
    parser.add_argument("--write", type=Path, help="write the results to this file as well")
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        found = WAYS[asked.way](asked.file)
        used = resource.getrusage(resource.RUSAGE_SELF)
        cost = {"cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss // 1024}
        print(json.dumps({name: round(value, 1) for name, value in (found | cost).items()}))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "records.parquet").exists():
            make(folder, asked.records)
        results = [measured(way, folder / f"records{suffix}") for suffix in (".csv", ".parquet") for way in WAYS]
    text = json.dumps({"records": asked.records, "results": results}, indent=2)
    print(text)
    if asked.write:
        asked.write.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
