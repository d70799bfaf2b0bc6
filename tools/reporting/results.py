"""Reads the results for a report: every row with its counters, label, doubts or error.

Files of one run that share no row make one result (those of bench_all and python_client). Any other
file is a result by itself. Repetitions make one row, with the medians of their counters. Times are
in µs.
"""

import os
import pathlib
import statistics
from typing import NamedTuple, Optional

from common import description, probe_course
from common.explaining import costs
from common.intervals import repeated_interval
from common.links import calls
from common.result_rows import (NOISE, clash, label_and_doubts, load, number, other_run, split_name,
                                 too_few_answers)


class Measured(NamedTuple):
    """A row over all repetitions. `error` is empty or says why there are no counters."""
    kind: str
    mode: str
    op: str
    labels: dict
    counters: dict
    doubts: tuple = ()
    error: str = ""
    runs: int = 1
    noise: float = NOISE  # relative noise of p50_us: the spread of the repetitions
    ratio_interval: Optional[tuple] = None  # (lowest, highest) probe_ratio, if pairs were enough
    is_rate: bool = False  # its type compares calls per second

    @property
    def name(self):
        return "/".join(filter(None, (self.kind, self.mode, self.op)))

    @property
    def protocol(self):
        return self.mode.partition("_")[0]

    @property
    def model(self):
        return self.mode.partition("_")[2]

    def get(self, counter):
        return self.counters.get(counter)

    @property
    def cost(self):
        """The time of one call in µs, or for a rate of one answer of all clients together."""
        rate = self.get("items_per_second") or 0
        return 1e6 / rate if self.is_rate and rate > 0 else self.get("p50_us")


class Result:
    """Holds the rows of one run: `rows` with counters, `failed` without; `title` identifies it."""

    def __init__(self, title, reports):
        self.title, self._reports = title, reports
        self.context = reports[0]["context"]
        self.description = description.of(reports[0])
        self.hosts = _hosts(reports)
        self.courses = list(filter(None, map(probe_course.of, reports)))
        self.costs, self.probes = costs(reports)  # for explain(); Unusable without p50_us
        self.links = calls(reports)
        measured = [_measured(self.description, *group) for group in _groups(reports)]
        self.rows = [row for row in measured if not row.error]
        self.failed = [row for row in measured if row.error]
        self._by_name = {}
        for row in self.rows:
            self._by_name.setdefault(row.name, []).append(row)

    def of_first_conditions(self):
        """Returns this result without rows that repeat a name under other conditions of a sweep."""
        if all(len(rows) == 1 for rows in self._by_name.values()):
            return self
        first = {row.name: row.labels for row in reversed(self.rows)}

        def kept(row):
            label, _ = label_and_doubts(row)
            name = "/".join(filter(None, split_name(row["name"])))
            return first.get(name, conditions(label)) == conditions(label)

        return Result(self.title, [{**report, **{
            key: [row for row in report.get(key, []) if kept(row)]
            for key in ("benchmarks", "errors")}} for report in self._reports])

    def of(self, *kinds):
        """Returns the rows of these types."""
        return [row for row in self.rows if row.kind in kinds]

    def find(self, name, labels):
        """Returns the row of that name whose label fits `labels`, or None."""
        rows = self._by_name.get(name, [])
        return next((row for row in rows if not clash(row.labels, labels)), None)


def _hosts(reports):
    """Returns {name: facts} of the machines that a sweep recorded; empty for other results."""
    found = [report.get("hosts") for report in reports]
    return {name: facts for hosts in found if isinstance(hosts, dict)
            for name, facts in hosts.items() if isinstance(facts, dict)}


def conditions(label):
    """Returns the entries of a label by name."""
    return dict(entry.partition("=")[::2] for entry in label.split())


def _groups(reports):
    """Yields (name, conditions, repetitions) for each row; a failed repetition has a message."""
    groups = {}
    for report in reports:
        for row in report["benchmarks"] + report.get("errors", []):
            if row.get("run_type") == "aggregate":
                continue
            label, _ = label_and_doubts(row)
            groups.setdefault((row["name"], label), []).append(row)
    return [(name, conditions(label), rows) for (name, label), rows in groups.items()]


def _measured(known, name, labels, rows):
    kind, mode, op = split_name(name)
    good = [row for row in rows if (number(row, "p50_us") or 0) > 0
            and not row.get("error_occurred") and "message" not in row]
    if not good:
        error = next((str(row[key]) for row in rows for key in ("message", "error_message")
                      if row.get(key)), None)
        error = error or next(filter(None, map(too_few_answers, rows)), "has no p50_us")
        return Measured(kind, mode, op, labels, {}, error=error, runs=len(rows),
                        is_rate=kind in known.rates)
    values = {}
    for row in good:
        for key in row:
            if (value := number(row, key)) is not None:
                values.setdefault(key, []).append(value)
    times = values["p50_us"]
    counters = {key: statistics.median(found) for key, found in values.items()}
    doubts = dict.fromkeys(doubt for row in good for doubt in label_and_doubts(row)[1])
    if len(good) < len(rows):
        doubts[f"failed:{len(rows) - len(good)}of{len(rows)}"] = None
    return Measured(kind, mode, op, labels, counters, tuple(doubts), runs=len(good),
                    noise=max(NOISE, (max(times) - min(times)) / counters["p50_us"]),
                    ratio_interval=_ratio_interval(good),
                    is_rate=kind in known.rates)


def _ratio_interval(rows):
    """Returns the interval of probe_ratio over all repetitions, or None if one has none."""
    figures = [[number(row, f"probe_ratio{end}") for end in ("", "_low", "_high")] for row in rows]
    if any(None in figure for figure in figures):
        return None
    return repeated_interval([value for value, _, _ in figures], [ends for _, *ends in figures])


def load_results(paths):
    """Returns the results in the files, in their order. Raises result_rows.Unusable."""
    runs = []  # each [paths, reports, names of rows]
    for path in paths:
        report = load(path)
        names = {row["name"] for row in report["benchmarks"] + report.get("errors", [])}
        for run in runs:
            if not other_run(run[1][0], report) and not run[2] & names:
                run[0].append(path)
                run[1].append(report)
                run[2].update(names)
                break
        else:
            runs.append(([path], [report], set(names)))
    stems = [" + ".join(pathlib.Path(path).stem for path in run[0]) for run in runs]
    titles = stems if len(set(stems)) == len(stems) else [" + ".join(run[0]) for run in runs]
    return [Result(os.fsencode(title).decode(errors="replace"), run[1])  # a path may not be UTF-8
            for title, run in zip(titles, runs)]
