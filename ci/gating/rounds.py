"""The timing tier's order of measuring: round by round, until every row is decided or the time is over.

At first every row that is undecided gets a block in turn. When what is left of the time would no longer take the rows
that look slowest to an alarm, only those are measured, as many as the time is enough for. That keeps the bound on
false alarms, for who is measured next depends on the past alone (sequential.py).
"""

import itertools
import math
import random
import time

from .sequential import INCONCLUSIVE, MOST_WON, log_mean

SUSPECT = math.log(20)  # ln E from which on a figure looks slower: 1 in 20 at most are not
SUSPECTS = 8  # rows that are worth keeping time for
SLACK = 1.25  # blocks that a row needs, over those that it would need if it won every bet
LONGEST_ROUND = 1 / 12  # of all time, so that the control, with a block a round, gets its own in time


class Rounds:
    """Chooses the rows of each round."""

    def __init__(self, rows, settings, seed):
        self._rows, self._seconds, self._max_blocks = rows, settings.timing_seconds, settings.max_blocks
        self._order = random.Random(seed)

    def next(self, spent, blocks):
        """The rows that the next round measures, the first ones first; `blocks` took the seconds `spent`."""
        undecided = [row for row in self._rows if is_open(row, self._max_blocks)]
        self._order.shuffle(undecided)
        undecided.sort(key=lambda row: len(row.coins))
        suspects = sorted((row for row in undecided if row.log_e > 0), key=lambda row: -row.log_e)
        if not suspects or not blocks or not self._is_short(undecided, suspects, spent, spent / blocks):
            return undecided
        return suspects[:max(1, math.floor((self._seconds - spent) / self._to_alarm(suspects[0], spent / blocks)))]

    def _is_short(self, undecided, suspects, spent, a_block):
        left = self._seconds - spent
        if left - a_block * len(undecided) >= self._to_alarm(suspects[0], a_block) * min(len(suspects), SUSPECTS):
            return False
        to_clear = SLACK * a_block * sum(map(_blocks_to_pass, undecided))
        return suspects[0].log_e >= SUSPECT or left < to_clear

    @staticmethod
    def _to_alarm(row, a_block):
        """Seconds."""
        return SLACK * a_block * max(math.ceil((row.alarm_at - row.log_e) / MOST_WON), 1)


def _blocks_to_pass(row):
    """How many the row needs at least."""
    missing = max(timed.limits.pass_at - timed.test.evidence[1] for timed in row.figures)
    return max(math.ceil(missing / MOST_WON), 1)


def log_mean_e(rows):
    """Of all figures of the rows, whose chance of a false alarm it is."""
    return log_mean([timed.test.evidence[0] for row in rows for timed in row.figures])


def is_open(row, max_blocks):
    """Whether the row may have further blocks."""
    return row.verdict == INCONCLUSIVE and len(row.coins) < max_blocks


def decide(blocks, residents, rows, control, settings, seed, tell, *, record=lambda *block: None, spent=0.0,
           highest=-math.inf, clock=time.monotonic):
    """Measures blocks of `rows` and of the control until all are decided, or have max_blocks, or the time, which
    `clock` tells, is over. An earlier gate may have `spent` seconds on the blocks that they have, and seen ln of the
    mean E at `highest`. Each block goes to `record` with its row, whether that is the control, and the seconds spent
    so far. Returns (those seconds, ln of the mean E when that was highest)."""
    begin = clock() - spent
    for row in (control, *rows):
        blocks.way_of(row)  # not amid a round, whose programs must all have done the same
    rounds = Rounds(rows, settings, seed)
    measured = sum(len(row.coins) for row in (control, *rows))
    for number in itertools.count(1):
        round_begin = clock()
        chosen = rounds.next(round_begin - begin, measured)
        if is_open(control, settings.max_blocks):
            chosen.insert(0, control)
        if not chosen:
            break
        residents.close()
        tell(f"round {number}: {len(chosen)} of {len(rows)} rows")
        for row in chosen:
            if clock() - begin > settings.timing_seconds or (
                    clock() - round_begin > LONGEST_ROUND * settings.timing_seconds):
                break
            block = blocks.measure(row, is_control=row is control)
            row.add(block)
            record(row.name, row is control, block, clock() - begin)
            measured += 1
        # Not amid the round: its rows share programs, whose luck the first blocks have told.
        highest = max(highest, log_mean_e(rows))
        if clock() - begin > settings.timing_seconds:
            break
    return clock() - begin, highest
