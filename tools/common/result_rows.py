"""The rows of bench_all's result files, for tools that calculate with them.

One place knows how a row is named (Type/mode/operation and what the framework appends), what a
label says and when two contradict each other, and which files belong to one run. Times are in µs.
"""

import json
import math
import os
import pathlib
import re
import statistics
from typing import NamedTuple, Optional

from . import description

SAME_RUN = ("host_name", "git_revision", "preset", "environment")  # what files of one run share
NOISE = 0.02  # of a row: what a quiet machine repeats to
MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
DIALECTS = ("5", "6")
INSTALLED = not (pathlib.Path(__file__).resolve().parents[2] / "CMakeLists.txt").exists()
PYTHON_CLIENT = "rpycbench python_client" if INSTALLED else "tools/python_client"
ADDED_BY_FRAMEWORK = re.compile(r"/(real_time|manual_time|process_time|threads:\d+"
                                r"|(iterations|repeats|min_time|min_warmup_time):[\d.]+)(?=/|$)")


class Unusable(Exception):
    """The files are not results to calculate with."""


class NotMeasured(Exception):
    """A row that a calculation needs is not there; says why. `needed` lists what was never run."""

    def __init__(self, reason, needed=()):
        super().__init__(reason)
        self.needed = needed


class Row(NamedTuple):
    """A row of all repetitions: their median, what it varies by, and the label's entries.

    `samples` are the repetitions' own values, `spread` what the medians of stretches of one
    repetition vary by (relative; None if it was too short to tell), `doubts` those of the label.
    """
    name: str
    us: float
    noise: float
    round_trips: Optional[int]
    labels: dict
    samples: tuple
    spread: Optional[float]
    doubts: tuple


def split_name(name):
    """(type, mode, operation) of a row, without what the framework appends to its name."""
    kind, _, rest = ADDED_BY_FRAMEWORK.sub("", name).partition("/")
    mode, _, operation = rest.partition("/")
    return kind, mode, operation


def clash(labels, conditions):
    """What `labels` say otherwise; an entry that one side lacks (compression) is no clash."""
    return [f"{key}={value}" for key, value in labels.items()
            if conditions.get(key, value) != value]


def _one_of(names):
    """A regular expression for these names: the words they begin and end with alike, once."""
    start = re.sub(r"[^\W_]*$", "", os.path.commonprefix(names))
    rests = [name[len(start):] for name in names]
    end = os.path.commonprefix([rest[::-1] for rest in rests])[::-1]
    end = re.sub(r"^[^\W_]*", "", end)
    return f"{start}({'|'.join(rest[:len(rest) - len(end)] for rest in rests)}){end}"


def how_to_get(names):
    """The commands that make these rows."""
    own = [name for name in names if not name.startswith("Py")]
    commands = [] if len(own) == len(names) else [PYTHON_CLIENT]
    if own:
        pattern = own[0] if len(own) == 1 else _one_of(own)
        commands.insert(0, f"bench_all --benchmark_filter='^{pattern}/'")
    return " and ".join(commands)


def _whole(digits):
    """A whole number of JSON; as a float beyond 64 bits, for not every one fits into a float."""
    return int(digits) if len(digits) < 19 else float(digits)


def spell_out_dialect(report):
    """Gives rows of RPyC without a dialect in their labels that of the context.

    Labels name it where it was asked for; in all others it is that of the rpyc at hand, so that two
    results may differ in it. Up to version 0.1.0 all labels had it, in this place.
    """
    dialect = report["context"].get("dialect")
    if dialect not in DIALECTS:
        return
    for row in report["benchmarks"] + report.get("errors", []):
        label = row.get("label", "")
        if "rpyc_" in split_name(row["name"])[1] and " dialect=" not in label:
            row["label"] = re.sub(r"( compression=\S+)", rf"\1 dialect={dialect}", label)


def load(path):
    """The document in a file that holds results of bench_all, with the dialect in the labels of all
    rows of RPyC; throws Unusable."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        report = json.loads(text, parse_int=_whole)
        json.dumps(report, ensure_ascii=False).encode()  # half a character cannot be printed
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        empty = isinstance(error, json.JSONDecodeError) and not text.strip()
        raise Unusable(f"{path}: " + ("empty" if empty else f"not a JSON file: {error}")) from error
    lists = [report.get("benchmarks"), report.get("errors", [])] if isinstance(report, dict) else []
    if not lists or not all(isinstance(rows, list) for rows in lists) or not isinstance(
            report.get("context"), dict):
        raise Unusable(f"{path}: not the results of a benchmark (no context and benchmarks)")
    if not all(isinstance(row, dict) and isinstance(row.get("name"), str)
               and isinstance(row.get("label", ""), str) for rows in lists for row in rows):
        raise Unusable(f"{path}: not the results of a benchmark (rows without a name)")
    try:
        known = description.of(report)
    except (AttributeError, KeyError, TypeError, re.error) as error:
        raise Unusable(f"{path}: its description is not one of bench_all ({error!r})") from error
    if not any(known.is_mode(split_name(row["name"])[1]) for rows in lists for row in rows):
        raise Unusable(f"{path}: no row of bench_all, such as Latency/tcp_threaded/ping")
    spell_out_dialect(report)
    return report


def other_run(first, other):
    """What two documents' contexts say of two different runs, (key, value, other value); None if of
    one. The rows of tools/python_client have no preset, whatever they are put beside."""
    for key in SAME_RUN:
        values = first["context"].get(key), other["context"].get(key)
        if values[0] != values[1] and not (key == "preset" and None in values):
            return key, *values
    return None


def load_run(paths):
    """The documents of one run's files, the first one's context leading; throws Unusable."""
    reports = [load(path) for path in paths]
    for path, report in zip(paths[1:], reports[1:]):
        if found := other_run(reports[0], report):
            key, first, own = found
            raise Unusable(f"not of one run: {key} is {first} in {paths[0]}, {own} in {path}")
    return reports


def number(row, key):
    """A finite number, or None."""
    value = row.get(key)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if good else None


def _measure(row, statistic):
    """None if the row doesn't have it. real_time has a unit of its own and comes in µs."""
    unit = MICROSECONDS.get(str(row.get("time_unit"))) if statistic == "real_time" else 1.0
    value = number(row, statistic)
    return None if unit is None or value is None else value * unit


def label_and_doubts(row):
    """(the label without its doubts, the doubts): these differ where the conditions do not."""
    entries = row.get("label", "").split()
    doubts = [entry for entry in entries if entry.startswith("doubts=")]
    return (" ".join(entry for entry in entries if entry not in doubts),
            [doubt for entry in doubts for doubt in entry.partition("=")[2].split(",")])


class Results:
    """The rows of a run by name, as one statistic sees them: p50_us, p10_us, real_time.

    `counter`: the statistic is one that not every row has, and that may be zero.
    """

    def __init__(self, reports, statistic, counter=False):
        self.description = description.of(reports[0])
        self._rows, self._unusable, repetitions = {}, {}, {}
        for report in reports:
            for row in report["benchmarks"] + report.get("errors", []):
                name = "/".join(filter(None, split_name(row["name"])))
                value = _measure(row, statistic)
                if row.get("run_type") == "aggregate":
                    continue
                if row.get("error_occurred") or "message" in row:
                    self._unusable[name] = "ended in an error"
                elif value is None or value < 0 or (value == 0 and not counter):
                    self._unusable[name] = f"has no {statistic}"
                else:
                    label, doubts = label_and_doubts(row)
                    repetitions.setdefault((name, label), []).append(
                        (value, number(row, "round_trips"), number(row, "spread_percent"),
                         doubts))
        if not repetitions and not counter:
            raise Unusable(f"no row has {statistic} (aggregates are not read)")
        self.repetitions = max(map(len, repetitions.values()), default=0)
        for (name, label), found in repetitions.items():
            values, trips, spreads, doubts = zip(*found)
            median = statistics.median(values)
            self._rows.setdefault(name, []).append(Row(
                name, median, max(NOISE * median, max(values) - min(values)),
                None if None in trips else round(statistics.median(trips)),
                dict(entry.partition("=")[::2] for entry in label.split()), values,
                None if None in spreads else statistics.median(spreads) / 100,
                tuple(dict.fromkeys(doubt for several in doubts for doubt in several))))

    def all(self):
        return [row for rows in self._rows.values() for row in rows]

    def find(self, names, conditions):
        """The rows of these names whose labels do not contradict `conditions`; or NotMeasured."""
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
