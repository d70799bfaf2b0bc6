"""Tests tools/ratio with waves made by hand and with the real program: ratio_test.py bench_all."""

import contextlib
import io
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest
from unittest import mock

from common.command import run
from testing.folder_test_case import FolderTestCase
from testing.in_process import module_of, run_in_process
from testing.watching import await_end, descendants, wait_until

RATIO = pathlib.Path(__file__).resolve().parent / "ratio"
TOOL = module_of(RATIO)
BENCH_ALL = (os.path.abspath(sys.argv.pop(1))
             if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None)
PING, FLOOR = "Latency/rpyc_threaded/ping", "Latency/tcp_threaded/ping"
SLOWED = "--inject=spin:1000000"  # the server spins for 1 ms in each operation of the first row
OUTPUT = re.compile(r"ratio ([\d.]+), interval of 99 %: ([\d.]+) to ([\d.]+); "
                    r"(\d+) pairs in (\d+) waves of new processes")


class MeasureTest(unittest.TestCase):
    def measure(self, ratios, seconds):
        """Measures waves with these ratios and returns how many it took."""
        waves = iter(ratios)
        return len(TOOL.measure(lambda: TOOL.Wave(next(waves), ([], [])), seconds))

    def test_it_ends_as_soon_as_the_interval_is_narrow(self):
        self.assertEqual(8, self.measure([2.0] * 100, 1000))
        # One wave is far off. The sign test leaves an outlier out from 12 values on.
        self.assertEqual(12, self.measure([3.0] + [2.0] * 100, 1000))

    def test_it_ends_when_the_time_is_over_but_has_an_interval(self):
        self.assertEqual(8, self.measure([1.0, 2.0] * 50, 0))

    def test_the_interval_contains_what_two_runs_differ_in_unseen(self):
        middle, low, high = TOOL.ratio_of([TOOL.Wave(2.0, ([], []))] * 8)
        self.assertEqual((2, 1.99, 2.01), (middle, round(low, 6), round(high, 6)))


    def test_the_report_names_conditions_that_differ(self):
        sides = [TOOL.Side("bench_all", "bench_all", f"{row}/real_time")
                 for row in ("A/tcp", "A/http")]
        for placement, first, second in (("shared", "", ""),
                                         ("free", "  placement=shared", "  placement=free")):
            slots = ([TOOL.Slot(us, "placement=shared payload=zeros", 9) for us in (10, 12, 40)],
                     [TOOL.Slot(4000, f"placement={placement} payload=zeros", 9)])
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                TOOL.report(sides, [TOOL.Wave(0.003, slots)] * 8)
            self.assertEqual([f"A/tcp        12.00 µs{first}", f"A/http    4,000.00 µs{second}",
                              "ratio 0.003000, interval of 99 %: 0.002985 to 0.003015; 24 pairs in "
                              "8 waves of new processes"], output.getvalue().splitlines())


class RatioTest(FolderTestCase):
    PROGRAM = "ratio"

    def tool(self, *arguments):
        return run_in_process(lambda: run("ratio", TOOL.main), f"--bench_all={BENCH_ALL}",
                              *arguments)

    def ratio(self, *arguments):
        """Measures for as short as possible and returns (ratio, output), which must make sense."""
        with mock.patch.object(TOOL, "WAVE_SECONDS", 0):
            done = self.tool("--seconds=0", *arguments)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        found = OUTPUT.search(done.stdout)
        self.assertTrue(found, done.stdout)
        ratio, low, high, pairs, waves = map(float, found.groups())
        self.assertLessEqual(low, ratio)
        self.assertLessEqual(ratio, high)
        self.assertGreaterEqual(waves, 8)
        self.assertGreaterEqual(pairs, 4 * waves)
        return ratio, done.stdout

    def test_two_rows_of_one_program(self):
        ratio, output = self.ratio(PING, FLOOR)
        self.assertTrue(1.2 < ratio < 6, output)  # two round trips beside one
        self.assertRegex(output, rf"\A{PING} +[\d.,]+ µs\n{FLOOR}  +[\d.,]+ µs\n")

    def test_one_row_of_two_programs(self):
        other = self.program("old", f'exec "{BENCH_ALL}" "$@"')
        ratio, output = self.ratio(f"--against={other}", f"{FLOOR}/real_time", SLOWED)
        self.assertGreater(ratio, 2, output)
        self.assertRegex(output, rf"\A{FLOOR} of {BENCH_ALL} .*\n{FLOOR} of {other} ")

    def test_a_row_beside_itself(self):
        ratio, output = self.ratio(FLOOR, FLOOR)
        self.assertTrue(0.8 < ratio < 1.25, output)

    def test_refusals(self):
        self.assert_refused(self.tool(FLOOR), "give one row with --against, or two without")
        self.assert_refused(self.tool(FLOOR, PING, "--against=x"), "one row with --against")
        self.assert_refused(self.tool(FLOOR, f"--against={self.folder}/none"), "no such program")
        self.assert_refused(self.tool(FLOOR, "Latency/none"), "bench_all has no row Latency/none;")
        self.assert_refused(self.tool(FLOOR, PING, "--placement=nowhere"), "nowhere")
        broken = self.program("server", "echo broken >&2; exit 3")
        self.assert_refused(self.tool(FLOOR, PING, f"--server={broken}"), "broken")

    def test_ctrl_c_ends_all_processes(self):
        def started():
            found = descendants(process.pid)
            return found if len(found) > 1 else None

        with subprocess.Popen([RATIO, f"--bench_all={BENCH_ALL}", FLOOR, PING],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            below = wait_until(started, "bench_all and a server")
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
        self.assertEqual((130, b""), (process.returncode, error))
        await_end(*below)


if __name__ == "__main__":
    unittest.main()
