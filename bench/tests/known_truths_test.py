"""Tests that known delays are measured correctly: a server's stalls, and Calibration.

Makes short runs on an otherwise idle machine: `known_truths_test.py bench_all`.
"""

import unittest

from testing.delayed_servers import DelayedServer, measure, report


class StallTest(unittest.TestCase):
    def test_a_stall_is_in_the_open_loops_figures_and_not_in_a_closed_ones(self):
        for mode in ("tcp_threaded", "rpyc_async"):
            with self.subTest(mode=mode):
                for last in (False, False, False, True):
                    row, = measure(f"OpenLoop/{mode}/stalls", "--benchmark_min_time=0").values()
                    try:
                        self.assert_truths(row)
                        break
                    except AssertionError:  # another process may have the CPU when a stall ends
                        if last:
                            raise

    def assert_truths(self, row):
        """P(R > x) = (S - x) / T: p99 is 90 ms and p99.9 is 99 ms, for 100 ms of each second."""
        self.assertAlmostEqual(90_000, row["expected_p99_us"], places=3)
        self.assertAlmostEqual(99_000, row["expected_p999_us"], places=3)
        self.assertEqual((3_000, 1_000), (row["samples"], row["rate_per_s"]))
        self.assertAlmostEqual(90_000, row["p99_us"], delta=90_000 * 0.03)
        self.assertAlmostEqual(99_000, row["p999_us"], delta=99_000 * 0.03)
        # Most calls meet no stall, and nearly none of a client that waits for each answer.
        self.assertLess(row["p50_us"], 30_000)
        self.assertLess(row["closed_loop_p99_us"], 30_000)
        # A tenth of all calls waits longer than the others, on average for half of the 100 ms.
        self.assertAlmostEqual(5_000, row["real_time"] - row["p50_us"], delta=750)


class CalibrationTest(unittest.TestCase):
    def calibrate(self, rows, *flags):
        return report(f"Calibration/{rows}/sleep_constant", "--benchmark_min_time=0", *flags)[1]

    def test_expected_values_stand_beside_the_measured_ones(self):
        for _ in range(10):
            rows = self.calibrate("(tcp_threaded|rpyc_async)")
            wrong = [row["error_message"] for row in rows.values() if "error_message" in row]
            for message in wrong:  # of a busy machine, which does not keep every call from its CPU
                self.assertRegex(message, r"calls lost CPU time in each")
            right = [row for row in rows.values() if "error_message" not in row]
            for row in right:
                self.assertAlmostEqual(10_000 + row["after_pause_us"], row["expected_p50_us"],
                                       places=3)
                for name in ("p50", "p95", "p99", "mean"):
                    expected = row[f"expected_{name}_us"]
                    self.assertAlmostEqual(expected, row[f"{name}_us"], delta=expected * 0.01 + 1)
                self.assertGreater(row["after_pause_us"], 0)
                self.assertEqual(200, row["samples"])
            if right:
                return
        self.fail(f"wrong ten times: {wrong}")

    def test_one_and_a_half_percent_too_much_or_too_little_is_an_error_that_names_both_values(self):
        for delay_us in (9_850, 10_150):
            with self.subTest(delay_us=delay_us):
                wrong = DelayedServer(self, f"sleep:constant:{delay_us}", only_instead=True)
                row, = self.calibrate("tcp_threaded", f"--server={wrong.path}").values()
                self.assertRegex(row["error_message"],
                                 r"p50 is \d+\.\d us where \d+\.\d us are true")


if __name__ == "__main__":
    unittest.main()
