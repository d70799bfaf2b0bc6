"""Every row once, the names of all rows, and what they promise: `smoke_test.py bench_all`.

The preset `quick` is run with its smallest number of iterations; each row that it lists must end in
numbers. Of every preset the names are held against their grammar, because filters, stored results
and comparisons depend on them, and so do they on labels. Further tests hold rows against what the
documentation says of them.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH_ALL = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PRESETS = ("quick", "default", "classic", "full")
PATIENCE = 120  # seconds; a run that passes takes less than 10

MODE = "(?:rpyc|http|tcp)_(?:threaded|forking)"
WORD = "[a-z][a-z0-9]*(?:_[a-z0-9]+)*"  # snake case
BYTES = "[1-9][0-9]*"
GRAMMAR = re.compile(
    f"(?:Floor/{WORD}(?:/{BYTES})?"
    f"|Connection/{MODE}(?:/{WORD})?"
    f"|Latency/{MODE}/(?:{WORD}|echo/{BYTES})"
    f"|Bandwidth/{MODE}/(?:upload|download)/{BYTES}"
    f"|BinaryTransfer/{MODE}/(?:upload|download)(?:_chunked)?/{BYTES}"
    f"|Concurrent/{MODE}(?:/{WORD}|/pool:[1-9][0-9]*)?/clients:[1-9][0-9]*)"
    "(?P<iterations>/iterations:[1-9][0-9]*)?/real_time")
TYPES = ("Connection", "Latency", "Bandwidth", "BinaryTransfer", "Concurrent")
MODES = ("tcp_threaded", "tcp_forking", "rpyc_threaded", "rpyc_forking", "http_threaded")


def run(*flags):
    return subprocess.run([BENCH_ALL, *flags], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)


def rows_of(preset):
    return run(f"--preset={preset}", "--benchmark_list_tests").stdout.splitlines()


class NamesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = {preset: rows_of(preset) for preset in PRESETS}

    def test_names_follow_the_grammar(self):
        for preset, rows in self.rows.items():
            for name in rows:
                match = GRAMMAR.fullmatch(name)
                self.assertTrue(match, f"{preset}: {name}")
                self.assertEqual(preset == "classic", match["iterations"] is not None, name)

    def test_a_name_stands_for_one_row(self):
        for preset, rows in self.rows.items():
            self.assertEqual(sorted(set(rows)), sorted(rows), preset)

    def test_every_type_measures_every_mode(self):
        for preset, rows in self.rows.items():
            self.assertIn("Floor/ping", {"/".join(name.split("/")[:2]) for name in rows}, preset)
            found = {tuple(name.split("/")[:2]) for name in rows}
            missing = {(kind, mode) for kind in TYPES for mode in MODES} - found
            self.assertEqual(set(), missing, preset)

    def test_larger_presets_keep_the_names_of_smaller_ones(self):
        self.assertLess(set(self.rows["quick"]), set(self.rows["default"]))
        self.assertLess(set(self.rows["default"]), set(self.rows["full"]))


class SmokeTest(unittest.TestCase):
    def test_every_row_has_a_result(self):
        smallest = ("--preset=quick", "--benchmark_min_time=0")
        with tempfile.TemporaryDirectory(prefix="rpycbench_smoke_") as folder:
            names = pathlib.Path(folder, "rows.txt")
            names.write_text(run(*smallest, "--benchmark_list_tests").stdout, encoding="utf-8")
            results = pathlib.Path(folder, "results.json")
            measured = run(*smallest, f"--benchmark_out={results}")
            self.assertEqual(0, measured.returncode, measured.stderr)
            check = subprocess.run([sys.executable, ROOT / "ci" / "check_smoke.py", names, results],
                                   capture_output=True, text=True, check=False)
            self.assertEqual((0, ""), (check.returncode, check.stderr), check.stdout)


def measure(*flags, **how):
    """The rows of a short run by name, with their counters and labels."""
    short = ("--benchmark_format=json", "--preset=classic", "--requests_per_client=2")
    done = subprocess.run([BENCH_ALL, *short, *flags], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE, check=True, **how)
    return {row["name"].split("/iterations:")[0]: row
            for row in json.loads(done.stdout)["benchmarks"]}


class ConcurrentTest(unittest.TestCase):
    """What Concurrent measures are requests on connections that have been used before."""

    def test_opening_a_connection_is_no_part_of_its_requests(self):
        rows = measure("--clients=4", "--benchmark_filter=Concurrent/.*rpyc")
        for mode in ("rpyc_threaded", "rpyc_forking"):
            self.assertEqual(2, rows[f"Concurrent/{mode}/clients:4"]["round_trips"])
            self.assertEqual(1, rows[f"Concurrent/{mode}/ping_callattr/clients:4"]["round_trips"])

    def test_clients_of_a_pool_do_not_connect(self):
        rows = measure("--clients=4", "--benchmark_filter=Concurrent/http")
        self.assertIn("connect_p50_us", rows["Concurrent/http_threaded/clients:4"])
        self.assertNotIn("connect_p50_us", rows["Concurrent/http_threaded/pool:10/clients:4"])

    def test_more_clients_than_the_soft_limit_of_descriptors(self):
        def limit_descriptors():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))

        rows = measure("--clients=100", "--benchmark_filter=Concurrent/tcp",
                       preexec_fn=limit_descriptors)
        for row in rows.values():
            self.assertEqual(200, row["samples"])


class LabelTest(unittest.TestCase):
    def test_a_label_says_what_the_name_does_not(self):
        label = measure("--clients=1", "--benchmark_filter=Concurrent/tcp_threaded",
                        "--server_launcher=nice -n 5")["Concurrent/tcp_threaded/clients:1"]["label"]
        self.assertEqual("placement=free payload=random requests_per_client=2 "
                         "server_launcher=nice,-n,5", label)
        rows = measure("--file_bytes=9", "--chunk_bytes=4", "--placement=shared",
                       "--benchmark_filter=BinaryTransfer/tcp_threaded/upload")
        whole, chunked = ("placement=shared payload=random",
                          "placement=shared payload=random chunk_bytes=4")
        self.assertEqual({"BinaryTransfer/tcp_threaded/upload/9": whole,
                          "BinaryTransfer/tcp_threaded/upload_chunked/9": chunked},
                         {name: row["label"] for name, row in rows.items()})


class RefusalTest(unittest.TestCase):
    """What no row could be measured with is told at once, not once a row."""

    def assert_refused(self, done, words):
        self.assertEqual((2, ""), (done.returncode, done.stdout), done.stderr)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertIn(words, done.stderr)

    def test_too_few_cpus(self):
        done = subprocess.run(
            [BENCH_ALL, "--placement=split"], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=PATIENCE, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]))
        self.assert_refused(done, "--placement: split needs 2 CPUs, this process is allowed 1")

    def test_no_server(self):
        with tempfile.TemporaryDirectory(prefix="rpycbench_smoke_") as folder:
            moved = shutil.copy(BENCH_ALL, folder)
            done = subprocess.run([moved], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=PATIENCE, check=False)
            self.assert_refused(done, f'there is no server at "{folder}/bench_server"')


if __name__ == "__main__":
    if not BENCH_ALL:
        sys.exit("usage: smoke_test.py <bench_all>")
    unittest.main()
