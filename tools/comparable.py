"""Says whether two result files may be compared: `comparable.py [--force] before.json after.json`.

compare.py matches rows by name alone. What varies by flag and not by name (placement, payload,
compression, dialect) stands in a row's label, so rows of one name with different labels measure
different things; doubts in a label are told, but two rows may well differ in them; an errored row has a time of zero, which would look like an improvement; rows of
one file only are dropped silently. This says all of it on stderr. Exit 2: not comparable.
"""

import argparse
import json
import os
import sys


def stop(message):
    print(f"compare: {message}", file=sys.stderr)
    sys.exit(2)


def load(path):
    """The results in a file, or exit 2 with the reason they are none."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        stop(f"{path}: {error.strerror}")
    except ValueError as error:
        stop(f"{path}: not a JSON file: {error}")
    rows = report.get("benchmarks") if isinstance(report, dict) else None
    if not isinstance(rows, list) or not isinstance(report.get("context"), dict):
        stop(f"{path}: not the results of a benchmark (no context and benchmarks)")
    if not all(isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows):
        stop(f"{path}: not the results of a benchmark (rows without a name)")
    return report


def labels(report):
    """All labels of each row's name, without doubts; repetitions share them."""
    found = {}
    for row in report["benchmarks"]:
        entries = [entry for entry in row.get("label", "").split()
                   if not entry.startswith("doubts=")]
        found.setdefault(row["name"], set()).add(" ".join(entries))
    return found


def doubtful(report, rows):
    """Those of the rows whose label carries doubts."""
    return sorted({row["name"] for row in report["benchmarks"]
                   if row["name"] in rows and "doubts=" in row.get("label", "")})


def describe(label_set):
    return " and ".join(repr(label) for label in sorted(label_set))


def main():
    parser = argparse.ArgumentParser(prog="comparable.py")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("files", nargs=2)
    arguments = parser.parse_args()
    reports = [load(path) for path in arguments.files]
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
        stop("the two files have no row in common")

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
            stop(f"not comparable without --force: {reasons[0]}{more}")
        print(f"compare: warning: {reasons[0]}{more}", file=sys.stderr)


if __name__ == "__main__":
    main()
