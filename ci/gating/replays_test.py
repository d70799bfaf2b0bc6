"""Tests replays of recorded gates, and the intervals of the rates that they give."""

import math
import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from gating.replays import binomial_interval, recorded_blocks, replay_gates
from gating.sequential import PASS, REGRESSION
from gating.settings import Settings, TimingRule

SETTINGS = Settings(timing=(TimingRule("^Latency/"), TimingRule("^Latency/", "real_time", 0.05, 0.2),
                            TimingRule("^Rate/", "items_per_second", 0.03, 0.1)))
ROWS = {"Latency/tcp_threaded/ping": 2, "Latency/rpyc_async/ping": 2, "Rate/tcp_threaded": 1}


def gate(slower, seed):
    """Returns a gate as ci/proof keeps it; `slower` is {row: a share}."""
    rng = np.random.default_rng(seed)
    timed = [{"row": row, "blocks": rng.normal(math.log1p(slower.get(row, 0)), 0.004, (6, figures)).tolist()}
             for row, figures in {**ROWS, "control": 1}.items()]
    return {"timed": timed, "a_block": 0.25}


class ReplaysTest(unittest.TestCase):
    def verdicts(self, slower, same):
        return replay_gates([gate(slower, seed) for seed in (1, 2)], SETTINGS, 20, same)

    def test_equal_builds_pass(self):
        self.assertEqual(self.verdicts({}, True), [PASS] * 20)

    def test_each_row_that_was_slower_is_a_regression_again(self):
        for row in ROWS:
            with self.subTest(row=row):
                self.assertEqual(self.verdicts({row: 0.2}, False), [REGRESSION] * 20)

    def test_blocks_of_all_gates_are_drawn_from(self):
        found = recorded_blocks([gate({}, 1), gate({}, 2)])
        self.assertEqual({row: blocks.shape for row, blocks in found.items()},
                         {row: (12, figures) for row, figures in {**ROWS, "control": 1}.items()})

    def test_coins_take_a_lean_out_of_equal_builds(self):
        """If one side was lucky, another throw would have given that luck to the other."""
        self.assertNotIn(REGRESSION, self.verdicts({row: 0.2 for row in ROWS}, True))


class IntervalTest(unittest.TestCase):
    def test_tables_of_clopper_and_pearson(self):
        for hits, of, low, high in ((0, 10, 0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1),
                                    (1, 1000, 0.0000253, 0.005558), (999, 1000, 0.994442, 0.9999747)):
            found = binomial_interval(hits, of)
            self.assertAlmostEqual(found[0], low, delta=0.0001)
            self.assertAlmostEqual(found[1], high, delta=0.0001)


if __name__ == "__main__":
    unittest.main()
