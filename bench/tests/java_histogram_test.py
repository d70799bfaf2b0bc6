"""Lets HdrHistogram's own library read the logs of bench_all, and compares what it finds.

usage: java_histogram_test.py bench_all java hdrhistogram.jar

bench/tests/distributions_test.py judges the same files without Java.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from testing import distributions, runs

JAR, JAVA = sys.argv.pop(), sys.argv.pop()
ROWS = "^(Latency/tcp_threaded/(ping|echo/65536)|Concurrent/tcp_threaded/clients:10|Connection/tcp_threaded)/"
PERCENTILES = {"p50_us": 0.5, "p95_us": 0.95, "p99_us": 0.99}


def processed(log, *flags):
    """Returns what HdrHistogram's processor of logs prints."""
    done = subprocess.run([JAVA, "-cp", JAR, "org.HdrHistogram.HistogramLogProcessor", "-i", log, *flags],
                          check=True, capture_output=True, text=True, timeout=60)
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout


class JavaHistogramTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="rpycbench_")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.log = cls.folder / "log.hlog"
        done, results = runs.report_of("--preset=default", f"--benchmark_filter={ROWS}", "--payload_bytes=65536",
                                       f"--histogram_file={cls.log}", f"--percentiles_folder={cls.folder}")
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.rows = {row["name"]: row for row in results["benchmarks"]}

    def table(self, name):
        """Returns the rows and the summary of the library's own table of percentiles."""
        out = self.folder / "java"
        processed(self.log, "-tag", name, "-outputValueUnitRatio", "1000", "-o", out)
        lines = out.with_suffix(".hgrm").read_text(encoding="utf-8").splitlines(keepends=True)
        out.write_text("".join(lines[2:]), encoding="utf-8")  # without what is about the log
        return distributions.read_percentiles(out)

    def test_it_finds_all_rows(self):
        self.assertEqual(4, len(self.rows))
        self.assertEqual(sorted(self.rows), processed(self.log, "-listtags").splitlines()[1:])

    def test_its_table_is_ours(self):
        for name in self.rows:
            with self.subTest(row=name):
                file = ".".join(name.split("/")[:-1]).replace(":", "-") + ".hgrm"
                rows, summary = distributions.read_percentiles(self.folder / file)
                java_rows, java_summary = self.table(name)
                self.assertEqual(java_summary, summary)
                self.assertEqual(len(java_rows), len(rows))
                for java_row, row in zip(java_rows, rows):
                    # Java rounds half up, C to even.
                    for java_number, number, digit in zip(java_row, row, (0, 1e-12, 0, 0.01)):
                        self.assertAlmostEqual(java_number, number, delta=1.01 * digit)

    def test_its_percentiles_are_the_counters(self):
        for name, row in self.rows.items():
            rows, _ = self.table(name)
            self.assertEqual(row["samples"], rows[-1][2])
            self.assertAlmostEqual(row["max_us"], rows[-1][0], delta=row["max_us"] / 1e3)
            for counter, share in PERCENTILES.items():
                # The table has levels of its own. Those beside the percentile enclose it.
                low = max((value for value, level, *_ in rows if level <= share), default=0)
                high = min(value for value, level, *_ in rows if level >= share)
                with self.subTest(row=name, counter=counter):
                    self.assertTrue(low * 0.999 <= row[counter] <= high * 1.001, (low, row[counter], high))


if __name__ == "__main__":
    unittest.main()
