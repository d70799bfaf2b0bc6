"""Checks whether rows of two results of bench_all may be compared.

compare.py matches rows by name alone. This module reports on stderr what compare.py ignores:

- Conditions set by a flag (placement, payload, compression, dialect) are in a row's label, not in
  its name. Rows with the same name and different labels measure different things.
- Doubts in a label are reported, but two comparable rows may differ in them.
- A row that failed has a time of zero, which would look like an improvement.
- A row of whose calls more than 1 % had no answer has no p99. Its times are those of the calls that
  the server could serve, and would look like an improvement, too.
- compare.py drops rows that only one file has.
"""

import os
import sys

from .result_rows import MICROSECONDS, Unusable, label_and_doubts, number, too_few_answers

TIMES = ("real_time", "cpu_time")


def timed_rows(report, path):
    """Returns the rows of a document. Raises Unusable if a row lacks a field that compare.py reads."""
    for row in report["benchmarks"]:
        for key in TIMES:
            if number(row, key) is None:
                raise Unusable(f"{path}: {row['name']} has no {key}")
        if str(row.get("time_unit")) not in MICROSECONDS:
            raise Unusable(f"{path}: {row['name']}: unknown time_unit {row.get('time_unit')}")
    return report["benchmarks"]


def labels(rows):
    """Returns {name: set of labels without doubts}; repetitions of a row share one entry."""
    found = {}
    for row in rows:
        found.setdefault(row["name"], set()).add(label_and_doubts(row)[0])
    return found


def describe(label_set):
    """Returns the labels as quoted text, sorted and joined with "and"."""
    return " and ".join(repr(label) for label in sorted(label_set))


def warn(text):
    """Prints one line on stderr."""
    print(f"compare: {text}", file=sys.stderr)


def more(count):
    """Returns a suffix that counts the rows after the one shown; empty if there is only one."""
    return f" (and {count - 1} more rows)" if count > 1 else ""


def tell_doubts(rows, name):
    """Warns about rows whose label carries doubts."""
    if doubtful := sorted({row["name"] for row in rows if label_and_doubts(row)[1]}):
        warn(f"warning: doubtful in {name}: {doubtful[0]}{more(len(doubtful))}")


def failed(rows, name):
    """Returns one reason for each row that ended in an error or had too few answers; `name` is the file's."""
    reasons = [f"{row['name']}: ended in an error in {name}" for row in rows if row.get("error_occurred")]
    return reasons + list(dict.fromkeys(f"{row['name']}: in {name} {reason}" for row in rows
                                        if row.get("run_type") != "aggregate" and (reason := too_few_answers(row))))


def refuse(reasons, force):
    """Raises Unusable if there are reasons; with `force` it only warns about the first."""
    if not reasons:
        return
    if not force:
        raise Unusable(f"not comparable: {reasons[0]}{more(len(reasons))}; --force compares them anyway")
    warn(f"warning: {reasons[0]}{more(len(reasons))}")


def judge_rows(rows, name, force):
    """Judges rows of one file that are compared with each other or with rows of other names.

    Warns about doubts. Raises Unusable if a row ended in an error or had too few answers, unless `force`
    is set.
    """
    tell_doubts(rows, name)
    refuse(failed(rows, name), force)


def judge_pair(reports, paths, force):
    """Judges all rows of two documents, matched by name.

    Warns about doubts, missing rows and other contexts. Raises Unusable if the files have no row in
    common, or if rows differ in conditions, failed or had too few answers and `force` is not set.
    """
    names = [os.path.basename(path) for path in paths]
    if names[0] == names[1]:
        names = paths
    for key, words in (("preset", "presets differ"), ("environment", "environments differ")):
        values = [report["context"].get(key) for report in reports]
        if values[0] != values[1]:
            warn(f"warning: {words}: {values[0]} and {values[1]}")

    before, after = (labels(report["benchmarks"]) for report in reports)
    for name, own, other in ((names[0], before, after), (names[1], after, before)):
        for row in own:
            if row not in other:
                warn(f"only in {name}: {row}")
    common = [row for row in before if row in after]
    if not common:
        raise Unusable("the two files have no row in common")
    both = [[row for row in report["benchmarks"] if row["name"] in common] for report in reports]
    for name, rows in zip(names, both):
        tell_doubts(rows, name)
    reasons = [f"{row}: measured as {describe(before[row])}, then as {describe(after[row])}"
               for row in common if before[row] != after[row]]
    reasons += [f"{row}: measured under several conditions in one file, which compare.py would mix"
                for row in common if max(len(before[row]), len(after[row])) > 1]
    for name, rows in zip(names, both):
        reasons += failed(rows, name)
    refuse(reasons, force)
