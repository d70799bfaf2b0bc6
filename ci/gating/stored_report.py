"""Writes the files of a gate of two stored results: the same as for two builds, with a summary of their lower worth."""

import json
import math

from .reports import FORMAT, HEADLINES, changes_section, percent, write
from .verdict import INCONCLUSIVE, PASS, REGRESSION

MACHINE = ("host_name", "cpu_model", "num_cpus", "kernel")


def write_all(folder, result, command):
    """Writes all reports; `command` repeats the gate."""
    write(folder, "gate.json", json.dumps(gate_document(result, command), indent=1) + "\n")
    for name in ("base", "head"):
        write(folder, f"{name}.json", json.dumps(getattr(result, name).document, indent=1) + "\n")
    write(folder, "SUMMARY.md", summary(result, command))


def row_entry(row):
    """Returns the entry of a StoredRow in gate.json."""
    return {"row": row.name, "statistic": row.rule.statistic, "verdict": row.verdict, "reason": row.reason,
            "change": row.change,
            "interval": [bound if math.isfinite(bound) else None for bound in (row.low, row.high)],
            "p": row.p, "limit": row.rule.stored_limit, "doubtful": row.doubtful,
            "measured": {"base": row.base, "head": row.head}}


def gate_document(result, command):
    """Returns the content of gate.json."""
    return {
        "format": FORMAT, "verdict": result.verdict, "command": command,
        **{name: {"version": side.version, "origin": side.origin, "date": side.context.get("date")}
           for name, side in (("base", result.base), ("head", result.head))},
        "machine": {key: result.base.context.get(key) for key in MACHINE},
        "stored": {"false_alarms": result.settings.stored_false_alarms,
                   "rows": [row_entry(row) for row in result.rows]},
        "exact": {"unsettled_in_head": [{"row": row, "figure": figure} for row, figure in result.unsettled],
                  "figures": result.figures, "skipped": result.skipped_figures,
                  "changes": [vars(change) for change in result.changes]},
    }


def _table(rows):
    lines = ["| row | change | 95 % interval | p | limit | verdict |", "|---|--:|:-:|--:|--:|---|"]
    for row in rows:
        lines.append(
            f"| {row.name} ({row.rule.statistic}){' ¹' if row.doubtful else ''} | {percent(row.change)} "
            f"| {percent(row.low)} … {percent(row.high)} | {'' if row.p is None else f'{row.p:.2g}'} "
            f"| {percent(row.rule.stored_limit)} | {row.verdict}{row.reason and ': ' + row.reason} |")
    return lines


def summary(result, command):
    """Returns the content of SUMMARY.md."""
    level = result.settings.stored_false_alarms / max(result.judged_rows, 1)
    lines = [f"# Gate of stored results: {result.verdict}", "", HEADLINES[result.verdict], "",
             "**This is the weaker way; the one to trust is `ci/gate --base … --head …`.** These two results "
             "were measured one after the other, and what the machine did meanwhile looks like a change of "
             "the suite: the U test of compare.py alone, at 0.05, alarmed in 5–39 % of pairs of identical "
             f"builds. So a row counts as slower only if its p value is below {level:.2g} "
             f"({result.settings.stored_false_alarms} shared by {result.judged_rows} rows) and its change is "
             "beyond a limit, and as no slower only if the change's whole interval is below that.", ""]
    for title, side in (("Base", result.base), ("Head", result.head)):
        lines.append(f"{title}: {side.version}, {side.origin}, {side.context.get('date', 'undated')}  ")
    lines.append("")
    for title, verdict in (("Slower", REGRESSION), ("Neither slower nor cleared", INCONCLUSIVE)):
        if rows := result.timed_with(verdict):
            lines += [f"## {title}", "", *_table(rows), ""]
    lines += changes_section(result)
    lines += ["## Machine", "",
              ", ".join(f"{key.replace('_', ' ')} {result.base.context.get(key)}" for key in MACHINE), "",
              f"Exact figures: {result.figures} were compared; {result.skipped_figures} were not, because one "
              "side lacks them, repetitions disagree, or they depend on how many calls there was time for."]
    if passed := result.timed_with(PASS):
        lines += ["", "<details><summary>Rows that passed</summary>", "", *_table(passed), "", "</details>"]
    lines += ["", "¹ Some repetitions have doubts; their labels in base.json and head.json name them. "
              "Change: of the row's statistic, or of the inverse of a rate, as Hodges and Lehmann estimate it; "
              "above 0 is worse. p: for real times, by compare.py.", "", f"Again: `{command}`", ""]
    return "\n".join(lines)
