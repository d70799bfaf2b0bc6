"""Compares two stored results of bench_all: `ci/gate base.json head.json`.

The runs came one after the other, so times of one do not compare with times of the other. What compares is each row's
ratio to the probe, which was measured in turns with it (ratios.py), and what repeats exactly. This is the weaker way,
and the summary says so. A side may also be a folder with results of several runs of one build.
"""

import glob
import os
import re
from dataclasses import dataclass, field

from common.result_rows import Unusable, load, too_few_answers

from . import exact, stored_report
from .acknowledging import acknowledged_since
from .arguments import REPOSITORY
from .errors import GateError, Unfit
from .ratios import Judged, judge
from .rows import check_build, check_same, doubts_of, figure, label_of
from .settings import StoredRule
from .verdict import GateResult

RATIO = StoredRule.statistic
CONDITIONS = ("preset", "server_launcher")  # conditions of a whole run; those of rows are in their labels
OF_ONE_BUILD = ("suite_version", "git_revision", "environment")
DISTURBED = ("others", "steal", "throttled")  # doubts about the machine, not about the row
MOST_DISTURBED = 0.5  # share of a side's repetitions, above which a row is not judged


@dataclass
class Side:
    """One result, of one run or of several: its document and, by name, the repetitions of the rows to be judged."""
    origin: str
    document: dict
    rows: dict

    @property
    def context(self):
        return self.document["context"]

    @property
    def version(self):
        """The version, as printed by bench_all --version."""
        return "rpycbench {} ({})".format(
            *(self.context.get(key, "unknown") for key in ("suite_version", "git_revision")))

    def ratios(self):
        """Returns {row: the ratios to the probe of those repetitions that have one}, without rows that have none.

        Raises GateError for a ratio that is no number above 0.
        """
        found = {name: [figure(row, RATIO, self.origin) for row in rows if RATIO in row]
                 for name, rows in self.rows.items()}
        return {name: ratios for name, ratios in found.items() if ratios}


def load_document(path):
    """Returns the document in a file, or that of all runs in a folder's *.json. Raises GateError.

    What differs between runs, such as where processes lie in memory, is in their repetitions then.
    """
    paths = sorted(glob.glob(os.path.join(glob.escape(path), "*.json"))) if os.path.isdir(path) else [path]
    if not paths:
        raise GateError(f"{path}: a folder without *.json")
    try:
        documents = [load(one) for one in paths]
    except Unusable as error:
        raise GateError(str(error)) from error
    whole = documents[0]
    for one, document in zip(paths, documents):
        check_build(document["context"], one)
        for key in (*OF_ONE_BUILD, *stored_report.MACHINE, *CONDITIONS):
            ours, theirs = (each["context"].get(key) for each in (whole, document))
            if ours != theirs:
                raise GateError(f"{key} is {ours!r} in {paths[0]}, {theirs!r} in {one}")
    return {**whole, **{key: [row for document in documents for row in document.get(key, [])]
                        for key in ("benchmarks", "errors")}}


def load_side(path, pattern):
    """Returns the Side in a file or folder, with the rows whose names match `pattern`. Raises GateError."""
    document = load_document(path)
    judged = [row for row in document["benchmarks"] + document["errors"]
              if re.search(pattern, row["name"]) and row.get("run_type") != "aggregate"]
    rows = {}
    for row in judged:
        if row.get("error_occurred") or "message" in row:
            said = str(row.get("message", row.get("error_message"))).split("\n", maxsplit=1)[0]
            raise GateError(f"{path}: {row['name']} ended in an error: {said}")
        if reason := too_few_answers(row):
            raise GateError(f"{path}: {row['name']}: {reason}")
        rows.setdefault(row["name"], []).append(row)
    if not rows:
        raise GateError(f"{path}: no row to judge")
    for name, repetitions in rows.items():
        if len(labels := {label_of(row) for row in repetitions}) > 1:
            raise GateError(f"{path}: {name}: measured as {' and '.join(map(repr, sorted(labels)))}")
    return Side(path, document, rows)


def check_comparable(base, head):
    """Raises Unfit for results of two machines, and GateError for those of different kinds of runs."""
    for keys, error in ((stored_report.MACHINE, Unfit), (CONDITIONS, GateError)):
        for key in keys:
            ours, theirs = base.context.get(key), head.context.get(key)
            if ours != theirs:
                raise error(f"{key} is {ours!r} in {base.origin}, {theirs!r} in {head.origin}")


def missing_rows(base, head, acknowledged):
    """Returns rows that only one side has, as changes. Raises GateError unless they are acknowledged."""
    changes, _ = exact.acknowledge(exact.row_changes(base.rows, head.rows), acknowledged)
    for change in changes:
        if not change.why:
            side = base if change.new == exact.ABSENT else head
            raise GateError(f"only in {side.origin}: {change.row}")
    return changes


def share_disturbed(rows):
    """Returns the share of repetitions in which the row did not have the machine to itself."""
    kinds = [{doubt.partition(":")[0] for doubt in doubts_of(row).split(",")} for row in rows]
    return sum(not doubts.isdisjoint(DISTURBED) for doubts in kinds) / len(rows)


def exact_figures(origin, rows):
    """Returns {figure: the values that it has in the repetitions}. Raises GateError."""
    values = {}
    try:
        for row in rows:
            for name, value in exact.figures_of(row).items():
                values.setdefault(name, set()).add(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise GateError(f"{origin}: {rows[0]['name']}: an exact figure is not a number: {error}") from error
    return values


@dataclass
class ExactOfRow:
    """The exact figures of a row of two results.

    It holds the changes, the names of figures that repeat in base and only sometimes in head, and how many
    figures could be compared and could not.
    """
    changes: list
    unsettled: list
    compared: int = 0
    skipped: int = 0


def compare_exact(name, base, head, ledger):
    """Returns the ExactOfRow of two (origin, rows). Raises GateError if head lacks what base has."""
    old, new = (exact_figures(*side) for side in (base, head))
    of_the_ledger = {*exact.OF_THE_LEDGER, exact.REGULAR}
    if not ledger:
        old, new = ({item: values for item, values in side.items() if item not in of_the_ledger} for side in (old, new))
    if lost := sorted(set(old) - set(new)):
        raise GateError(f"{head[0]}: {name} has no {lost[0]}, which base has" +
                        (": measure it with --ledger" if lost[0] in of_the_ledger else ""))
    if of_the_ledger & set(new) and not of_the_ledger & set(old):
        raise GateError(f"{base[0]}: {name} has no figure of the ledger, which head has: measure it with --ledger")
    regular = all(figures.get(exact.REGULAR, {1}) == {1} for figures in (old, new))
    same_calls = len({row.get("iterations") for row in base[1] + head[1]}) == 1

    def comparable(item):
        if len(old.get(item, ())) != 1:
            return False
        if item in of_the_ledger:  # counted in a separate pass
            return regular or item == exact.REGULAR
        # rpyc numbers its requests, and a longer number takes more bytes. A mean therefore depends on how many
        # calls there was time for, unless it is whole on both sides and each call cost the same.
        return same_calls or all(value.is_integer() for value in old[item] | new[item])

    names = sorted(set(old) | set(new))
    compared = list(filter(comparable, names))
    found = ExactOfRow([], [], len(compared), len(names) - len(compared))
    for item in compared:
        (before,), after = old[item], new[item]
        if before not in after:
            found.changes.append(exact.Change(name, item, before, *after) if len(after) == 1 else
                                 exact.Change(name, item, before, exact.IRREGULAR))
        elif len(after) > 1:
            found.unsettled.append(item)
    return found


@dataclass
class StoredResult(GateResult):
    """The result of a gate of two stored results.

    `base` and `head` are Sides. `rows` has the Judged of each row that has ratios, and that of all native rows.
    `ratios` are those that were judged, of base and of head. `figures` counts what the exact tier judges.
    """
    ratios: tuple = ({}, {})
    unpaired: list = field(default_factory=list)  # names of rows that lack ratios on a side
    figures: int = 0
    skipped_figures: int = 0
    unsettled: list = field(default_factory=list)  # (row, figure)

    @property
    def unsettled_in_head(self):
        return self.unsettled

    @property
    def timed(self):
        """The rows, because each of them is a figure."""
        return self.rows


def judge_ratios(result, names):
    """Adds to the StoredResult what the ratios of these rows show. Raises GateError if no row has any."""
    base, head = (side.ratios() for side in (result.base, result.head))
    paired = [name for name in names if name in base and name in head]
    result.unpaired = [name for name in names if name not in paired]
    if names and not paired:
        raise GateError(f"no row has {RATIO} in both results: measure both with this version's bench_all, without "
                        "--no_pairs")
    if result.unpaired:
        result.notes.append(f"{len(result.unpaired)} of {len(names)} rows have no {RATIO} in both results, so their "
                            "times are not judged")
    disturbed = {name: max(share_disturbed(side.rows[name]) for side in (result.base, result.head)) for name in paired}
    quiet = [name for name in paired if disturbed[name] <= MOST_DISTURBED]
    result.ratios = tuple({name: side[name] for name in quiet} for side in (base, head))
    result.rows = judge(*result.ratios, result.settings) + [
        Judged(name, result.settings.stored_rule(name),
               reason=f"other work took CPU time in {disturbed[name]:.0%} of a side's repetitions")
        for name in paired if name not in quiet]


def compare(options, settings):
    """Returns the StoredResult of options.results. Raises GateError and Unfit."""
    base, head = (load_side(path, options.rows) for path in options.results)
    check_comparable(base, head)
    known = acknowledged_since(REPOSITORY, settings.acknowledged, exact.load_acknowledged(settings.acknowledged),
                               str(base.context.get("git_revision", "")).removesuffix("+dirty"))
    acknowledged = known.entries
    result = StoredResult(base, head, settings, changes=missing_rows(base, head, acknowledged), stale=known.stale)
    result.notes += known.notes
    old, new = (side.context.get("environment", "") for side in (base, head))
    if old != new:
        result.notes.append(f"variables that change what programs cost: base ran with {old!r}, head with {new!r}")
    names = [name for name in base.rows if name in head.rows]
    if not names:
        raise GateError("the two results have no row in common")
    result.notes += settings.idle_stored_rules(names)
    found = []
    for name in names:
        sides = [(side.origin, side.rows[name]) for side in (base, head)]
        check_same(*(rows[0] for _, rows in sides))
        if settings.is_exact(name):
            ledger = not (settings.without_ledger and re.search(settings.without_ledger, name))
            of_row = compare_exact(name, *sides, ledger)
            found += of_row.changes
            result.unsettled += [(name, item) for item in of_row.unsettled]
            result.figures += of_row.compared
            result.skipped_figures += of_row.skipped
    result.changes += exact.acknowledge(found, acknowledged)[0]
    judge_ratios(result, [name for name in names if not settings.leaves_out(name)])
    return result


def gate_stored(options, settings, command):
    """Compares options.results, writes the reports and returns the StoredResult. Raises GateError and Unfit."""
    result = compare(options, settings)
    stored_report.write_all(options.out, result, command)
    return result
