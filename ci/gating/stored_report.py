"""Writes the files of a gate of two stored results: the same as for two builds, with a summary of their lower worth."""

import json
import math

from common.escaping import escaped  # in tools/

from .ratios import ALL
from .reports import FORMAT, HEADLINES, changes_section, percent, write
from .rows import doubts_of
from .settings import StoredRule
from .verdict import INCONCLUSIVE, PASS, REGRESSION

MACHINE = ("host_name", "cpu_model", "num_cpus", "kernel")


def write_all(folder, result, command):
    """Writes all reports; `command` repeats the gate."""
    write(folder, "gate.json", json.dumps(gate_document(result, command), indent=1) + "\n")
    for name in ("base", "head"):
        write(folder, f"{name}.json", json.dumps(getattr(result, name).document, indent=1) + "\n")
    write(folder, "SUMMARY.md", summary(result, command))


def row_entry(row, result):
    """Returns the entry of a Judged in gate.json; a bound or change that is unknown is null."""
    change, low, high = (share if math.isfinite(share) else None for share in (row.change, row.low, row.high))
    return {"row": row.name, "statistic": row.rule.statistic, "verdict": row.verdict, "reason": row.reason,
            "change": change, "interval": [low, high], "tolerated": row.rule.tolerated, "limit": row.rule.limit,
            "doubtful": _doubtful(row, result),
            "measured": {name: side.get(row.name, []) for name, side in zip(("base", "head"), result.ratios)}}


def _doubtful(row, result):
    return any(map(doubts_of, (*result.base.rows.get(row.name, ()), *result.head.rows.get(row.name, ()))))


def gate_document(result, command):
    """Returns the content of gate.json."""
    return {
        "format": FORMAT, "verdict": result.verdict, "command": command,
        **{name: {"version": side.version, "origin": side.origin, "date": side.context.get("date")}
           for name, side in (("base", result.base), ("head", result.head))},
        "machine": {key: result.base.context.get(key) for key in MACHINE},
        "stored": {"false_alarms": result.settings.stored_false_alarms, "unpaired": result.unpaired,
                   "rows": [row_entry(row, result) for row in result.rows]},
        "exact": {"unsettled_in_head": [{"row": row, "figure": figure} for row, figure in result.unsettled],
                  "figures": result.figures, "skipped": result.skipped_figures,
                  "changes": [vars(change) for change in result.changes]},
    }


def _table(rows, result):
    lines = ["| row | change | at least | at most | limit | verdict |", "|---|--:|--:|--:|--:|---|"]
    for row in rows:
        shares = [percent(share) if math.isfinite(share) else "?" for share in (row.change, row.low, row.high)]
        lines.append(f"| {escaped(row.name)}{' ¹' if _doubtful(row, result) else ''} | {' | '.join(shares)} "
                     f"| {percent(row.rule.limit)} | {row.verdict}{row.reason and ': ' + row.reason} |")
    return lines


def _all_rows(result):
    """Returns the line about all native rows together."""
    together = [row for row in result.rows if row.name == ALL]
    if not together:
        return "All native rows together are not judged, because these are too few."
    row, = together
    return (f"All native rows together: {percent(row.change)}, at least {percent(row.low)}, at most "
            f"{percent(row.high)}: **{row.verdict}**.")


def summary(result, command):
    """Returns the content of SUMMARY.md."""
    settings = result.settings
    lines = [f"# Gate of stored results: {result.verdict}", "", HEADLINES[result.verdict], "",
             "**This is the weaker way; the one to trust is `ci/gate --base … --head …`.** These two results were "
             f"measured one after the other, so only ratios to a probe ({StoredRule.statistic}) compare. Two runs of "
             "one build differ in them by more than their repetitions show, so all bounds reach further by what is "
             "tolerated. A row is slower if even its lower bound is above 0, and passes if its upper bound is below "
             f"the limit. The chance of a false alarm is {settings.stored_false_alarms}, shared by the rows, and "
             f"{settings.false_alarms} for all native rows together.", "", _all_rows(result), ""]
    for title, side in (("Base", result.base), ("Head", result.head)):
        facts = (side.version, side.origin, side.context.get("date", "undated"))
        lines.append(f"{title}: {', '.join(map(escaped, facts))}  ")
    lines.append("")
    for title, verdict in (("Slower", REGRESSION), ("Neither slower nor cleared", INCONCLUSIVE)):
        if rows := result.timed_with(verdict):
            lines += [f"## {title}", "", *_table(rows, result), ""]
    lines += changes_section(result)
    lines += ["## Machine", "",
              ", ".join(f"{key.replace('_', ' ')} {escaped(result.base.context.get(key))}" for key in MACHINE), "",
              f"Exact figures: {result.figures} were compared; {result.skipped_figures} were not, because one "
              "side lacks them, repetitions disagree, or they depend on how many calls there was time for."]
    if result.notes:
        lines += ["", *(f"- {escaped(note)}" for note in result.notes)]
    if passed := result.timed_with(PASS):
        lines += ["", "<details><summary>Rows that passed</summary>", "", *_table(passed, result), "", "</details>"]
    lines += ["", "¹ Some repetitions have doubts; their labels in base.json and head.json name them. "
              "Change: of the cost of a call as a multiple of the probe's, as Hodges and Lehmann estimate it, also for "
              "rows about a rate; above 0 is worse. At least: the change is below that with the probability of a false "
              f"alarm. At most: above that with a probability of {settings.missed}.", "", f"Again: `{command}`", ""]
    return "\n".join(lines)
