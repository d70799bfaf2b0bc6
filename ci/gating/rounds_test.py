"""Tests the order of measuring and its consequences, with simulated blocks and a simulated clock."""

import math
import pathlib
import sys
import types
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from gating.build_gate import control_row, timed_rows
from gating.layers import layers_of, looks_slower
from gating.rounds import decide
from gating.sequential import INCONCLUSIVE, PASS, REGRESSION
from gating.settings import Settings, TimingRule
from gating.verdict import GateResult

A_BLOCK = 0.24  # seconds
SETTINGS = Settings(timing=(TimingRule("^Latency/"), TimingRule("^Latency/", "real_time", 0.05, 0.15)))
LAYERS = ("tcp_threaded", "rpyc_threaded", "rpyc_async", "http_threaded")


class DrawnBlocks:
    """Simulates blocks of rows whose head costs more by the share in `slower`. One slot in ten is disturbed."""

    def __init__(self, slower, seed, a_block=A_BLOCK):
        self._slower, self._rng, self._a_block = slower, np.random.default_rng(seed), a_block
        self.now = 0.0

    def clock(self):
        return self.now

    def way_of(self, _):
        """Does nothing, because blocks are simulated."""

    def _slots(self, us):
        noise = np.where(self._rng.random(6) < 0.1, 0.3 * self._rng.random(6), self._rng.normal(0, 0.003, 6))
        return [{"name": "", "p10_us": us * math.exp(p10), "real_time": us * math.exp(2 * p10)} for p10 in noise]

    def measure(self, row, is_control=False):
        self.now += self._a_block
        share = 0 if is_control else self._slower(row.name)
        return {"base": self._slots(20), "head": self._slots(20 * (1 + share)), "coin": 0}


def gate(rows, slower, seed=1, settings=SETTINGS, **drawn):
    """Returns the GateResult of a gate with this number of rows."""
    blocks = DrawnBlocks(slower, seed, **drawn)
    timed = timed_rows([f"Latency/{LAYERS[number % len(LAYERS)]}/{number}" for number in range(rows)], settings)
    result = GateResult(None, None, settings, rows=timed, control=control_row(settings))
    result.timing_seconds, result.highest_log_e = decide(
        blocks, types.SimpleNamespace(close=lambda: None), timed, result.control, settings, seed, lambda _: None,
        clock=blocks.clock)
    return result


def number_of(name):
    return int(name.rpartition("/")[2])


class ManyRows(unittest.TestCase):
    """Tests that the default time suffices for any number of rows."""

    def test_a_fifth_slower_in_all_rows_is_a_regression(self):
        for rows in (1, 10, 38, 74, 400, 2000):
            with self.subTest(rows=rows):
                result = gate(rows, lambda _: 0.2)
                self.assertEqual(result.verdict, REGRESSION)
                self.assertTrue(result.alarms)
                self.assertLessEqual(result.timing_seconds, SETTINGS.timing_seconds + 2 * A_BLOCK)

    def test_a_fifth_slower_in_one_layer(self):
        result = gate(74, lambda name: 0.2 * ("/rpyc_" in name))
        self.assertEqual(result.verdict, REGRESSION)
        layers = {layer.name: layer for layer in layers_of(result.rows)}
        self.assertGreaterEqual(layers["rpyc"].slower, 0.9 * layers["rpyc"].rows)
        self.assertAlmostEqual(layers["rpyc"].change, 0.2, delta=0.01)
        self.assertEqual((layers["tcp"].slower, layers["http"].slower), (0, 0))

    def test_a_fifth_slower_in_ten_rows_and_in_one(self):
        for rows in (10, 38, 74, 400):
            for slower in (1, 10):
                with self.subTest(rows=rows, slower=slower):
                    result = gate(rows, lambda name, slower=slower: 0.2 * (number_of(name) < slower))
                    self.assertEqual(result.verdict, REGRESSION)
                    found = [row.name for row in result.rows if looks_slower(row)]
                    self.assertTrue(found)
                    self.assertTrue(all(number_of(name) < slower for name in found), found)

    def test_what_must_be_caught_in_one_row(self):
        caught = sum(gate(74, lambda name: 0.05 * (number_of(name) == 3), seed).verdict == REGRESSION
                     for seed in range(40))
        self.assertGreaterEqual(caught, 36)

    def test_equal_builds(self):
        for seed in range(20):
            with self.subTest(seed=seed):
                result = gate(74, lambda _: 0.0, seed)
                self.assertEqual(result.verdict, PASS)
                self.assertFalse(result.alarms)

    def test_equal_builds_on_a_machine_that_is_half_as_fast_again(self):
        result = gate(74, lambda _: 0.0, a_block=1.5 * A_BLOCK)
        self.assertEqual(result.verdict, PASS)
        self.assertLess(result.timing_seconds, 200)

    def test_more_rows_than_there_is_time_for_are_not_cleared(self):
        result = gate(400, lambda _: 0.0)
        self.assertEqual(result.verdict, INCONCLUSIVE)
        self.assertFalse(result.alarms)


if __name__ == "__main__":
    unittest.main()
