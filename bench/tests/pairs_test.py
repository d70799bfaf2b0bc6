"""Tests the pairs of a row with its floor and with the probe: `pairs_test.py bench_all`."""

import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import unittest

from testing.runs import BENCH_ALL, BENCH_SERVER, ROOT, measure, report_of, rows_of, run
from testing.watching import children, wait_until

PING = "^Latency/(tcp|rpyc|pyrpyc)_threaded/ping/"
PAIRED = ("floor_ratio", "floor_ratio_low", "floor_ratio_high", "probe_ratio", "probe_ratio_low",
          "probe_ratio_high", "floor_pairs", "quiet_p50_us", "quiet_percent")


def probes(program):
    """Yields the ids of the probes of a running bench_all, which may have ended."""
    for pid in children(program):
        try:
            if b"--serve_probe" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                yield pid
        except (FileNotFoundError, ProcessLookupError):
            pass


def working_probe(program, pings):
    """Returns the id of a probe that has answered so many pings, or None."""
    for pid in probes(program):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[1]) >= pings:
            return pid
    return None


def cpus_of_probes(program):
    """Returns the sets of CPUs on which the probes of a running bench_all serve."""
    found = set()
    for pid in probes(program):
        try:
            found.add(frozenset(os.sched_getaffinity(pid)))
        except ProcessLookupError:
            pass
    return found


class PairsTest(unittest.TestCase):
    def test_ratios_lie_in_their_intervals_and_tell_what_a_call_costs(self):
        rows = measure("--preset=quick", f"--benchmark_filter={PING}", pairs=True)
        for name, row in rows.items():
            with self.subTest(row=name):
                self.assertGreater(row["probe_ratio"], 0.5)
                self.assertGreaterEqual(row["floor_pairs"], 2)
                if "probe_ratio_low" in row:  # a busy machine has time for fewer pairs
                    self.assertLessEqual(row["probe_ratio_low"], row["probe_ratio"])
                    self.assertGreaterEqual(row["probe_ratio_high"], row["probe_ratio"])
        self.assertEqual(1, rows["Latency/tcp_threaded/ping"]["floor_ratio"])
        self.assertNotIn("floor_ratio_low", rows["Latency/tcp_threaded/ping"])
        # Two round trips and the protocol; Python takes several times as long.
        rpyc, python = (rows[f"Latency/{mode}/ping"]["floor_ratio"]
                        for mode in ("rpyc_threaded", "pyrpyc_threaded"))
        self.assertGreater(rpyc, 1.5)
        self.assertGreater(python, 1.5 * rpyc)

    def test_the_file_has_the_course_of_the_probe_with_all_rows(self):
        """OpenLoop has a loop and no pairs. Aggregates are no rows of the course."""
        done, report = report_of(
            "--preset=quick", "--benchmark_repetitions=2", "--window_ms=100",
            "--benchmark_filter=^(Latency/(tcp|rpyc)_threaded/ping|OpenLoop/rpyc_threaded)/",
            pairs=True)
        self.assertEqual(0, done.returncode, done.stderr)
        probe, rows = report["probe"], [row for row in report["benchmarks"]
                                        if row["run_type"] == "iteration"]
        self.assertEqual(6, len(rows))
        for key in "name", "repetition_index":
            self.assertEqual([row[key] for row in rows], [row[key] for row in probe["rows"]])
        pings = [us for us in probe["us"] if us is not None]
        self.assertLess(min(pings), probe["quiet_us"])
        self.assertGreater(min(pings), 0.5 * probe["quiet_us"])
        self.assertGreaterEqual(probe["step_s"], 0.05)
        end = len(probe["us"]) * probe["step_s"] + 0.01  # times are rounded
        loops_end = float("-inf")
        for row, entry in zip(rows, probe["rows"]):
            with self.subTest(row=row["name"], repetition=row["repetition_index"]):
                begins, ends = entry["loop_s"]
                self.assertLess(begins, ends)
                self.assertLessEqual(ends, end)
                if row["repetition_index"] == 0:
                    self.assertGreaterEqual(begins, loops_end, "loops run one after the other")
                loops_end = ends
                self.assertEqual("floor_ratio" in row, "pairs_s" in entry)
                self.assertEqual(row["name"].startswith("Latency"), "pairs_s" in entry)
                if "pairs_s" in entry:
                    begins, ends = entry["pairs_s"]
                    self.assertTrue(loops_end <= begins < ends <= end, (loops_end, entry, end))
                    self.assertTrue(0 <= row["quiet_percent"] <= 100, row["quiet_percent"])

    def test_without_pairs_there_is_no_course(self):
        done, report = report_of("--preset=quick", "--benchmark_filter=^Latency/tcp_threaded/ping/")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn("probe", report)

    def test_a_floor_needs_no_row_of_its_own(self):
        rows = measure("--preset=quick", "--benchmark_filter=^(Connection|Compute)/http_threaded",
                       pairs=True)
        for name, row in rows.items():
            self.assertIn("floor_ratio", row, name)

    def test_a_row_that_uses_several_cpus_is_watched_on_two(self):
        """The other row's ends share a CPU, and its probe has no other."""
        wanted = min(2, len(os.sched_getaffinity(0)))
        for row, count in ("Latency/tcp_threaded/ping", 1), ("Compute/tcp_threaded", wanted):
            seen = set()
            with self.subTest(row=row), subprocess.Popen(
                    [BENCH_ALL, "--preset=quick", f"--benchmark_filter=^{row}/"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
                def ended(program=program, seen=seen):
                    seen.update(cpus_of_probes(program.pid))
                    return program.poll() is not None
                wait_until(ended, "the end of the run")
                self.assertEqual(0, program.returncode)
                self.assertEqual([1] * count, [len(cpus) for cpus in seen])

    def test_without_its_probe_a_run_keeps_all_rows(self):
        """The probe ends before its first ping, or between its first look and the first pair."""
        for pings in 0, 10:
            with self.subTest(pings=pings):
                self.check_run_without_probe(pings)

    def check_run_without_probe(self, pings):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder, "results.json")
            with subprocess.Popen(
                    [BENCH_ALL, "--preset=quick", "--benchmark_min_time=0.3", f"--benchmark_out={out}",
                     "--benchmark_filter=^Latency/(tcp|rpyc|http)_threaded/ping/"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
                os.kill(wait_until(lambda: working_probe(program.pid, pings), "the probe"), signal.SIGKILL)
                said = program.communicate()[1]
            self.assertEqual(1, program.returncode, said)
            self.assertIn("rows lack pairs or have fewer than usual: the probe", said)
            report = json.loads(out.read_text(encoding="utf-8"))
            self.assertEqual([], report["errors"])
            self.assertEqual(3, len(report["benchmarks"]))
            for row in report["benchmarks"]:
                self.assertGreater(row["p50_us"], 0)
                self.assertNotIn("floor_ratio_low", row)

    def test_rows_of_types_that_make_windows_have_no_pairs(self):
        rows = measure("--preset=quick", "--benchmark_filter=^(Isolation/tcp|OpenLoop)",
                       "--window_ms=100", pairs=True)
        self.assertEqual(2, len(rows))
        for row in rows.values():
            self.assertFalse(set(PAIRED) & set(row))

    def test_a_server_of_one_connection_has_pairs_in_every_repetition(self):
        done = run("--preset=full", "--benchmark_format=json", "--benchmark_repetitions=2",
                   "--benchmark_min_time=0", "--benchmark_filter=^Latency/pyrpyc_oneshot/ping",
                   pairs=True)
        self.assertEqual(0, done.returncode, done.stderr)
        rows = [row for row in json.loads(done.stdout)["benchmarks"]
                if row["run_type"] == "iteration"]
        self.assertEqual(6, len(rows))
        for row in rows:
            self.assertIn("floor_ratio", row)

    def test_no_pairs_turns_them_off(self):
        row, = measure("--preset=quick", "--no_pairs",
                       "--benchmark_filter=^Latency/rpyc_threaded/ping/", pairs=True).values()
        self.assertFalse(set(PAIRED) & set(row))

    def test_counts_of_a_call_do_not_depend_on_slots(self):
        flags = "--preset=quick", "--benchmark_filter=^Latency/rpyc_threaded/(ping|echo)"
        paired, alone = measure(*flags, pairs=True), measure(*flags)
        self.assertEqual(set(paired), set(alone))
        for name, row in paired.items():
            for counter in ("round_trips", "frames_out", "refs_created"):
                self.assertAlmostEqual(alone[name][counter], row[counter], places=1,
                                       msg=(name, counter))

    def test_aggregates_are_those_of_the_rows_with_their_slots(self):
        done, report = report_of("--preset=quick", "--benchmark_repetitions=3",
                                 "--benchmark_filter=^Latency/http_threaded/ping/", pairs=True)
        self.assertEqual(0, done.returncode, done.stderr)
        rows = [row for row in report["benchmarks"] if row["run_type"] == "iteration"]
        self.assertEqual(3, len(rows))
        for key in ("real_time", "floor_ratio", "samples", "p50_us"):
            values = [row[key] for row in rows]
            for aggregate in report["benchmarks"]:
                if aggregate["run_type"] == "aggregate" and aggregate["aggregate_name"] in (
                        "mean", "median", "stddev"):
                    function = getattr(statistics, aggregate["aggregate_name"].replace(
                        "stddev", "stdev"))
                    self.assertAlmostEqual(function(values), aggregate[key],
                                           delta=1e-6 * max(values), msg=key)

    def test_a_failure_in_a_slot_is_the_rows_error(self):
        """The server lies from a request on that only slots make."""
        with tempfile.TemporaryDirectory() as folder:
            server = pathlib.Path(folder, "server")
            server.write_text(f'#!/bin/bash\nif [[ " $* " == *" --protocol=tcp "* ]]; then\n'
                              f'  exec "{sys.executable}" '
                              f'"{ROOT}/bench/tests/testing/lying_server.py" --lie=content '
                              f'--lie_from=60 "$@"\nfi\nexec "{BENCH_SERVER}" "$@"\n')
            server.chmod(0o755)
            done = run("--preset=classic", "--requests=20", "--warmup_requests=2",
                       "--benchmark_format=json", f"--server={server}",
                       "--benchmark_filter=^Latency/(tcp|rpyc)_threaded/ping/", pairs=True)
        rows = rows_of(done, status=1)
        self.assertIn("wrong reply", rows["Latency/tcp_threaded/ping"]["error_message"])
        self.assertRegex(rows["Latency/rpyc_threaded/ping"]["error_message"],
                         "^the floor's slot failed: .*wrong reply")


if __name__ == "__main__":
    unittest.main()
