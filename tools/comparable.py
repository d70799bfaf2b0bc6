"""Says whether two result files may be compared: `comparable.py [--force] before.json after.json`.

compare.py matches rows by name alone. What varies by flag and not by name (placement, payload,
compression, dialect) stands in a row's label, so rows of one name with different labels measure
different things; doubts in a label are told, but two rows may well differ in them; an errored row
has a time of zero, which would look like an improvement; rows of one file only are dropped
silently. This says all of it on stderr. Exit 2: not comparable.
"""

import argparse
import os
import sys

from command import run
from result_rows import MICROSECONDS, Unusable, label_and_doubts, load, number

TIMES = ("real_time", "cpu_time")


def load_timed(path):
    """The document in a file, whose rows have all that compare.py reads; throws Unusable."""
    report = load(path)
    for row in report["benchmarks"]:
        for key in TIMES:
            if number(row, key) is None:
                raise Unusable(f"{path}: {row['name']} has no {key}")
        if str(row.get("time_unit")) not in MICROSECONDS:
            raise Unusable(f"{path}: {row['name']}: time_unit is {row.get('time_unit')}")
    return report


def labels(report):
    """All labels of each row's name, without doubts; repetitions share them."""
    found = {}
    for row in report["benchmarks"]:
        found.setdefault(row["name"], set()).add(label_and_doubts(row)[0])
    return found


def doubtful(report, rows):
    """Those of the rows whose label carries doubts."""
    return sorted({row["name"] for row in report["benchmarks"]
                   if row["name"] in rows and label_and_doubts(row)[1]})


def describe(label_set):
    return " and ".join(repr(label) for label in sorted(label_set))


def main():
    parser = argparse.ArgumentParser(prog="comparable.py")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("files", nargs=2)
    arguments = parser.parse_args()
    reports = [load_timed(path) for path in arguments.files]
    names = [os.path.basename(path) for path in arguments.files]
    if names[0] == names[1]:
        names = arguments.files

    presets = [report["context"].get("preset") for report in reports]
    if presets[0] != presets[1]:
        print(f"compare: warning: presets differ: {presets[0]} and {presets[1]}", file=sys.stderr)

    before, after = (labels(report) for report in reports)
    for name, own, other in ((names[0], before, after), (names[1], after, before)):
        for row in own:
            if row not in other:
                print(f"compare: only in {name}: {row}", file=sys.stderr)
    common = [row for row in before if row in after]
    if not common:
        raise Unusable("the two files have no row in common")

    for name, report in zip(names, reports):
        if rows := doubtful(report, common):
            more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
            print(f"compare: warning: doubtful in {name}: {rows[0]}{more}", file=sys.stderr)

    reasons = [
        f"{row}: measured as {describe(before[row])}, then as {describe(after[row])}"
        for row in common
        if before[row] != after[row]
    ]
    reasons += [f"{row}: measured under several conditions in one file, which compare.py would mix"
                for row in common if max(len(before[row]), len(after[row])) > 1]
    for name, report in zip(names, reports):
        reasons += [
            f"{row['name']}: ended in an error in {name}"
            for row in report["benchmarks"]
            if row.get("error_occurred") and row["name"] in common
        ]
    if reasons:
        more = f" (and {len(reasons) - 1} more rows)" if len(reasons) > 1 else ""
        if not arguments.force:
            raise Unusable(f"not comparable without --force: {reasons[0]}{more}")
        print(f"compare: warning: {reasons[0]}{more}", file=sys.stderr)


if __name__ == "__main__":
    run("compare", main)
