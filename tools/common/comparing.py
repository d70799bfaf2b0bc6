"""Runs tools/compare: `comparing.py check|judge|run [flags] before.json after.json`.

`judge` reports on stderr every reason against the comparison (comparable.py) and needs no package. `check` reports only
the reasons that forbid it. `run` judges, then lets Google Benchmark's compare.py print the comparison. Flags may appear
anywhere and in every form that compare.py accepts.

Times of rows that were measured in pairs with the probe are normalised, because the machine may have been slower in one
of the runs. Rows are filtered here because not every release of compare.py filters the rows of a file. Times of one row
in different units are converted here because compare.py would compare the bare numbers.
"""

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile

from . import description
from .command import run
from .comparable import TIMES, judge_pair, judge_rows, timed_rows, warn
from .paired import cost, in_pairs, median_probe
from .result_rows import MICROSECONDS, Unusable, load

# The modes of compare.py, with one letter for each word: f is a file, x a filter.
MODES = {"benchmarks": "ff", "filters": "fxx", "benchmarksfiltered": "fxfx"}
USAGE = """compare [--force] [--raw] [--no-install] before.json after.json [flags of compare.py]
       compare filters run.json REGEX REGEX
       compare benchmarksfiltered before.json REGEX after.json REGEX"""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Unusable(f"{message} (compare --help shows the flags)")


def parse(arguments):
    """Returns the flags; `words` are those of the mode, `flags` are passed on to compare.py. Raises Unusable."""
    parser = Parser(prog="compare", usage=USAGE, description="Compares two results of bench_all, or rows of one, with "
                    "Google Benchmark's compare.py.", epilog="Exit status: 0, or 2 if they cannot be compared.")
    parser.add_argument("words", nargs="*", metavar="FILE", help="the two results")
    parser.add_argument("--force", action="store_true", help="compare rows measured under different conditions too")
    parser.add_argument("--raw", action="store_true", help="compare times as they were measured")
    parser.add_argument("--benchmark_filter", metavar="REGEX", help="only rows whose names match; -REGEX: all others")
    parser.add_argument("--compare_py", metavar="PATH", help="the compare.py to run (default: the installed one)")
    stock = parser.add_argument_group("flags of compare.py")
    stock.add_argument("-a", "--display_aggregates_only", action="store_true", help="show aggregates only")
    stock.add_argument("--no-color", action="store_true")
    stock.add_argument("--no-utest", action="store_true", help="no U test of the repetitions")
    stock.add_argument("--alpha", type=float, help="significance level of the U test (default: 0.05)")
    stock.add_argument("-d", "--dump_to_json", metavar="FILE", help="write the comparison to this file as well")
    options = parser.parse_intermixed_args(arguments)
    options.mode = options.words.pop(0) if options.words[:1] and options.words[0] in MODES else "benchmarks"
    kinds = MODES[options.mode]
    if len(options.words) != len(kinds):
        raise Unusable(f"usage: {USAGE.splitlines()[0]}" if options.mode == "benchmarks" else
                       f"{options.mode} takes {len(kinds)} words, not {len(options.words)}")
    options.files = [word for word, kind in zip(options.words, kinds) if kind == "f"]
    options.patterns = [word for word, kind in zip(options.words, kinds) if kind == "x"]
    for pattern in (*options.patterns, options.benchmark_filter or ""):
        try:
            re.compile(pattern.removeprefix("-"))
        except re.error as error:
            raise Unusable(f"{pattern!r} is not a regular expression: {error}") from error
    options.flags = [f"--{name.replace('_', '-') if name.startswith('no') else name}"
                     for name in ("display_aggregates_only", "no_color", "no_utest") if getattr(options, name)]
    if options.alpha is not None:
        options.flags.append(f"--alpha={options.alpha}")
    if options.dump_to_json is not None:
        options.flags.append(f"--dump_to_json={os.path.abspath(options.dump_to_json)}")
    return options


def matches(pattern, name):
    """Returns whether a name matches, by the rules of Google Benchmark's --benchmark_filter."""
    if not pattern or pattern == "all":
        return True
    wanted = not pattern.startswith("-")
    return bool(re.search(pattern.removeprefix("-"), name)) == wanted


def filtered(path, pattern):
    """Returns the document in a file with only the rows that match. Raises Unusable."""
    report = load(path)
    for key in ("benchmarks", "errors"):
        if key in report:
            report[key] = [row for row in report[key] if matches(pattern, row["name"])]
    timed_rows(report, path)
    return report


def in_one_unit(reports):
    """Converts all rows of a name to the first one's unit; returns whether any had another unit."""
    units, converted = {}, False
    for report in reports:
        for row in report["benchmarks"]:
            own, unit = row["time_unit"], units.setdefault(row["name"], row["time_unit"])
            if own == unit:
                continue
            converted = True
            row["time_unit"] = unit
            for key in TIMES:
                row[key] *= MICROSECONDS[own] / MICROSECONDS[unit]
    return converted


def normalise(reports):
    """Replaces times by probe_ratio × the median probe of all rows; returns the names of the rows that keep theirs.

    A row keeps its times in both documents if it has no ratio in one of them. Aggregates of ratios are ratios as well.
    """
    rates = description.of(reports[0]).rates
    both = [row for report in reports for row in report["benchmarks"]]
    kept = {row["name"] for row in both if not in_pairs(row, rates)}
    paired = [row for row in both if row["name"] not in kept]
    probe_us = median_probe(paired, rates)
    for row in paired:
        if row.get("aggregate_unit") == "percentage":
            row["real_time"] = row["probe_ratio"]
            continue
        normal = row["probe_ratio"] * probe_us
        row["cpu_time"] *= normal / cost(row, rates)
        row["real_time"] = normal / MICROSECONDS[row["time_unit"]]
    return kept


def judge(options):
    """Reports on stderr every reason against the comparison. Raises Unusable if one forbids it."""
    reports = [filtered(path, options.benchmark_filter) for path in options.files]
    if options.mode == "benchmarks":
        return judge_pair(reports, options.files, options.force)
    for report, path, pattern in zip(reports * len(options.patterns), options.files * len(options.patterns),
                                     options.patterns):
        rows = [row for row in report["benchmarks"] if re.search(pattern, row["name"])]
        if not rows:
            raise Unusable(f"{path}: no row matches {pattern!r}")
        judge_rows(rows, path, options.force)
    return None


@contextlib.contextmanager
def files_to_compare(options):
    """Returns the mode's words and the folder that their file names are relative to; None is the current folder."""
    reports = [filtered(path, options.benchmark_filter) for path in options.files]
    converted = in_one_unit(reports)
    names = {row["name"] for report in reports for row in report["benchmarks"]}
    kept = names if options.raw else normalise(reports)
    if kept != names:
        rest = f"; {len(kept)} rows have no ratio and keep theirs" if kept else ""
        warn(f"times are normalised by the probe of their run (probe_ratio){rest}; --raw compares them as measured")
    elif not converted and not options.benchmark_filter:
        yield options.words, None
        return
    with tempfile.TemporaryDirectory(prefix="rpycbench-compare-") as folder:
        names = iter(_names(options.files))
        documents = iter(reports)
        words = []
        for word, kind in zip(options.words, MODES[options.mode]):
            if kind == "f":
                word = next(names)
                os.makedirs(os.path.dirname(os.path.join(folder, word)), exist_ok=True)
                with open(os.path.join(folder, word), "w", encoding="utf-8") as file:
                    json.dump(next(documents), file)
            words.append(word)
        yield words, folder


def _names(paths):
    """Returns the shortest names that tell the paths apart."""
    names = [os.path.basename(path) for path in paths]
    return names if len(set(names)) == len(names) else [f"{number}/{name}" for number, name in enumerate(names, 1)]


def compare(options):
    """Runs compare.py and returns its exit status."""
    flags = options.flags + ([] if sys.stdout.isatty() or options.no_color else ["--no-color"])
    with files_to_compare(options) as (words, folder):
        program = [sys.executable, os.path.abspath(options.compare_py)]
        return subprocess.run([*program, *flags, options.mode, *words], cwd=folder, check=False).returncode


def main():
    step, arguments = sys.argv[1], sys.argv[2:]
    options = parse(arguments)
    with contextlib.redirect_stderr(io.StringIO() if step == "check" else sys.stderr):
        judge(options)
    return compare(options) if step == "run" else 0


if __name__ == "__main__":
    run("compare", main)
