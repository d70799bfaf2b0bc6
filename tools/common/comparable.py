"""Whether rows of two results of bench_all may be compared.

compare.py matches rows by name alone. What varies by flag and not by name (placement, payload,
compression, dialect) stands in a row's label, so rows of one name with different labels measure
different things; doubts in a label are told, but two rows may well differ in them; an errored row
has a time of zero, which would look like an improvement; rows of one file only are dropped
silently. This says all of it on stderr.
"""

import os
import sys

from .result_rows import MICROSECONDS, Unusable, label_and_doubts, number

TIMES = ("real_time", "cpu_time")


def timed_rows(report, path):
    """The rows of a document, which have all that compare.py reads; throws Unusable."""
    for row in report["benchmarks"]:
        for key in TIMES:
            if number(row, key) is None:
                raise Unusable(f"{path}: {row['name']} has no {key}")
        if str(row.get("time_unit")) not in MICROSECONDS:
            raise Unusable(f"{path}: {row['name']}: time_unit is {row.get('time_unit')}")
    return report["benchmarks"]


def labels(rows):
    """All labels of each row's name, without doubts; repetitions share them."""
    found = {}
    for row in rows:
        found.setdefault(row["name"], set()).add(label_and_doubts(row)[0])
    return found


def describe(label_set):
    return " and ".join(repr(label) for label in sorted(label_set))


def warn(text):
    print(f"compare: {text}", file=sys.stderr)


def more(count):
    return f" (and {count - 1} more rows)" if count > 1 else ""


def tell_doubts(rows, name):
    """Of the rows, those whose label carries doubts."""
    if doubtful := sorted({row["name"] for row in rows if label_and_doubts(row)[1]}):
        warn(f"warning: doubtful in {name}: {doubtful[0]}{more(len(doubtful))}")


def failed(rows, name):
    return [f"{row['name']}: ended in an error in {name}" for row in rows if row.get("error_occurred")]


def refuse(reasons, force):
    """Throws Unusable if there is a reason, or tells the first if it is forced."""
    if not reasons:
        return
    if not force:
        raise Unusable(f"not comparable without --force: {reasons[0]}{more(len(reasons))}")
    warn(f"warning: {reasons[0]}{more(len(reasons))}")


def judge_rows(rows, name, force):
    """Of rows that are compared with others of the same file, or of other names: what they say of themselves."""
    tell_doubts(rows, name)
    refuse(failed(rows, name), force)


def judge_pair(reports, paths, force):
    """Of all rows of two documents, by name. Throws Unusable."""
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
