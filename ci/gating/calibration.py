"""Measures how often gates on this machine are wrong, from a long run of blocks of one build against itself.

Virtual gates are drawn from that run. A stretch of it with fresh coins is what another gate would have
measured. With a constant added, it is what a gate would have measured of a slower head. With `--relink` the
head is the same objects in another order, which shows what layout alone does to a time. With `--inject` its
server is slower by a known amount, which shows whether the replays' promise is kept.
"""

import json
import math
import random
import time

import numpy as np

from . import reports
from .sequential import detectable, replay
from .timing import Blocks, Residents
from .verdict import Machine

FILES = ("calibration.json", "CALIBRATION.md")
CAUGHT_IN = 0.95  # share of gates
GATES_A_TRIAL = 2000  # in the search for the smallest slowdown


def measure(base, head, rows, flags, injection, settings, options, tell):
    """Adds options.blocks blocks to each row, whatever they show."""
    with Residents(flags) as residents:
        blocks = Blocks(residents, base, head, None, random.Random(options.seed), settings)
        if injection:
            for row in rows:
                injection.give(row, blocks.probe)
        begin = time.monotonic()
        for number in range(1, options.blocks + 1):
            residents.close()
            for row in rows:
                row.add(blocks.measure(row))
            left = (time.monotonic() - begin) / number * (options.blocks - number)
            tell(f"round {number} of {options.blocks}, {left / 60:.0f} min left")


def figures_of_gates(timed, inject, same, settings, gates, rng):
    """Returns what a TimedFigure's blocks say about gates, and the virtual gates' alarms as an array.

    Coins may turn blocks only if both sides are the `same`.
    """
    blocks = timed.test.blocks
    alarms, passes, needed = replay(timed.limits, blocks, gates, settings.max_blocks, rng=rng, coins=same)
    found = {
        "row": timed.name, "statistic": timed.rule.statistic, "blocks": len(blocks),
        "tolerated": timed.rule.tolerated, "caught": timed.rule.caught,
        "change": timed.change, "interval": list(timed.interval), "noise": timed.test.noise,
        "false_alarms": int(alarms.sum()), "passes": float(passes.mean()),
        "blocks_needed": float(np.median(needed)),
        "detectable": detectable(timed.limits, blocks, settings.max_blocks, CAUGHT_IN, GATES_A_TRIAL, rng),
    }
    if inject:
        centred = np.asarray(blocks) - np.median(blocks)
        promised = replay(timed.limits, centred, gates, settings.max_blocks,
                          math.log1p(timed.injected_share or 0), rng)[0]
        found |= {"inject": inject, "injected": timed.injected_share,
                  "caught_in_replays": float(alarms.mean()), "promised": float(promised.mean()),
                  "false_alarms": 0}
        alarms = np.zeros_like(alarms)  # none of them would be false
    return found, alarms


def calibrate(base, head, rows, flags, injection, settings, options, tell):
    """Measures, replays and writes FILES to options.out. Returns whether the bound on false alarms held."""
    machine = Machine()
    measure(base, head, rows, flags, injection, settings, options, tell)
    rng = np.random.default_rng(options.seed)
    figures, any_alarm = [], np.zeros(options.gates, bool)
    for row in rows:
        same = not (options.relink or row.inject)
        for timed in row.figures:
            found, alarms = figures_of_gates(timed, row.inject, same, settings, options.gates, rng)
            figures.append(found)
            any_alarm |= alarms
    document = {
        "format": reports.FORMAT, "seed": options.seed, "machine": machine.facts(),
        "base": base.version, "head": head.version, "relinked": options.relink,
        "gates": options.gates, "false_alarms_allowed": settings.false_alarms,
        "gates_with_a_false_alarm": int(any_alarm.sum()), "rows": figures,
        "measured": [{"row": timed.name, "statistic": timed.rule.statistic, "blocks": timed.test.blocks}
                     for row in rows for timed in row.figures],
    }
    reports.write(options.out, "calibration.json", json.dumps(document, indent=1) + "\n")
    reports.write(options.out, "CALIBRATION.md", page(document))
    return document["gates_with_a_false_alarm"] <= most_alarms(settings.false_alarms, options.gates)


def most_alarms(rate, gates):
    """Returns the number of alarms that 99.9 % of runs do not exceed if the true rate is the allowed one."""
    mean = rate * gates
    return mean + 3.1 * math.sqrt(mean) + 1


def page(document):
    """Returns the page in Markdown."""
    injected = any("inject" in row for row in document["rows"])
    lines = [
        "# Calibration", "",
        f"{document['base']}, " + ("relinked" if document["relinked"] else "against itself") +
        (", its server slowed down" if injected else "") + f"; {document['gates']} virtual gates of "
        f"{len(document['rows'])} rows each.", "",
        f"Gates with a false alarm: **{document['gates_with_a_false_alarm']}** of {document['gates']} "
        f"(allowed: a share of {document['false_alarms_allowed']}).", "",
        ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in document["machine"].items()), ""]
    head = "| row | blocks | change | 95 % interval | noise of a block | blocks to decide | caught in 95 % |"
    rule = "|---|--:|--:|:-:|--:|--:|--:|"
    if injected:
        head, rule = head + " injected | replays that caught it | promised |", rule + "--:|--:|--:|"
    lines += [head, rule]
    for row in document["rows"]:
        low, high = row["interval"]
        least = row["detectable"]
        cells = [f"{row['row']} ({row['statistic']})", row["blocks"], reports.percent(row["change"], 2),
                 f"{reports.percent(low, 2)} … {reports.percent(high, 2)}",
                 f"{100 * row['noise']:.2f} %", f"{row['blocks_needed']:.0f}",
                 reports.percent(least) if least else "nothing"]
        if injected:
            cells += [row["inject"] if row["injected"] is None else
                      f"{reports.percent(row['injected'], 2)} ({row['inject']})",
                      f"{100 * row['caught_in_replays']:.1f} %", f"{100 * row['promised']:.1f} %"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"
