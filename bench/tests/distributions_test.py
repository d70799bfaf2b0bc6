"""Tests the files that have whole distributions, by reading them back and by the rows' counters.

usage: distributions_test.py bench_all
"""

import bisect
import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

from testing import distributions, runs

PERCENTILES = {"p10_us": 10, "p50_us": 50, "p95_us": 95, "p99_us": 99, "p999_us": 99.9, "p9999_us": 99.99}


class Files:
    """A run with all three files. `of` has (name, repetition) → row of the results."""

    def __init__(self, folder, *flags, status=0, **how):
        folder = pathlib.Path(folder)
        self.log, self.samples, self.folder = folder / "log.hlog", folder / "samples", folder / "new" / "percentiles"
        self.began = time.time()
        self.done, results = runs.report_of(f"--histogram_file={self.log}", f"--samples_file={self.samples}",
                                            f"--percentiles_folder={self.folder}", *flags, **how)
        self.ended = time.time()
        if self.done.returncode != status:
            raise AssertionError(f"bench_all exited with {self.done.returncode}: {self.done.stderr}")
        self.of = {(row["name"], row["repetition_index"]): row for row in results["benchmarks"]
                   if row["run_type"] == "iteration"}

    def entries(self):
        """Returns the entries of the log by name and repetition."""
        entries, seen = {}, collections.Counter()
        for tag, *rest in distributions.read_log(self.log):
            entries[tag, seen[tag]] = rest
            seen[tag] += 1
        return entries

    def calls(self):
        return {(row["name"], row["repetition_index"]): (row, starts, times)
                for row, starts, times in distributions.read_samples(self.samples)}


class DistributionsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rpycbench_")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def check(self, files):
        """Compares the files with each other and with the counters of every row."""
        entries, calls = files.entries(), files.calls()
        self.assertEqual(files.of.keys(), entries.keys())
        self.assertEqual(files.of.keys(), calls.keys())
        for key, row in files.of.items():
            with self.subTest(row=key):
                begin, length, longest_ms, counts = entries[key]
                header, starts, times = calls[key]
                self.assertEqual(row["samples"], sum(counts.values()))
                self.assertEqual(row["samples"], header["calls"])
                self.check_percentiles(row, counts)
                self.assertAlmostEqual(row["max_us"], longest_ms * 1e3, delta=0.6)
                self.check_calls(row, starts, times)
                lowest = [low for low, _ in counts]
                self.assertEqual(counts, dict(sorted(collections.Counter(
                    list(counts)[bisect.bisect_right(lowest, ns) - 1] for ns in times).items())))
                self.assertTrue(files.began - 0.1 <= begin <= begin + length <= files.ended + 0.1,
                                (files.began, begin, length, files.ended))
                self.assertGreaterEqual(starts[0] / 1e9, begin - 0.01)
                self.assertLessEqual(starts[-1] / 1e9, begin + length + 0.01)

    def check_percentiles(self, row, counts):
        for name, percent in PERCENTILES.items():
            if name not in row:
                continue
            low, high = distributions.percentile(counts, percent)
            self.assertTrue(low <= round(row[name] * 1e3) <= high, (name, row[name], low, high))

    def check_calls(self, row, starts, times):
        self.assertEqual(sorted(starts), starts.tolist())
        ordered = sorted(times)
        self.assertAlmostEqual(row["min_us"] * 1e3, ordered[0], delta=0.5)
        self.assertAlmostEqual(row["max_us"] * 1e3, ordered[-1], delta=0.5)
        self.assertAlmostEqual(row["p50_us"] * 1e3, ordered[(len(ordered) + 1) // 2 - 1], delta=0.5)

    def test_repetitions_of_loops_and_slots(self):
        files = Files(self.folder, "--preset=quick", "--benchmark_repetitions=2",
                      "--benchmark_filter=^Latency/tcp_threaded/ping/", pairs=True)
        self.assertEqual(2, len(files.of))
        self.check(files)
        for row, starts, times in files.calls().values():
            self.assertLess(0, row["loop_calls"])
            self.assertLess(row["loop_calls"], row["calls"])
            # One client makes one call after the other.
            for i in range(len(starts) - 1):
                self.assertLessEqual(starts[i] + times[i], starts[i + 1])

    def test_other_rows(self):
        rows = ("Connection/tcp_threaded|ConnectionReuse/tcp_threaded/one|Concurrent/tcp_threaded/clients:10/|"
                "Compute/tcp_threaded/clients:2/|Isolation/tcp_threaded|OpenLoop/rpyc_async/load:50|"
                "Sleep/rpyc_async|Concurrent/rpyc_async/event_driven")
        files = Files(self.folder, "--preset=default", f"--benchmark_filter=^({rows})")
        self.assertEqual(8, len(files.of), files.of.keys())
        self.check(files)

    def test_a_row_whose_timed_part_no_meter_sees(self):
        files = Files(self.folder, "--preset=full", "--benchmark_filter=^OpenLoop/tcp_threaded/stalls")
        self.check(files)
        (_, starts, _), = files.calls().values()
        # The times count from when the calls were due, one in each millisecond.
        self.assertEqual({1_000_000}, {later - start for start, later in zip(starts, starts[1:])})

    def test_clients_in_python(self):
        files = Files(self.folder, "--preset=default", "--benchmark_filter=^(PyLatency/rpyc_threaded/ping|"
                      "PyConcurrent/rpyc_threaded/clients:10)/", pairs=True)
        self.assertEqual(2, len(files.of))
        self.check(files)

    def test_percentiles_are_of_all_repetitions(self):
        files = Files(self.folder, "--preset=quick", "--benchmark_repetitions=3", "--clients=2",
                      "--benchmark_filter=^(Latency/tcp_threaded/ping|Concurrent/tcp_threaded)/")
        self.assertEqual(["Concurrent.tcp_threaded.clients-2.hgrm", "Latency.tcp_threaded.ping.hgrm"],
                         sorted(path.name for path in files.folder.iterdir()))
        counts = collections.Counter()
        for (name, _), (*_, one) in files.entries().items():
            if name.startswith("Latency"):
                counts.update(one)
        counts = dict(sorted(counts.items()))
        rows, summary = distributions.read_percentiles(files.folder / "Latency.tcp_threaded.ping.hgrm")
        total = sum(counts.values())
        *levels, last = rows
        self.assertEqual([max(counts)[1] / 1e3, 1.0, total], last)
        self.assertGreater(len(levels), 20)
        for value, level, count, inverse in levels:
            _, high = distributions.percentile(counts, level * 100) if level > 0 else min(counts)
            self.assertEqual(high / 1e3, value)
            self.assertEqual(sum(n for (_, top), n in counts.items() if top <= high), count)
            self.assertAlmostEqual(1 / (1 - level), inverse, delta=0.006 + inverse * 1e-9 / (1 - level))
        mean = sum((low + (high - low + 1) // 2) * n for (low, high), n in counts.items()) / total / 1e3
        found = re.fullmatch(r"#\[Mean    = +([\d.]+), StdDeviation   = +[\d.]+\]", summary[0])
        self.assertAlmostEqual(mean, float(found[1]), delta=0.0006)
        self.assertRegex(summary[1], rf"^#\[Max     = +{max(counts)[1] / 1e3:.3f}, Total count    = +{total}\]$")

    def test_a_row_that_failed_is_in_no_file(self):
        # Too few calls are a doubt, and with --strict a failure. The other row may have others.
        files = Files(self.folder, "--preset=classic", "--requests=50", "--connections=1000", "--strict",
                      "--benchmark_filter=^(Latency/tcp_threaded/ping|Connection/tcp_threaded)/", status=1)
        self.assertNotIn("Latency/tcp_threaded/ping/iterations:50/real_time", {name for name, _ in files.of})
        self.check(files)
        self.assertEqual(len(files.of), len(list(files.folder.iterdir())))

    def test_the_page_says_how_to_read_samples(self):
        files = Files(self.folder, "--preset=quick", "--benchmark_filter=^Floor/ping/")
        page = (runs.ROOT / "bench" / "reading_results.md").read_text(encoding="utf-8")
        example, = re.findall(r"^    import array.*(?:\n(?:    .*)?)*", page, re.MULTILINE)
        code = textwrap.dedent(example).replace("calls.samples", str(files.samples))
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        self.assertRegex(done.stdout, r"^Floor/ping/real_time [\d.]+ µs, in [\d.]+ s\n$")

    def test_p9999_takes_ten_thousand_samples(self):
        (few,), (enough,) = (runs.measure("--preset=classic", "--benchmark_filter=^Latency/tcp_threaded/ping/",
                                          f"--requests={calls}").values() for calls in (9_999, 10_000))
        self.assertNotIn("p9999_us", few)
        self.assertLessEqual(enough["p999_us"], enough["p9999_us"])
        self.assertLessEqual(enough["p9999_us"], enough["max_us"])

    def test_a_file_that_cannot_be_written(self):
        for flag in ("histogram_file", "samples_file", "percentiles_folder"):
            with self.subTest(flag=flag):
                done = runs.run(f"--{flag}=/proc/none/file", "--preset=quick", "--benchmark_filter=^Floor/ping")
                self.assertEqual(2, done.returncode, done.stderr)
                self.assertIn("/proc/none/file", done.stderr)


if __name__ == "__main__":
    unittest.main()
