"""Tests tools/repeatability on small results made by hand, and with a program that stands for bench_all."""

import json
import pathlib
import unittest

from common.command import run
from testing.in_process import module_of, run_in_process
from testing.results_test_case import ResultsTestCase

TOOL = module_of(pathlib.Path(__file__).resolve().parent / "repeatability")


def row(name, ratio, half=0.01, p50=10):
    return {"name": f"{name}/real_time", "run_type": "iteration", "real_time": p50, "time_unit": "us",
            "p50_us": p50, "floor_ratio": ratio, "floor_ratio_low": ratio - half,
            "floor_ratio_high": ratio + half, "probe_ratio": ratio, "label": "placement=shared"}


class RepeatabilityTest(ResultsTestCase):
    def runs(self, *rows_of_runs):
        """Writes a file of results for each run and returns the paths."""
        return [self.file(rows, f"run{number}.json") for number, rows in enumerate(rows_of_runs)]

    def tool(self, *arguments):
        return run_in_process(lambda: run("repeatability", TOOL.main), *arguments)

    def line(self, output, kind):
        return next(" ".join(line.split()) for line in output.splitlines() if line.startswith(kind))

    def test_the_distance_of_the_worst_run_by_kind_of_row(self):
        done = self.tool(*self.runs(*(
            [row("Latency/rpyc_threaded/ping", ratio), row("Bandwidth/rpyc_threaded/upload/102400", 5),
             row("Latency/pyrpyc_threaded/ping", python)]
            for ratio, python in ((2.0, 20), (2.01, 20), (1.99, 23), (2.0, 20)))))
        self.assertEqual("", done.stderr)
        self.assertEqual("Latency and Bandwidth to 1 KiB 1 0.0; 0.0 – 0.5; 0.5 0.5; 0.5 0.7; 1.7",
                         self.line(done.stdout, "Latency and"))
        self.assertEqual("Bandwidth above 1 0.0; 0.0 – 0.0; 0.0 0.0; 0.0 4.0",
                         self.line(done.stdout, "Bandwidth above"))
        self.assertEqual("Latency of Python 1 0.0; 0.0 – 15.0; 15.0 ! 15.0; 15.0 ! 2.5",
                         self.line(done.stdout, "Latency of"))
        self.assertEqual(1, done.returncode, "15 % is above the limit")

    def test_intervals_that_miss_the_other_runs(self):
        done = self.tool(*self.runs(*([row("Latency/rpyc_threaded/ping", ratio, 0.004)]
                                      for ratio in (2.0, 2.0, 2.005))))
        self.assertIn("1 of 3 intervals of floor_ratio (33.3 %, limit 3.0 %) miss", done.stdout)
        self.assertEqual(1, done.returncode)

    def test_what_repeats_is_good(self):
        done = self.tool(*self.runs(*[[row("Latency/rpyc_threaded/ping", 2)]] * 3))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("0 of 3 intervals of floor_ratio", done.stdout)
        self.assertNotIn("!", done.stdout)

    def test_it_runs_the_program_with_the_flags_given(self):
        content = json.dumps({"context": {}, "benchmarks": [row("Latency/rpyc_threaded/ping", 2)]})
        program = self.program("bench_all", f"""#!/bin/bash
for flag in "$@"; do
  if [[ $flag == --benchmark_out=* ]]; then echo '{content}' > "${{flag#*=}}"; fi
done
[[ " $* " == *" --preset=quick "* ]]""")
        done = self.tool(f"--bench_all={program}", "--runs=3", "--preset=quick",
                         f"--keep={self.folder}/kept")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(3, len(list(pathlib.Path(self.folder, "kept").iterdir())))
        failed = self.tool(f"--bench_all={program}", "--runs=3")
        self.assertEqual(2, failed.returncode)
        self.assertIn("ended with status 1\n", failed.stderr)

    def test_refusals(self):
        files = self.runs(*[[row("Latency/rpyc_threaded/ping", 2)]] * 3)
        self.assert_refused(self.tool(*files[:2]), "at least 3 runs are needed")
        self.assert_refused(self.tool(*files, "--preset=quick"), "either results or flags")


if __name__ == "__main__":
    unittest.main()
