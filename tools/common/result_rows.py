"""Reads the rows of bench_all's result files, for tools that calculate with them.

This module alone knows how a row is named: Type/mode/operation and what the framework appends. It
also knows what a label means, when two labels contradict each other, and which files belong to one
run. Times are in µs.
"""

import json
import math
import os
import pathlib
import re
import statistics
from typing import NamedTuple, Optional

from . import description, probe_course
from .intervals import repeated_interval

SAME_RUN = ("host_name", "git_revision", "preset", "environment")  # shared by the files of one run
MOST_UNANSWERED = 1.0  # percent of a row's calls; beyond, it has no p99
NOISE = 0.02  # relative difference between repeated runs of a row on a quiet machine
MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
DIALECTS = ("5", "6")
INSTALLED = not (pathlib.Path(__file__).resolve().parents[2] / "CMakeLists.txt").exists()
PYTHON_CLIENT = "rpycbench python_client" if INSTALLED else "tools/python_client"
ADDED_BY_FRAMEWORK = re.compile(r"/((real|manual|process)_time(/threads:\d+)?"
                                r"|(iterations|repeats|min_time|min_warmup_time):[\d.]+)(?=/|$)")


class Unusable(Exception):
    """Says why files cannot be used as results."""


class NotMeasured(Exception):
    """Says why a row that a calculation needs is missing; `needed` lists rows never run."""

    def __init__(self, reason, needed=()):
        super().__init__(reason)
        self.needed = needed


class Row(NamedTuple):
    """A row over all repetitions: its median, its variation and the entries of its label.

    `samples` are the values of the repetitions. `spread` is the relative variation of the medians
    of stretches within one repetition, or None if it was too short. `doubts` are the label's.
    `paired` says whether it was measured in pairs. `interval` is (lowest, highest) median at 99 %,
    or None if the repetitions have no interval of their own.
    """
    name: str
    us: float
    noise: float
    round_trips: Optional[int]
    labels: dict
    samples: tuple
    spread: Optional[float]
    doubts: tuple
    paired: bool = False
    interval: Optional[tuple] = None


def split_name(name):
    """Returns (type, mode, operation) of a row, without what the framework appends to its name."""
    kind, _, rest = ADDED_BY_FRAMEWORK.sub("", name).partition("/")
    mode, _, operation = rest.partition("/")
    return kind, mode, operation


def clash(labels, conditions):
    """Returns the entries of `labels` that contradict `conditions`; a missing entry does not."""
    return [f"{key}={value}" for key, value in labels.items()
            if conditions.get(key, value) != value]


def _one_of(names):
    """Returns a regular expression for these names, with their common start and end only once."""
    start = re.sub(r"[^\W_]*$", "", os.path.commonprefix(names))
    rests = [name[len(start):] for name in names]
    end = os.path.commonprefix([rest[::-1] for rest in rests])[::-1]
    end = re.sub(r"^[^\W_]*", "", end)
    return f"{start}({'|'.join(rest[:len(rest) - len(end)] for rest in rests)}){end}"


def how_to_get(names):
    """Returns the commands that measure these rows."""
    types = description.own().types
    own = [name for name in names if split_name(name)[0] in types]
    commands = [] if len(own) == len(names) else [PYTHON_CLIENT]
    if own:
        pattern = own[0] if len(own) == 1 else _one_of(own)
        commands.insert(0, f"bench_all --benchmark_filter='^{pattern}/'")
    return " and ".join(commands)


def _whole(digits):
    """Parses a whole number of JSON; beyond 64 bits it becomes a float, which all tools can use."""
    return int(digits) if len(digits) < 19 else float(digits)


def spell_out_dialect(report):
    """Adds the dialect of the context to labels of RPyC rows that have none.

    A label names the dialect only if a flag chose it. In other rows it is that of the installed
    rpyc, so two results may differ in it. Up to version 0.1.0 every label had it, in this place.
    """
    dialect = report["context"].get("dialect")
    if dialect not in DIALECTS:
        return
    for row in report["benchmarks"] + report.get("errors", []):
        label = row.get("label", "")
        if "rpyc_" in split_name(row["name"])[1] and " dialect=" not in label:
            row["label"] = re.sub(r"( compression=\S+)", rf"\1 dialect={dialect}", label)


def load(path):
    """Returns the document in a file with results of bench_all; labels of RPyC rows have a dialect.

    Raises Unusable if the file cannot be read or holds anything else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        report = json.loads(text, parse_int=_whole)
        json.dumps(report, ensure_ascii=False).encode()  # a lone surrogate cannot be printed
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        empty = isinstance(error, json.JSONDecodeError) and not text.strip()
        raise Unusable(f"{path}: " + ("empty" if empty else f"not a JSON file: {error}")) from error
    lists = [report.get("benchmarks"), report.get("errors", [])] if isinstance(report, dict) else []
    if not lists or not all(isinstance(rows, list) for rows in lists) or not isinstance(
            report.get("context"), dict):
        raise Unusable(f"{path}: not the results of a benchmark (context or benchmarks missing)")
    if not all(isinstance(row, dict) and isinstance(row.get("name"), str)
               and isinstance(row.get("label", ""), str) for rows in lists for row in rows):
        raise Unusable(f"{path}: not the results of a benchmark (a row has no name)")
    try:
        known = description.of(report)
    except (AttributeError, KeyError, TypeError, re.error) as error:
        raise Unusable(f"{path}: its description is not one of bench_all's ({error!r})") from error
    try:
        probe_course.of(report)
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{path}: its probe's course is not one of bench_all's "
                       f"({error!r})") from error
    if not any(known.is_mode(split_name(row["name"])[1]) for rows in lists for row in rows):
        raise Unusable(f"{path}: no row of bench_all, such as Latency/tcp_threaded/ping")
    spell_out_dialect(report)
    return report


def other_run(first, other):
    """Returns (key, value, other value) if two contexts belong to different runs, otherwise None.

    Rows of tools/python_client have no preset and fit every preset.
    """
    for key in SAME_RUN:
        values = first["context"].get(key), other["context"].get(key)
        if values[0] != values[1] and not (key == "preset" and None in values):
            return key, *values
    return None


def load_run(paths):
    """Returns the documents in the files of one run. Raises Unusable if they are of several."""
    reports = [load(path) for path in paths]
    for path, report in zip(paths[1:], reports[1:]):
        if found := other_run(reports[0], report):
            key, first, own = found
            raise Unusable(f"not of one run: {key} is {first} in {paths[0]}, {own} in {path}")
    return reports


def number(row, key):
    """Returns the value if it is a finite number, otherwise None."""
    value = row.get(key)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if good else None


def too_few_answers(row):
    """Returns why the times of a row in an open loop can't be compared with another's; None if they can.

    A call without an answer is longer than every other. If more than 1 % are, the row has no p99, and
    its other times are those of the calls that the server could serve.
    """
    share = number(row, "unanswered_percent") or 0
    return f"{share:.3g} % of its calls had no answer, so it has no p99" if share > MOST_UNANSWERED else None


def _measure(row, statistic):
    """Returns the statistic, or None if the row lacks it; real_time is converted to µs."""
    unit = MICROSECONDS.get(str(row.get("time_unit"))) if statistic == "real_time" else 1.0
    value = number(row, statistic)
    return None if unit is None or value is None else value * unit


def label_and_doubts(row):
    """Returns the label without its doubts, and the doubts.

    Doubts may differ between rows that were measured under the same conditions.
    """
    entries = row.get("label", "").split()
    doubts = [entry for entry in entries if entry.startswith("doubts=")]
    return (" ".join(entry for entry in entries if entry not in doubts),
            [doubt for entry in doubts for doubt in entry.partition("=")[2].split(",")])


class Results:
    """Holds the rows of a run by name, as seen through one statistic (p50_us, cost_us, …).

    A row's interval comes from the counters `<statistic>_low` and `<statistic>_high`. `counter`
    says that the statistic may be zero, and that not every row has it.
    """

    def __init__(self, reports, statistic, counter=False):
        self.description = description.of(reports[0])
        self._rows, self._unusable, repetitions = {}, {}, {}
        results = counter  # rows with too few answers are results as well
        for report in reports:
            for row in report["benchmarks"] + report.get("errors", []):
                name = "/".join(filter(None, split_name(row["name"])))
                value = _measure(row, statistic)
                if row.get("run_type") == "aggregate":
                    continue
                if row.get("error_occurred") or "message" in row:
                    self._unusable[name] = "ended in an error"
                elif reason := too_few_answers(row):
                    self._unusable[name] = f"is not comparable: {reason}"
                    results = True
                elif value is None or value < 0 or (value == 0 and not counter):
                    self._unusable[name] = f"has no {statistic}"
                else:
                    label, doubts = label_and_doubts(row)
                    ends = number(row, f"{statistic}_low"), number(row, f"{statistic}_high")
                    repetitions.setdefault((name, label), []).append(
                        (value, number(row, "round_trips"), number(row, "spread_percent"), doubts,
                         number(row, "probe_ratio"), None if None in ends else ends))
        if not repetitions and not results:
            raise Unusable(f"no row has {statistic} (aggregates are not read)")
        self.repetitions = max(map(len, repetitions.values()), default=0)
        for (name, label), found in repetitions.items():
            values, trips, spreads, doubts, ratios, ends = zip(*found)
            median = statistics.median(values)
            self._rows.setdefault(name, []).append(Row(
                name, median, max(NOISE * median, max(values) - min(values)),
                None if None in trips else round(statistics.median(trips)),
                dict(entry.partition("=")[::2] for entry in label.split()), values,
                None if None in spreads else statistics.median(spreads) / 100,
                tuple(dict.fromkeys(doubt for several in doubts for doubt in several)),
                all(ratios), None if None in ends else repeated_interval(values, ends)))

    def all(self):
        return [row for rows in self._rows.values() for row in rows]

    def find(self, names, conditions):
        """Returns the rows of these names that fit `conditions`. Raises NotMeasured."""
        found, needed = [], []
        for name in names:
            rows = self._rows.get(name, [])
            fitting = [row for row in rows if not clash(row.labels, conditions)]
            if fitting:
                found.append(fitting[0])
            elif rows:
                other = " ".join(clash(rows[0].labels, conditions))
                raise NotMeasured(f"not mixed: {name} was measured with {other}")
            elif name in self._unusable:
                raise NotMeasured(f"not measured: {name} {self._unusable[name]}")
            else:
                needed.append(name)
        if needed:
            raise NotMeasured(f"not measured: needs {' and '.join(needed)}", needed)
        return found
