"""Tests `bench_all --self-check`, on this machine and with a server whose times are wrong.

`self_check_test.py bench_all`. A busy machine makes no difference.
"""

import concurrent.futures
import re
import time
import unittest

from testing.delayed_servers import DelayedServer
from testing.runs import run


class SelfCheckTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Makes both checks at once because they mostly wait."""
        wrong = DelayedServer(cls, "sleep:constant:6000", only_instead=True)
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            right = pool.submit(run, "--self-check")
            cls.wrong = run("--self-check", f"--server={wrong.path}")
            cls.right = right.result()
        cls.seconds = time.monotonic() - begin

    def test_it_takes_seconds(self):
        self.assertLess(self.seconds, 40)  # half as long if the machine is idle

    def test_a_wrong_truth_is_status_1(self):
        self.assertEqual(1, self.wrong.returncode, self.wrong.stdout)
        self.assertIn("WRONG", self.wrong.stdout)
        self.assertRegex(self.wrong.stdout,
                         "fit to measure: no: .*3 of 3 known times came out wrong")

    def test_sections_and_numbers(self):
        self.assertEqual("", self.right.stderr)
        text = self.right.stdout
        self.assertLessEqual(text.count("\n"), 24)
        for section in ("clock", "timer", "wake-up and noise", "calibration"):
            self.assertRegex(text, f"(?m)^{section}")
        resolution, reading = re.search(
            r"resolution (\d+) ns, a reading takes ([\d.]+) ns", text).groups()
        self.assertTrue(1 <= int(resolution) <= 20_000_000)
        self.assertTrue(1 <= float(reading) <= 20_000)
        p50, p99 = map(float, re.search(r"late by (-?[\d.]+) us \(p50\), (-?[\d.]+)",
                                        text).groups())
        self.assertTrue(0 <= p50 <= p99)
        for placement in ("shared", "free"):
            p50, p99 = map(float, re.search(rf"(?m)^  {placement} +([\d.]+) us +([\d.]+) us",
                                            text).groups())
            self.assertTrue(1 < p50 <= p99, text)
        for truth in ("spin_uniform", "spin_bimodal", "sleep_constant"):
            self.assertRegex(text, rf"(?m)^  shared +{truth} +[\d.]+ ")
        verdict = text.splitlines()[-1]
        self.assertRegex(verdict, r"^fit to measure: (yes$|no: .+ \(.+\)$)")
        self.assertEqual(1 if "came out wrong" in verdict else 0, self.right.returncode, text)


if __name__ == "__main__":
    unittest.main()
