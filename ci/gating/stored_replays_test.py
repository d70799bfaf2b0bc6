"""Tests replays of gates of stored results, and ci/proof_stored with a bench_all that is a script."""

import json
import math
import pathlib
import subprocess
import sys
import unittest

import numpy as np

CI = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CI))

# pylint: disable=wrong-import-position
from gating.sequential import INCONCLUSIVE, PASS, REGRESSION
from gating.settings import Settings
from gating.stored_replays import SCENARIOS, replay
from testing.folder_test_case import FolderTestCase

ROWS = [f"Latency/{mode}_{model}/{operation}/real_time" for mode in ("tcp", "rpyc", "http")
        for model in ("threaded", "async") for operation in ("ping", "echo/64", "echo/1024")]
COUNT = 20

# Answers as bench_all does. Its calls take 20 µs, 18 of which are the probe's. --inject makes a row slower.
BENCH_ALL = f"""#!/usr/bin/python3
import json, re, sys
flags = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
count, inject = int(flags["benchmark_repetitions"]), flags.get("inject", "spin:0")
rows = [name for name in {ROWS} if re.search(flags["benchmark_filter"], name)]
if not rows:
    sys.exit("bench_all: no row matches")
us = 20 + int(inject.removeprefix("spin:")) / 1000
context = {{"suite_build_type": "Release", "suite_version": "1", "git_revision": "abc", "cpu_model": "Some CPU",
            "num_cpus": 2, "host_name": "here", "kernel": "Linux 6"}}
json.dump({{"context": context, "benchmarks": [
    {{"name": name, "p50_us": us * (1 + 0.001 * k), "probe_ratio": us * (1 + 0.001 * k) / 18, "time_unit": "us"}}
    for name in rows for k in range(count)]}}, open(flags["benchmark_out"], "w"))
"""


def run(rng, repetition=0.005, of_run=0.003):
    """Returns a run's ratios with these deviations, as shares."""
    return {row: np.exp(rng.normal(rng.normal(0, of_run), repetition, 10)) for row in ROWS}


class Replays(unittest.TestCase):
    def verdicts(self, name, **noise):
        rng = np.random.default_rng(3)
        return replay([run(rng, **noise) for _ in range(8)], SCENARIOS[name], Settings(), COUNT, 10)

    def share(self, name, verdict, **noise):
        return sum(found.verdict == verdict for found in self.verdicts(name, **noise)) / COUNT

    def test_equal_builds_pass(self):
        self.assertGreater(self.share("nothing", PASS), 0.9)

    def test_slower_heads_are_regressions(self):
        for name in ("5 % in one row", "10 % in one row", "5 % in all rows"):
            with self.subTest(name):
                self.assertGreater(self.share(name, REGRESSION), 0.9)

    def test_one_slower_row_is_not_all_rows(self):
        self.assertEqual({PASS}, {found.together for found in self.verdicts("10 % in one row")})

    def test_all_rows_together_are_slower_in_noise_that_hides_a_row(self):
        found = self.verdicts("5 % in all rows", repetition=0.02)
        self.assertGreater(sum(one.together == REGRESSION for one in found) / COUNT, 0.75)
        self.assertLess(self.share("5 % in one row", REGRESSION, repetition=0.02), 0.5)
        self.assertEqual(0, sum(one.together == REGRESSION for one in self.verdicts("nothing", repetition=0.02)))

    def test_few_repetitions_give_no_verdict(self):
        sides = [run(np.random.default_rng(seed)) for seed in (1, 2)]
        self.assertEqual([INCONCLUSIVE] * COUNT, [found.verdict for found in replay(
            sides, SCENARIOS["nothing"], Settings(), COUNT, 8)])

    def test_noise_gives_no_verdict(self):
        self.assertGreater(self.share("nothing", INCONCLUSIVE, repetition=0.15), 0.9)


class ProofTest(FolderTestCase):
    PROGRAM = "proof_stored"

    def proof(self, *flags):
        return subprocess.run([CI / "proof_stored", "--gates=gates.jsonl", "--replays=5", "--bench_all=./bench_all",
                               *flags], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)

    def setUp(self):
        super().setUp()
        pathlib.Path(self.write("bench_all", BENCH_ALL)).chmod(0o755)

    def test_recorded_gates_are_kept_judged_and_replayed(self):
        for turns in (1, 2):
            done = self.proof("--turns=1", "--runs=1", "--repetitions=9")
            self.assertEqual(0, done.returncode, done.stderr)
            kept = [json.loads(line) for line in (self.folder / "gates.jsonl").read_text().splitlines()]
            self.assertEqual(turns, len(kept))
            cells = {tuple(line.split(" | ")[:2]): line.split(" | ")[2:] for line in done.stdout.splitlines()
                     if line.startswith("| ")}
            self.assertIn(f"{turns} of {turns} ", cells["| nothing", "recorded"][1])
            for name in ("5 % in one row", "10 % in one row", "5 % in all rows"):
                self.assertIn(f"{turns} of {turns} ", cells[f"| {name}", "recorded"][0])
                self.assertIn("5 of 5 ", cells[f"| {name}", "replayed"][0])
        self.assertIn("replays draw 9 of 9 repetitions", done.stdout)
        self.assertEqual(set(ROWS), set(kept[0]["slower"]["5 % in all rows"]))
        (row, slower), = kept[0]["slower"]["10 % in one row"].items()
        self.assertTrue(math.isclose(slower[0], 1.1 * kept[0]["base"][row][0], rel_tol=0.01))
        self.assertEqual("", self.proof().stderr)

    def test_what_goes_wrong_is_one_line(self):
        self.assertEqual(0, self.proof("--turns=1", "--runs=9", "--scenarios=nothing", "--gates=few.jsonl").returncode)
        for flags, words in (((), "gates.jsonl: no gates were recorded"),
                             (("--turns=1", "--rows=^Nothing/"), "bench_all: no row matches"),
                             (("--turns=0", "--gates=few.jsonl", "--draw=10"), "--draw: 9 repetitions were recorded"),
                             (("--turns=1", "--row=Nothing/"), "no native row begins with 'Nothing/'")):
            with self.subTest(flags):
                self.assert_refused(self.proof(*flags), words)


if __name__ == "__main__":
    unittest.main()
