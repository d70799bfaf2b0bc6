"""What a gate leaves behind: SUMMARY.md for people, gate.json for programs, and both sides' measurements as
files of Google Benchmark's form, which the stock compare.py reads."""

import json
import os
import tempfile

from .errors import GateError
from .rows import doubts_of
from .sequential import INCONCLUSIVE, PASS, REGRESSION
from .verdict import UNFIT

FILES = ("gate.json", "base.json", "head.json", "SUMMARY.md")  # in the order in which they are written
FORMAT = 1  # of gate.json
MOST_LISTED = 40  # changes in the summary; gate.json has all

HEADLINES = {
    PASS: "Nothing became slower by what must be caught, and no exact figure changed unacknowledged.",
    REGRESSION: "Something became slower or dearer.",
    INCONCLUSIVE: "No regression was shown, and not every row could be cleared.",
    UNFIT: "The control compares one program with itself and did not pass: this machine is not fit now.",
}


def percent(share, digits=1):
    return f"{100 * share:+.{digits}f} %"


def prepare(folder, files=FILES, inputs=()):
    """Makes the folder, and takes away what an earlier gate left, which must not pass for this one's.
    Throws GateError if there are such files that are no gate's, or are among the `inputs`."""
    written = [os.path.realpath(os.path.join(folder, name)) for name in files]
    for path in inputs:
        if os.path.realpath(path) in written:
            raise GateError(f"{path}: the gate would overwrite it; --out names another folder")
    os.makedirs(folder, exist_ok=True)
    there = [name for name in files if os.path.exists(os.path.join(folder, name))]
    if there and files[0] not in there:
        raise GateError(f"{os.path.join(folder, there[0])}: no gate's, and would be overwritten; --out names "
                        "another folder")
    for name in reversed(there):
        os.remove(os.path.join(folder, name))


def write(folder, name, text):
    """Writes a file as a whole or not at all."""
    descriptor, path = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        os.replace(path, os.path.join(folder, name))
    except BaseException:
        os.remove(path)
        raise


def write_all(folder, result, command):
    write(folder, "gate.json", json.dumps(gate_document(result, command), indent=1) + "\n")
    write(folder, "base.json", side_document(result, "base"))
    write(folder, "head.json", side_document(result, "head"))
    write(folder, "SUMMARY.md", summary(result, command))


def side_document(result, side):
    """One side's slots as the framework's document: a repetition each."""
    rows = []
    slots_of = {row.name: getattr(row, f"{side}_slots") for row in result.timed}
    if result.exact:
        for row in getattr(result.exact, f"{side}_rows"):
            if not slots_of.get(row["name"]):
                slots_of[row["name"]] = [row]
    for slots in slots_of.values():
        rows += [{**slot, "repetitions": len(slots), "repetition_index": number}
                 for number, slot in enumerate(slots)]
    build = getattr(result, side)
    context = {**build.context, "executable": build.origin}
    return json.dumps({"context": context, "benchmarks": rows}, indent=1) + "\n"


def timed_entry(row, settings):
    entry = {"row": row.name, "statistic": row.rule.statistic, "verdict": row.verdict,
             "tolerated": row.rule.tolerated, "caught": row.rule.caught, "blocks": len(row.blocks)}
    if row.inject:
        entry["inject"] = row.inject
    if row.blocks:
        log_e, log_f = row.test.evidence
        entry |= {"change": row.change, "interval": list(row.interval), "noise": row.test.noise,
                  "log_e": log_e, "log_f": log_f,
                  "detectable": row.could_catch(settings.max_blocks),
                  "measured": [{"coin": block.coin, "base": block.base, "head": block.head}
                               for block in row.blocks]}
    return entry


def gate_document(result, command):
    settings = result.settings
    document = {
        "format": FORMAT, "verdict": result.verdict, "command": command, "seed": result.seed,
        "base": {"version": result.base.version, "origin": result.base.origin},
        "head": {"version": result.head.version, "origin": result.head.origin},
        "false_alarms": settings.false_alarms, "missed": settings.missed,
        "machine": result.machine, "notes": result.notes,
        "timing": {"seconds": round(result.timing_seconds, 1),
                   "rows": [timed_entry(row, settings) for row in result.timed],
                   "control": timed_entry(result.control, settings) if result.control else None},
    }
    if result.inject:
        document["inject"] = result.inject
    if result.exact:
        document["exact"] = {
            "seconds": round(result.exact.seconds, 1), "rows": result.exact.rows,
            "figures": result.exact.figures,
            "changes": [vars(change) for change in result.changes],
            "unsettled": [{"row": row, "figure": figure} for row, figure in result.exact.unsettled],
            "acknowledged_for_nothing": [vars(entry) for entry in result.unused],
        }
    return document


def _timed_table(rows, settings):
    lines = ["| row | change | interval | verdict | blocks | could have been caught |",
             "|---|--:|:-:|---|--:|--:|"]
    for row in rows:
        if not row.blocks:
            lines.append(f"| {row.name} | | | {row.verdict} | 0 | |")
            continue
        low, high = row.interval
        least = row.could_catch(settings.max_blocks)
        doubts = {doubts_of(slot) for slot in row.base_slots + row.head_slots} - {""}
        lines.append(f"| {row.name} ({row.rule.statistic}){' ¹' if doubts else ''} | {percent(row.change)} "
                     f"| {percent(low)} … {percent(high)} | {row.verdict} | {len(row.blocks)} "
                     f"| {percent(least) if least else 'nothing'} |")
    return lines


def acknowledgement(change):
    """The entry for the file of acknowledged changes, which lacks its reason."""
    values = {key: json.dumps(getattr(change, key)) for key in ("row", "figure", "old", "new")}
    return ["[[change]]", *(f"{key} = {value}" for key, value in values.items()), 'why = ""']


def changes_section(result):
    lines = []
    for title, changes in (("Exact figures that changed", result.unacknowledged),
                           ("Acknowledged changes", [c for c in result.changes if c.why])):
        if not changes:
            continue
        lines += [f"## {title}", "", "| row | figure | base | head | why |", "|---|---|--:|--:|---|"]
        lines += [f"| {c.row} | {c.figure} | {c.old} | {c.new} | {c.why} |"
                  for c in changes[:MOST_LISTED]]
        if len(changes) > MOST_LISTED:
            lines.append(f"| … and {len(changes) - MOST_LISTED} more, in gate.json | | | | |")
        lines.append("")
    if result.unacknowledged:
        lines += ["If that is wanted, say why in the file of acknowledged changes:", "", "```toml"]
        for change in result.unacknowledged[:MOST_LISTED]:
            lines += acknowledgement(change)
        lines += ["```", ""]
    return lines


def summary(result, command):
    settings = result.settings
    lines = [f"# Gate: {result.verdict}", "", HEADLINES[result.verdict], "",
             f"Base: {result.base.version}, {result.base.origin}  ",
             f"Head: {result.head.version}, {result.head.origin}", ""]
    if result.inject:
        lines += [f"**The head's server was slowed down on purpose: {result.inject}.**", ""]
    slower = "Slower" if result.fit else "What looks slower, on a machine that is not fit"
    for title, verdict in ((slower, REGRESSION), ("Neither slower nor cleared", INCONCLUSIVE)):
        if rows := result.rows_with(verdict):
            lines += [f"## {title}", "", *_timed_table(rows, settings), ""]
    lines += changes_section(result)
    lines += ["## Control and machine", ""]
    if result.control:
        lines += [f"`{result.control.name}`, the base against a copy of itself:", "",
                  *_timed_table([result.control], settings), ""]
    lines += [", ".join(f"{key.replace('_', ' ')} {value}" for key, value in result.machine.items()), ""]
    if result.exact:
        lines += [f"Exact tier: {result.exact.figures} figures of {result.exact.rows} rows in "
                  f"{result.exact.seconds:.0f} s; {len(result.exact.unsettled)} did not repeat and were "
                  "not judged.", ""]
    if result.timed:
        lines += [f"Timing tier: {len(result.timed)} rows, "
                  f"{sum(len(row.blocks) for row in result.timed)} blocks in "
                  f"{result.timing_seconds:.0f} s. A gate of equal builds alarms with a probability of "
                  f"{settings.false_alarms} at most; a row that is slower by what must be caught passes with "
                  f"{settings.missed} at most.", ""]
    for entry in result.unused:
        lines.append(f"- no longer needed: the acknowledged change of {entry.figure} of {entry.row} from "
                     f"{entry.old} to {entry.new}")
    lines += [f"- {note}" for note in result.notes]
    if passed := result.rows_with(PASS):
        lines += ["", "<details><summary>Rows that passed</summary>", "",
                  *_timed_table(passed, settings), "", "</details>"]
    lines += ["", "¹ Some slots have doubts, which their labels in base.json and head.json tell. Change: of "
              "the time, or of the inverse of a rate; above 0 is worse. Interval: the sign test's, 95 % of a number "
              "of blocks fixed in advance, from the least to the most of fewer than six. Could have been "
              "caught: the smallest slowdown that 95 % of gates with this row's noise would find.", "",
              f"Again: `{command} --seed={result.seed}`", ""]
    return "\n".join(lines)
