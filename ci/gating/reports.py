"""Writes a gate's files: SUMMARY.md for people, gate.json for programs, and the measurements of both sides.

The measurements are in Google Benchmark's form, which the stock compare.py reads.
"""

import contextlib
import json
import os
import tempfile

from common.escaping import escaped  # in tools/

from . import exact, journal
from .errors import GateError
from .layers import layers_of, looks_slower
from .rows import doubts_of
from .sequential import INCONCLUSIVE, PASS, REGRESSION
from .verdict import UNFIT

FILES = ("gate.json", "base.json", "head.json", "SUMMARY.md")  # in the order in which they are written
FORMAT = 1  # version of gate.json
MOST_LISTED = 40  # changes in the summary; gate.json has all of them

HEADLINES = {
    PASS: "No row became slower by what must be caught, and no exact figure changed without acknowledgement.",
    REGRESSION: "Something became slower or more expensive.",
    INCONCLUSIVE: "No regression was shown, but not every row could be cleared.",
    UNFIT: "The control compares one program with itself and did not pass: this machine is not fit now.",
}
ADVICE = {
    INCONCLUSIVE: "What to do: run the gate again on a quieter machine, or give it more time (`timing_seconds`). A row "
    "that stays undecided on a quiet machine has changed by about what must be caught: look at its interval, and judge "
    "it alone (`--rows`). An exact figure that repeats only in base has become irregular: find out what varies between "
    "its calls.",
    UNFIT: "What to do: stop what else runs on this machine, or use another one; two CPUs that nobody else uses are "
    "enough. The exact tier works on any machine (`--tier=exact`).",
}


def percent(share, digits=1):
    return f"{100 * share:+.{digits}f} %"


def prepare(folder, files=FILES, inputs=(), keep=()):
    """Makes the folder and removes what an earlier gate left, except `keep`, so that it cannot pass for this gate's.

    Raises GateError if a file there is not a gate's, or is among the `inputs`.
    """
    written = [os.path.realpath(os.path.join(folder, name)) for name in files]
    for path in inputs:
        if os.path.realpath(path) in (*written, os.path.realpath(folder)):
            raise GateError(f"{path}: the gate would overwrite it; give another folder with --out")
    os.makedirs(folder, exist_ok=True)
    there = [name for name in files if os.path.exists(os.path.join(folder, name))]
    if there and files[0] not in there:
        raise GateError(f"{os.path.join(folder, there[0])}: not a gate's file, and would be overwritten; give another "
                        "folder with --out")
    for name in [*reversed(there), journal.NAME]:
        if name not in keep:
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(folder, name))


def write(folder, name, text):
    """Writes a file as a whole or not at all."""
    descriptor, path = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        # Under a locale of ASCII, other characters of a path are surrogates.
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        os.chmod(path, 0o644)
        os.replace(path, os.path.join(folder, name))
    except BaseException:
        os.remove(path)
        raise


def write_all(folder, result, command):
    """Writes all reports of a gate of two builds; `command` repeats it."""
    write(folder, "gate.json", json.dumps(gate_document(result, command), indent=1) + "\n")
    write(folder, "base.json", side_document(result, "base"))
    write(folder, "head.json", side_document(result, "head"))
    write(folder, "SUMMARY.md", summary(result, command))


def side_document(result, side):
    """Returns one side's slots as a document of Google Benchmark, one repetition each."""
    rows = []
    slots_of = {row.name: getattr(row, f"{side}_slots") for row in result.rows}
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


def timed_entries(row, settings):
    """Yields the entries of a TimedRow's figures."""
    for timed in row.figures:
        entry = {"row": row.name, "statistic": timed.rule.statistic, "of_slots": timed.rule.of_slots,
                 "verdict": timed.verdict, "tolerated": timed.rule.tolerated, "caught": timed.rule.caught,
                 "blocks": len(timed.blocks)}
        if row.inject:
            entry["inject"] = row.inject
        if timed.blocks:
            log_e, log_f = timed.test.evidence
            entry |= {"change": timed.change, "interval": list(timed.interval), "noise": timed.test.noise,
                      "log_e": log_e, "log_f": log_f, "detectable": timed.could_catch(settings.max_blocks),
                      "measured": [{"coin": coin, "base": block.base, "head": block.head}
                                   for coin, block in zip(row.coins, timed.blocks)]}
        yield entry


def gate_document(result, command):
    """Returns the content of gate.json."""
    settings = result.settings
    document = {
        "format": FORMAT, "verdict": result.verdict, "command": command, "seed": result.seed,
        "base": {"version": result.base.version, "origin": result.base.origin},
        "head": {"version": result.head.version, "origin": result.head.origin},
        "false_alarms": settings.false_alarms, "missed": settings.missed,
        "machine": result.machine, "notes": result.notes,
        "timing": {"seconds": round(result.timing_seconds, 1),
                   "alarms": result.alarms,
                   "layers": [layer._asdict() for layer in layers_of(result.rows)],
                   "rows": [entry for row in result.rows for entry in timed_entries(row, settings)],
                   "control": next(timed_entries(result.control, settings)) if result.control else None},
    }
    if result.inject:
        document["inject"] = result.inject
    if result.exact:
        document["exact"] = {
            "seconds": round(result.exact.seconds, 1), "rows": result.exact.rows,
            "figures": result.exact.figures,
            "changes": [vars(change) for change in result.changes],
            "unsettled": [{"row": row, "figure": figure} for row, figure in result.exact.unsettled],
            "unsettled_in_head": [{"row": row, "figure": figure} for row, figure in result.unsettled_in_head],
            "acknowledged_for_nothing": [vars(entry) for entry in result.unused],
        }
    return document


def _timed_table(rows, settings, wanted=lambda timed: True):
    """Returns a table of the figures of the TimedRows that are `wanted`."""
    lines = ["| row | change | interval | verdict | blocks | could have been caught |",
             "|---|--:|:-:|---|--:|--:|"]
    for row in rows:
        doubts = {doubts_of(slot) for slot in row.base_slots + row.head_slots} - {""}
        for timed in filter(wanted, row.figures):
            if not timed.blocks:
                lines.append(f"| {row.name} ({timed.rule.statistic}) | | | {timed.verdict} | 0 | |")
                continue
            low, high = timed.interval
            least = timed.could_catch(settings.max_blocks)
            lines.append(f"| {row.name} ({timed.rule.statistic}){' ¹' if doubts else ''} | {percent(timed.change)} "
                         f"| {percent(low)} … {percent(high)} | {timed.verdict} | {len(timed.blocks)} "
                         f"| {percent(least) if least else 'nothing'} |")
    return lines


def _timed_sections(result):
    """Returns the sections about rows that are slower, rows that are not cleared, and their layers."""
    slower = [row for row in result.rows if looks_slower(row) and (result.alarms or row.verdict == REGRESSION)]
    undecided = [row for row in result.rows if row.verdict == INCONCLUSIVE and row not in slower]
    lines = []
    if slower and not all(row.verdict == REGRESSION for row in slower):
        lines += [f"{len(slower)} of {len(result.rows)} rows look slower. Together they are a regression, though there "
                  "was no time to show it for each of them.", ""]
    if (slower or undecided) and len(result.rows) > 1:
        lines += ["## By layer", "", "| layer | look slower | of rows | their median change |", "|---|--:|--:|--:|",
                  *(f"| {layer.name} | {layer.slower} | {layer.rows} | {percent(layer.change)} |"
                    for layer in layers_of(result.rows)), ""]
    for title, rows in (("Slower" if result.fit else "What looks slower, on a machine that is not fit", slower),
                        ("Neither slower nor cleared", undecided)):
        if rows:
            lines += [f"## {title}", "", *_timed_table(rows, result.settings, lambda timed: timed.verdict != PASS), ""]
    return lines


def acknowledgement(change):
    """Returns the entry for the file of acknowledged changes, without its reason."""
    values = {key: json.dumps(getattr(change, key)) for key in ("row", "figure", "old", "new")}
    return ["[[change]]", *(f"{key} = {value}" for key, value in values.items()), 'why = ""']


def changes_section(result):
    """Returns the sections about exact figures that changed."""
    lines = []
    for title, changes in (("Exact figures that changed", result.unacknowledged),
                           ("Acknowledged changes", [c for c in result.changes if c.why])):
        if not changes:
            continue
        lines += [f"## {title}", "", "| row | figure | base | head | why |", "|---|---|--:|--:|---|"]
        lines += [f"| {escaped(c.row)} | {escaped(c.figure)} | {escaped(c.old)} | {escaped(c.new)} | {escaped(c.why)} |"
                  for c in changes[:MOST_LISTED]]
        if len(changes) > MOST_LISTED:
            lines.append(f"| … and {len(changes) - MOST_LISTED} more, in gate.json | | | | |")
        lines.append("")
    if result.unacknowledged:
        lines += ["If that is intended, give the reason in the file of acknowledged changes:", "", "```toml"]
        for change in result.unacknowledged[:MOST_LISTED]:
            lines += acknowledgement(change)
        lines += ["```", ""]
        if any(exact.covers(entry, change.row) and entry.figure == change.figure
               for entry in result.stale for change in result.unacknowledged):
            lines += ["An entry that base's file also has was for a change before base, and does not count again: "
                      "give a new reason.", ""]
    if result.unsettled_in_head:
        lines += ["## Exact figures that repeat in base only", "",
                  *(f"- {row}: {figure}" for row, figure in result.unsettled_in_head[:MOST_LISTED]), ""]
    return lines


def summary(result, command):
    """Returns the content of SUMMARY.md."""
    settings = result.settings
    lines = [f"# Gate: {result.verdict}", "", HEADLINES[result.verdict], "",
             f"Base: {result.base.version}, {result.base.origin}  ",
             f"Head: {result.head.version}, {result.head.origin}", ""]
    if result.inject:
        lines += [f"**The head's server was slowed down on purpose: {result.inject}.**", ""]
    if result.verdict in ADVICE:
        lines += [ADVICE[result.verdict], ""]
    lines += _timed_sections(result)
    lines += changes_section(result)
    lines += ["## Control and machine", ""]
    if result.control:
        lines += [f"`{result.control.name}`, the base against a copy of itself:", "",
                  *_timed_table([result.control], settings), ""]
    lines += [", ".join(f"{key.replace('_', ' ')} {value}" for key, value in result.machine.items()), ""]
    if result.exact:
        lines += [f"Exact tier: {result.exact.figures} figures of {result.exact.rows} rows in "
                  f"{result.exact.seconds:.0f} s; {len(result.exact.unsettled)} did not repeat in "
                  "base, so that the gate only looked for a change beyond that.", ""]
    if result.rows:
        lines += [f"Timing tier: {len(result.rows)} rows, {len(result.timed)} figures, "
                  f"{sum(len(row.coins) for row in result.rows)} blocks in "
                  f"{result.timing_seconds:.0f} s. A gate of equal builds gives a false alarm with a probability of "
                  f"at most {settings.false_alarms}. A row that is slower by what must be caught passes with a "
                  f"probability of at most {settings.missed}.", ""]
    for entry in result.unused:
        lines.append(f"- no longer needed: the acknowledged change of {entry.figure} of {entry.row} from "
                     f"{entry.old} to {entry.new}")
    lines += [f"- {escaped(note)}" for note in result.notes]
    if passed := [row for row in result.rows if row.verdict == PASS]:
        lines += ["", "<details><summary>Rows that passed</summary>", "",
                  *_timed_table(passed, settings), "", "</details>"]
    lines += ["", "¹ Some slots have doubts; their labels in base.json and head.json name them. Change: of "
              "the time, or of the inverse of a rate; above 0 is worse. Interval: the sign test's, 95 % for a number "
              "of blocks fixed in advance; with fewer than six, from the least to the most. Could have been "
              "caught: the smallest slowdown that 95 % of gates with this row's noise would find.", "",
              f"Again: `{command} --seed={result.seed}`", ""]
    return "\n".join(lines)
