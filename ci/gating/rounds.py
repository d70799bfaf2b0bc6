"""Orders the timing tier's measurements: round by round, until every row is decided or the time is over.

At first every undecided row gets a block in turn. Later the remaining time may not suffice to bring the rows that look
slowest to an alarm. From then on only those are measured, as many as there is time for. The bound on false alarms
holds because the choice of the next row depends only on the past (sequential.py).
"""

import itertools
import math
import random
import time

from .sequential import INCONCLUSIVE, MOST_WON, log_mean

SUSPECT = math.log(20)  # ln E from which on a figure looks slower; at most 1 in 20 unchanged ones reach it
SUSPECTS = 8  # rows to keep time for
SLACK = 1.25  # blocks that a row needs, divided by those that it would need if it won every bet
LONGEST_ROUND = 1 / 12  # of all time, so that the control, with one block a round, gets enough blocks


class Rounds:
    """Chooses the rows of each round."""

    def __init__(self, rows, settings, seed):
        self._rows, self._seconds, self._max_blocks = rows, settings.timing_seconds, settings.max_blocks
        self._order = random.Random(seed)

    def next(self, spent, blocks):
        """Returns the rows that the next round measures, in order; `blocks` took `spent` seconds so far."""
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
    """Returns the smallest number of blocks that the row still needs."""
    missing = max(timed.limits.pass_at - timed.test.evidence[1] for timed in row.figures)
    return max(math.ceil(missing / MOST_WON), 1)


def log_mean_e(rows):
    """Returns ln of the mean E of all figures, which share the chance of a false alarm."""
    return log_mean([timed.test.evidence[0] for row in rows for timed in row.figures])


def is_open(row, max_blocks):
    """Returns whether the row may have more blocks."""
    return row.verdict == INCONCLUSIVE and len(row.coins) < max_blocks


def decide(blocks, residents, rows, control, settings, seed, tell, *, record=lambda *block: None, spent=0.0,
           highest=-math.inf, clock=time.monotonic):
    """Measures blocks of `rows` and of the control until all are decided or have max_blocks, or the time is over.

    `clock` gives the time in seconds. An earlier gate may have `spent` seconds on the blocks that they have, and have
    seen ln of the mean E as high as `highest`. `record` gets each block with its row, whether that is the control, and
    the seconds spent so far. Returns (those seconds, the highest ln of the mean E).
    """
    begin = clock() - spent
    for row in (control, *rows):
        blocks.way_of(row)  # not within a round, whose programs must all have done the same
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
        # Not within the round: its rows share programs, so the first blocks would predict the others.
        highest = max(highest, log_mean_e(rows))
        if clock() - begin > settings.timing_seconds:
            break
    return clock() - begin, highest
