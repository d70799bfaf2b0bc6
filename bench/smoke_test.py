"""Every row once, and the names of all rows: `smoke_test.py bench_all`.

The preset `quick` is run with its smallest number of iterations; each row that it lists must end in
numbers. Of every preset the names are held against their grammar, because filters, stored results
and comparisons depend on them.
"""

import pathlib
import re
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


if __name__ == "__main__":
    if not BENCH_ALL:
        sys.exit("usage: smoke_test.py <bench_all>")
    unittest.main()
