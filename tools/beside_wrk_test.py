"""Tests tools/beside_wrk on results made by hand."""

import pathlib
import subprocess
import unittest

from testing.results_test_case import ResultsTestCase

TOOL = pathlib.Path(__file__).resolve().parent / "beside_wrk"


def row(name="length/connections:64", cpu=0.9, rate=1.1, **more):
    return {"name": f"Generator/http_async/{name}/real_time", "run_type": "iteration",
            "client_cpu_us": 10 * cpu, "wrk_cpu_us": 10.0, "cpu_beside_wrk": cpu,
            "items_per_second": 5e4 * rate, "wrk_per_s": 5e4, "rate_beside_wrk": rate, **more}


class BesideWrkTest(ResultsTestCase):
    PROGRAM = "beside_wrk"

    def run_on(self, rows, *flags, **more):
        return subprocess.run([TOOL, self.file(rows, **more), *flags], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30, check=False)

    def lines(self, result):
        return [line.split() for line in result.stdout.splitlines() if "Generator/" in line]

    def test_a_row_is_the_median_of_its_repetitions(self):
        done = self.run_on([row(cpu=0.7), row(cpu=1.4), row(cpu=0.9),
                            row(cpu=5, run_type="aggregate")])
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual([["Generator/http_async/length/connections:64", "9.00", "10.00", "0.90",
                           "55000", "50000", "1.10"]], self.lines(done))

    def test_each_check_has_its_bar(self):
        for name, cpu, status in (("length/connections:1", 1.0, 0),
                                  ("length/connections:1", 1.01, 1),
                                  ("compared/connections:1", 1.3, 0),
                                  ("compared/connections:1", 1.31, 1),
                                  ("compared_1024/connections:1", 1.31, 1)):
            done = self.run_on([row(name, cpu=cpu)])
            self.assertEqual((status, status == 1), (done.returncode, "CPU above" in done.stdout),
                             f"{name} {cpu}")

    def test_a_slower_generator_misses_its_bar(self):
        self.assertEqual(0, self.run_on([row(rate=1.0)]).returncode)
        done = self.run_on([row(rate=0.99)])
        self.assertEqual(1, done.returncode)
        self.assertIn("rate below 1.0", done.stdout)

    def test_a_row_that_failed_is_a_miss(self):
        failed = {"name": "Generator/http_async/length/connections:1/real_time", "message": "x"}
        done = self.run_on([row()], errors=[failed])
        self.assertEqual(1, done.returncode)
        self.assertIn("connections:1/real_time: ended in an error", done.stdout)

    def test_where_there_is_nothing_to_compare(self):
        alone = row()
        del alone["wrk_cpu_us"]
        other = {"name": "Latency/tcp_threaded/ping/real_time"}
        text = row(cpu_beside_wrk="0.9")
        unknown = row("guessed/connections:1")
        for rows, flags, words in (([alone], (), "install wrk"),
                                   ([row(), text], (), "has no cpu_beside_wrk"),
                                   ([other], (), "no Generator row"),
                                   ([unknown], (), "no Generator row"),
                                   ([row()], ("--payload=zeros",), "either files or flags")):
            self.assert_refused(self.run_on(rows, *flags), words)


if __name__ == "__main__":
    unittest.main()
