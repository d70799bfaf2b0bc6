"""Compares two or more results side by side, each with the first."""

import collections
import math

from common.result_rows import NOISE, clash, too_few_answers

from ..blocks import Cell, Folded, Table, Text
from ..units import exact, micros, percent

ID = "changes"
TITLE = "Side by side"
LEAD = ("Each row's median, and how it differs from the first result: ▲ slower, ▼ faster. Rows that all "
        "results measured in pairs are compared by their ratio to the probe, as their times would be at "
        "the speed that the machine had in the first result (for a rate: the time per answer). Marks "
        "mean that the intervals of the ratios do not meet, or otherwise a change beyond the spread of "
        "repetitions, and always more than 2 %. tools/compare tests it and ci/gate decides. Exact counts "
        "appear where they changed.")
NEEDS = "The results have no row in common."
COUNTS = ("round_trips", "client_syscalls", "server_syscalls", "client_allocations",
          "server_allocations")
SHOWN = 40
OTHER_CONDITIONS = "not comparable:"
NO_ANSWERS = "not compared:"


def in_pairs(rows):
    """Returns whether all of these rows were measured in pairs."""
    return all(row.get("probe_ratio") for row in rows)


def time_of(row, paired):
    """Returns the time of a row in µs that its ratio to the probe is about, otherwise p50."""
    return row.cost if paired else row.get("p50_us")


def change(first, row, paired):
    """Returns the relative change of a row's time and whether it is beyond noise."""
    key = "probe_ratio" if paired else "p50_us"
    share = row.get(key) / first.get(key) - 1
    if paired and first.ratio_interval and row.ratio_interval:
        (low, high), (first_low, first_high) = row.ratio_interval, first.ratio_interval
        return share, abs(share) > NOISE and (high < first_low or first_high < low)
    return share, abs(share) > max(first.noise, row.noise)


def counts(first, row):
    """Returns the exact counts that both rows have and that differ."""
    if not (first.get("ledger_exact") == row.get("ledger_exact") == 1):
        names = COUNTS[:1]
    else:
        names = COUNTS
    return [f"{name} {exact(first.get(name))} → {exact(row.get(name))}" for name in names
            if None not in (first.get(name), row.get(name)) and first.get(name) != row.get(name)]


def cell(first, row, paired):
    """Returns the cell of a later result and the size of the change that it marks."""
    if row is None:
        return Cell("–"), 0.0
    if other := clash(row.labels, first.labels):
        return Cell(f"{micros(row.get('p50_us'))} {OTHER_CONDITIONS} {' '.join(other)}",
                    mark="doubt"), 0.0
    if reason := too_few_answers(row.counters) or too_few_answers(first.counters):
        return Cell(f"{micros(row.get('p50_us'))} {NO_ANSWERS} {reason}", mark="doubt"), 0.0
    share, marked = change(first, row, paired)
    text = f"{micros(time_of(first, paired) * (1 + share))} {percent(share)}"
    if not marked:
        return Cell(text), 0.0
    mark, sign = ("worse", "▲") if share > 0 else ("better", "▼")
    return Cell(f"{text} {sign}", max(-1.0, min(1.0, share)), mark=mark), abs(math.log1p(share))


def compared(results):
    """Returns (size of the change, cells) for each row that the first and another result have."""
    lines = []
    several = collections.Counter(row.name for row in results[0].rows)
    for first in results[0].rows:
        others = [result.find(first.name, first.labels) or result.find(first.name, {})
                  for result in results[1:]]
        if not any(others):
            continue
        name = first.name if several[first.name] == 1 else " ".join(
            [first.name, *(f"{key}={value}" for key, value in first.labels.items())])
        paired = in_pairs([first, *filter(None, others)])
        cells, sizes = zip(*(cell(first, row, paired) for row in others))
        different = dict.fromkeys(text for row in others if row and not clash(
            row.labels, first.labels) for text in counts(first, row))
        lines.append((max(sizes) + len(different),
                      [Cell(name), Cell(micros(time_of(first, paired))), *cells,
                       Cell(", ".join(different))]))
    return lines


def blocks(results):
    lines = compared(results)
    if not lines:
        return []
    head = ["row", *(result.title for result in results), "counts"]
    words = (len(head) - 1,)
    changed = [line for size, line in sorted(lines, key=lambda line: -line[0]) if size > 0]
    other = sum(any(OTHER_CONDITIONS in cell.text for cell in line) for _, line in lines)
    conditions = f", {other} measured under different conditions" if other else ""
    found = [Text(f"{len(lines)} rows in common, {len(changed)} changed{conditions}.")]
    if changed:
        found.append(Table(head, changed[:SHOWN], picture="changes", title="What changed",
                           words=words))
    found.append(Folded(f"All rows: {len(lines)}",
                        [Table(head, [line for _, line in lines], words=words)]))
    only = [[Cell(result.title), Cell(name)] for result in results
            for name in dict.fromkeys(row.name for row in result.rows)
            if sum(other.find(name, {}) is not None for other in results) == 1]
    if only:
        found.append(Folded(f"Rows of only one result: {len(only)}",
                            [Table(["result", "row"], only, words=(1,))]))
    return found
