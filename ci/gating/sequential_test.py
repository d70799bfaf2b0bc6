"""Tests the gate's statistics: `sequential_test.py`. Simulations judge the promised error rates."""

import math
import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from gating.sequential import (INCONCLUSIVE, PASS, REGRESSION, FigureTest, Limits, SequentialTests,
                               detectable, median_interval, replay)

GATES = 20_000
BLOCKS = 48


def simulate(limits, noise, shift):
    """Returns the shares of alarms and passes among gates with this noise, an array of BLOCKS x gates."""
    tests = SequentialTests(limits, noise.shape[1])
    for row in noise:
        tests.add(row + shift)
    return (tests.alarmed_after > 0).mean(), (tests.passed_after > 0).mean()


class FalseAlarms(unittest.TestCase):
    """Tests the bound on false alarms for every kind of noise.

    Of gates whose head is slower by exactly what is tolerated, at most a share of alpha may alarm. A high alpha
    shows it with few gates.
    """

    ALPHA = 0.05
    NEVER = 1e-12  # used as beta: no gate passes, so all continue to the end

    def check(self, noise):
        limits = Limits(0.02, 0.05, alpha=self.ALPHA, beta=self.NEVER)
        alarms, _ = simulate(limits, noise, limits.d)
        allowed = self.ALPHA + 3 * math.sqrt(self.ALPHA * (1 - self.ALPHA) / GATES)
        self.assertLessEqual(alarms, allowed)
        return alarms

    def setUp(self):
        self.rng = np.random.default_rng(7)
        self.coins = self.rng.choice((-1.0, 1.0), size=(BLOCKS, GATES))

    def test_normal_noise(self):
        alarms = self.check(self.coins * self.rng.normal(0, 0.01, (BLOCKS, GATES)))
        self.assertGreater(alarms, self.ALPHA / 10)  # so that the bound is not met by never alarming

    def test_noise_without_a_variance(self):
        self.check(self.coins * self.rng.standard_cauchy((BLOCKS, GATES)) * 0.01)

    def test_drift_and_correlation(self):
        drift = np.linspace(0, 0.2, BLOCKS)[:, None]
        walk = np.cumsum(self.rng.normal(0, 0.01, (BLOCKS, GATES)), axis=0)
        self.check(self.coins * (drift + walk))

    def test_phases_of_a_machine(self):
        loud = self.rng.random((BLOCKS, GATES)) < 0.1
        self.check(self.coins * self.rng.normal(0, np.where(loud, 0.3, 0.003)))

    def test_noise_of_two_values(self):
        """It holds below what is tolerated, where a stake that falls again for outliers would break the promise."""
        for size in (0.04, 0.05, 0.07, 0.12):
            for shift in (-0.05, 0, 0.01):
                noise = self.coins[:, :5000] * (size + self.rng.normal(0, 0.002, (BLOCKS, 5000)))
                limits = Limits(0.02, 0.05, alpha=self.ALPHA, beta=self.NEVER)
                alarms, _ = simulate(limits, noise, shift)
                self.assertLessEqual(alarms, self.ALPHA, (size, shift))

    def test_many_rows_share_alpha(self):
        limits = Limits(0.02, 0.05, figures=40, alpha=self.ALPHA, beta=self.NEVER)
        rows = self.coins[:, :4000] * self.rng.normal(0, 0.01, (BLOCKS, 4000))
        self.assertLessEqual(simulate(limits, rows, limits.d)[0], 0.005)

    def test_the_mean_of_figures_that_share_their_luck(self):
        """It holds for any order of measuring: here the strongest figure is next, after ten blocks of each."""
        gates, count = 2000, 8
        limits = Limits(0.02, 0.05, figures=count, alpha=self.ALPHA, beta=self.NEVER)
        tests = [SequentialTests(limits, gates) for _ in range(count)]
        own = self.rng.normal(0, 0.003, (count, 40, gates))
        alarms = np.zeros(gates, bool)
        for block in range(40):
            luck = self.coins[block, :gates] * 0.01
            log_e = np.array([test.log_e for test in tests])
            for number, test in enumerate(tests):
                before = test.log_e.copy()
                test.add(luck + own[number, block] + limits.d)
                if block >= 10:  # only the strongest continues
                    test.log_e = np.where(log_e.argmax(axis=0) == number, test.log_e, before)
            mean = np.logaddexp.reduce([test.log_e for test in tests], axis=0) - math.log(count)
            alarms |= mean >= math.log(1 / self.ALPHA)
        self.assertLessEqual(alarms.mean(), self.ALPHA + 3 * math.sqrt(self.ALPHA / gates))
        self.assertGreater(alarms.mean(), self.ALPHA / 10)

    def test_a_loaded_coin_breaks_the_promise(self):
        """The simulations can fail: noise that leans to one side is not a pure shift."""
        noise = np.abs(self.rng.normal(0, 0.01, (BLOCKS, GATES)))
        limits = Limits(0.02, 0.05, alpha=self.ALPHA, beta=self.NEVER)
        self.assertGreater(simulate(limits, noise, limits.d)[0], 0.3)


class Detection(unittest.TestCase):
    def setUp(self):
        self.noise = np.random.default_rng(8).normal(0, 0.006, (BLOCKS, 4000))
        self.limits = Limits(0.02, 0.05, figures=40)

    def test_what_must_be_caught_is_caught(self):
        alarms, passes = simulate(self.limits, self.noise, self.limits.D)
        self.assertGreaterEqual(alarms, 0.95)
        self.assertLessEqual(passes, 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4000))

    def test_more_is_caught_sooner(self):
        self.assertGreaterEqual(simulate(self.limits, self.noise[:20], math.log(1.10))[0], 0.99)

    def test_equal_builds_pass(self):
        alarms, passes = simulate(self.limits, self.noise, 0)
        self.assertEqual(alarms, 0)
        self.assertGreaterEqual(passes, 0.999)

    def test_a_faster_head_passes(self):
        self.assertGreaterEqual(simulate(self.limits, self.noise, -0.3)[1], 0.999)

    def test_noise_yields_no_verdict_rather_than_a_wrong_one(self):
        loud = np.random.default_rng(9).normal(0, 0.5, (BLOCKS, 4000))
        alarms, passes = simulate(self.limits, loud, 0)
        self.assertEqual(alarms, 0)
        self.assertLessEqual(passes, 0.3)


class OneRow(unittest.TestCase):
    def test_verdicts(self):
        for shift, verdict in ((0.0, PASS), (math.log(1.1), REGRESSION)):
            test = FigureTest(Limits(0.02, 0.05, figures=10))
            self.assertEqual(test.verdict, INCONCLUSIVE)
            for k in range(30):
                test.add(shift + 0.001 * (-1) ** k)
            self.assertEqual(test.verdict, verdict)

    def test_the_first_verdict_stays(self):
        test = FigureTest(Limits(0.02, 0.05))
        for q in [0.0, 0.001, -0.001] * 3 + [0.2] * 30:
            test.add(q)
        self.assertEqual(test.verdict, PASS)

    def test_capital_by_hand(self):
        """The first three stakes are the largest; then sizes of difference and noise determine them."""
        limits = Limits(0.02, 0.05)
        test = FigureTest(limits)
        blocks = [0.01, 0.03, 0.02, 0.03]
        capital = 1.0
        for k, q in enumerate(blocks):
            stake = 0.85
            if k == 3:
                size, delta, scale = q - limits.d, limits.D - limits.d, 0.01
                self.assertLess(size, math.hypot(scale, delta))
                stake = 2 * size * delta / (scale**2 + size**2 + delta**2)
            capital *= 1 + stake * math.copysign(1, q - limits.d)
            test.add(q)
            self.assertAlmostEqual(test.evidence[0], math.log(capital))

    def test_limits_make_sense(self):
        for tolerated, caught in ((0.05, 0.05), (0.06, 0.05), (-0.1, 0.05)):
            with self.assertRaises(ValueError):
                Limits(tolerated, caught)


class Intervals(unittest.TestCase):
    def test_of_few_values_all_of_them(self):
        self.assertEqual(median_interval([3, 1, 2]), (2, 1, 3))
        self.assertEqual(median_interval([4.0]), (4, 4, 4))

    def test_order_statistics(self):
        """The interval of 10 values is the second to the ninth: 2 (1 + 10) / 1024 = 2.1 % lie outside."""
        self.assertEqual(median_interval(range(10)), (4.5, 1, 8))

    def test_coverage(self):
        rng = np.random.default_rng(3)
        inside = sum(low <= 0 <= high for _, low, high in
                     (median_interval(rng.standard_cauchy(25)) for _ in range(3000)))
        self.assertGreaterEqual(inside / 3000, 0.945)


class Replays(unittest.TestCase):
    def setUp(self):
        self.blocks = np.random.default_rng(4).normal(0, 0.006, 200)
        self.limits = Limits(0.02, 0.05, figures=4)

    def test_replays_of_equal_builds(self):
        alarms, passes, needed = replay(self.limits, self.blocks, 2000, BLOCKS, rng=np.random.default_rng(1))
        self.assertEqual(alarms.sum(), 0)
        self.assertGreaterEqual(passes.mean(), 0.99)
        self.assertEqual(needed.min(), 5)  # the smallest number with which F can grow to 20

    def test_a_real_shift_is_kept_without_coins(self):
        slower = self.blocks + math.log(1.08)
        rng = np.random.default_rng(1)
        self.assertGreater(replay(self.limits, slower, 500, BLOCKS, rng=rng, coins=False)[0].mean(), 0.99)
        self.assertLess(replay(self.limits, slower, 500, BLOCKS, rng=rng)[0].mean(), 0.5)

    def test_detectable_lies_between_tolerated_and_caught(self):
        found = detectable(self.limits, self.blocks, BLOCKS, gates=1000, rng=np.random.default_rng(1))
        self.assertTrue(0.03 < found < 0.055, found)

    def test_loud_noise_hides_more(self):
        quiet = detectable(self.limits, self.blocks, BLOCKS)
        loud = detectable(self.limits, self.blocks * 20, BLOCKS)
        self.assertGreater(loud, 1.3 * quiet)
        self.assertIsNone(detectable(self.limits, self.blocks * 1000, BLOCKS))


if __name__ == "__main__":
    unittest.main()
