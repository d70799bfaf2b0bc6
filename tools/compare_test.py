"""Tests tools/compare on two small results, with the stock compare.py.

Needs what `tools/compare --prepare` installs; installs nothing itself.
"""

import json
import os
import pathlib
import shutil
import subprocess
import unittest
from unittest import mock

from common import comparing
from common.command import run
from testing.in_process import run_in_process
from testing.results_test_case import ResultsTestCase, no_results

TOOLS = pathlib.Path(__file__).resolve().parent
BEFORE = TOOLS / "testdata" / "before.json"
AFTER = TOOLS / "testdata" / "after.json"


class CompareTest(ResultsTestCase):
    PROGRAM = "compare"

    def compare(self, *arguments):
        return subprocess.run(
            [TOOLS / "compare", "--no-install", *map(str, arguments)],
            cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, check=False)

    def judge(self, *arguments):
        """Judges the files in this process and returns the messages, without installing or comparing."""
        return run_in_process(lambda: run("compare", comparing.main), "judge", *arguments,
                              folder=self.folder)

    def changed(self, change, name="changed.json"):
        """Writes a copy of AFTER with `change` applied, and returns its path."""
        report = json.loads(AFTER.read_text())
        change(report)
        return self.write(name, json.dumps(report))

    def test_stock_compare_py_prints_the_change_of_a_common_row(self):
        result = self.compare(BEFORE, AFTER)
        self.assertEqual(0, result.returncode, result)
        row = next(line for line in result.stdout.splitlines() if line.startswith("Latency/tcp"))
        self.assertIn("+0.5000", row)
        self.assertNotIn("\033", result.stdout)

    def paired(self, slower, ratio, name):
        """Writes a result with a row in pairs, one without and an aggregate, of a machine that is slower."""
        def row(name, **more):
            return {"name": name, "run_type": "iteration", "real_time": 12 * slower, "cpu_time": 6 * slower,
                    "time_unit": "us", "p50_us": 10 * slower, **more}
        return self.file([row("Latency/tcp_threaded/ping/real_time", probe_ratio=ratio),
                          row("Isolation/tcp_threaded/real_time"),
                          row("Latency/tcp_threaded/ping/real_time_cv", probe_ratio=0.01, run_type="aggregate",
                              aggregate_unit="percentage")], name)

    def test_rows_in_pairs_are_compared_by_their_ratio_to_the_probe(self):
        """The machine is a third slower in the second run, and the row 10 % slower compared with the probe."""
        files = self.paired(1, 2, "before.json"), self.paired(1.3, 2.2, "after.json")
        times = {}
        for flags in ((), ("--raw",)):
            result = self.compare(*files, "--dump_to_json=dump.json", *flags)
            self.assertEqual(0, result.returncode, result)
            self.assertEqual(not flags, "normalised by the probe" in result.stderr, result.stderr)
            times[flags] = {row["name"]: round(row["measurements"][0]["time"], 4) for row in json.loads(
                (self.folder / "dump.json").read_text()) if row["measurements"]}
        self.assertEqual({"Latency/tcp_threaded/ping/real_time": 0.1, "Isolation/tcp_threaded/real_time": 0.3},
                         {name: time for name, time in times[()].items() if name.endswith("real_time")})
        self.assertEqual({0.3}, set(times[("--raw",)].values()))
        self.assertIn("1 rows have no ratio and keep theirs", self.compare(*files).stderr)

    def test_normalised_times_are_those_at_the_median_probe(self):
        reports = [json.loads(self.paired(slower, ratio, "one.json").read_text())
                   for slower, ratio in ((1, 2), (3, 2))]
        self.assertEqual({"Isolation/tcp_threaded/real_time"}, comparing.normalise(reports))
        # The probe took 5 and 15 µs, so 10 is the median; CPU time shrinks and grows as time does.
        for report, cpu in zip(reports, (12, 12)):
            row, alone, variation = report["benchmarks"]
            self.assertEqual((20, cpu), (row["real_time"], row["cpu_time"]))
            self.assertEqual(0.01, variation["real_time"])
        self.assertEqual(36, reports[1]["benchmarks"][1]["real_time"])

    def test_rows_of_one_file_only_are_named(self):
        result = self.judge(BEFORE, AFTER)
        self.assertEqual(
            ["compare: only in before.json: Connection/tcp_threaded/real_time",
             "compare: only in after.json: Bandwidth/tcp_threaded/real_time"],
            result.stderr.splitlines())

    def test_doubts_are_told_and_no_other_label(self):
        def doubt(report):
            for row in report["benchmarks"][:2]:
                row["label"] = f"{row.get('label', '')} doubts=stalls:3".strip()

        result = self.judge(BEFORE, self.changed(doubt))
        self.assertEqual(0, result.returncode, result)
        self.assertIn("compare: warning: doubtful in changed.json: ", result.stderr)
        self.assertNotIn("not comparable", result.stderr)

    def test_other_labels_are_refused_unless_forced(self):
        def other_placement(report):
            for row in report["benchmarks"][:2]:
                row["label"] = "split"
            report["benchmarks"].pop()
            report["benchmarks"].append(json.loads(BEFORE.read_text())["benchmarks"][2])

        path = self.changed(other_placement)
        self.assert_refused(
            self.judge(BEFORE, path),
            "Latency/tcp_threaded/ping/real_time: measured as 'shared', then as 'split' "
            "(and 1 more rows)")
        forced = self.compare(BEFORE, path, "--force")
        self.assertEqual(0, forced.returncode, forced)
        self.assertIn("+0.5000", forced.stdout)

    def test_a_dialect_in_the_context_is_as_good_as_one_in_the_label(self):
        """Up to version 0.1.0 every RPyC label had the dialect; now the context has the usual one."""
        def of_dialect(context, label):
            def change(report):
                report["context"]["dialect"] = context
                for row in report["benchmarks"]:
                    if "/rpyc_" in row["name"]:
                        row["label"] = label
            return change

        old = self.changed(of_dialect("by mode", "shared compression=isal dialect=5"), "old.json")
        same, other = (self.changed(of_dialect(dialect, "shared compression=isal"),
                                    f"dialect{dialect}.json") for dialect in "56")
        result = self.compare(old, same)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertIn("Latency/rpyc_threaded/ping", result.stdout)
        result = self.judge(same, old)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assert_refused(
            self.judge(old, other),
            "Latency/rpyc_threaded/ping/real_time: measured as 'shared compression=isal "
            "dialect=5', then as 'shared compression=isal dialect=6'")
        self.assert_refused(self.judge(other, same), "dialect=6', then as")

    def test_a_row_of_several_conditions_is_refused(self):
        path = self.changed(lambda report: report.update(benchmarks=[
            {**row, "label": label} for label in ("shared", "split")
            for row in report["benchmarks"][:1]]))
        self.assert_refused(self.judge(path, path), "measured under several conditions")

    def test_a_row_with_too_few_answers_is_refused(self):
        def lose(percent):
            return lambda report: report["benchmarks"][0].update(unanswered_percent=percent)

        name = json.loads(AFTER.read_text())["benchmarks"][0]["name"]
        few = self.changed(lose(1.2))
        for files in ((AFTER, few), (few, AFTER)):
            self.assert_refused(self.judge(*files), f"not comparable: {name}: in changed.json 1.2 % of its calls had "
                                "no answer, so it has no p99")
        forced = self.judge("--force", BEFORE, self.changed(lose(48)))
        self.assertEqual(0, forced.returncode)
        self.assertIn(f"warning: {name}: in changed.json 48 % of its calls", forced.stderr)
        result = self.judge(BEFORE, self.changed(lose(0.9)))
        self.assertEqual((0, False), (result.returncode, "no answer" in result.stderr))

    def test_a_row_that_ended_in_an_error_is_refused(self):
        path = self.changed(lambda report: (
            report["benchmarks"].pop(), report["benchmarks"][0].update(error_occurred=True)))
        result = self.judge(AFTER, path)
        self.assertEqual(2, result.returncode, result)
        self.assertIn("Latency/tcp_threaded/ping/real_time: ended in an error", result.stderr)

    def test_another_preset_is_a_warning(self):
        path = self.changed(lambda report: report["context"].update(preset="classic"))
        result = self.judge(AFTER, path)
        self.assertEqual(0, result.returncode, result)
        self.assertEqual("compare: warning: presets differ: quick and classic\n", result.stderr)

    def test_another_environment_is_a_warning(self):
        path = self.changed(lambda report: report["context"].update(environment="MALLOC_ARENA_MAX=1"))
        self.assertEqual((0, "compare: warning: environments differ: None and MALLOC_ARENA_MAX=1\n"),
                         (self.judge(AFTER, path).returncode, self.judge(AFTER, path).stderr))

    def test_what_is_no_result_is_refused(self):
        for text, words in no_results(BEFORE.read_text()):
            path = self.write("text.json", text)
            self.assert_refused(self.judge(BEFORE, path), words)
            self.assert_refused(self.judge(path, AFTER), words)
        self.assert_refused(self.compare(BEFORE, self.folder / "absent.json"), "No such file")

    def test_rows_without_what_compare_py_reads_are_refused(self):
        for key, value, words in (("real_time", "9", "has no real_time"),
                                  ("cpu_time", None, "has no cpu_time"),
                                  ("cpu_time", 10**400, "has no cpu_time"),
                                  ("time_unit", "fortnight", "unknown time_unit fortnight"),
                                  ("label", ["shared"], "a row has no name")):
            path = self.changed(lambda report: report["benchmarks"][0].update({key: value}))
            self.assert_refused(self.judge(BEFORE, path), words)
            self.assert_refused(self.judge(path, BEFORE, "--force"), words)

    def test_files_without_a_common_row_are_refused(self):
        path = self.changed(lambda report: report.update(benchmarks=[
            row | {"name": "Latency/http_async/ping"} for row in report["benchmarks"][:1]]))
        result = self.judge(BEFORE, path)
        self.assertEqual(2, result.returncode, result)
        self.assertIn("no row in common", result.stderr)

    def test_two_files_are_required(self):
        self.assert_refused(self.compare(BEFORE), "usage: ")

    def test_flags_of_compare_py_in_every_form(self):
        dump = self.folder / "out.json"
        for flags in (["--alpha", "0.01", "-d", "out.json", BEFORE, AFTER],
                      [BEFORE, "--dump_to_json=out.json", AFTER, "--alpha=0.01", "--no-utest"],
                      [BEFORE, AFTER, "--dump_to_json", "out.json", "-a", "--no-color"]):
            dump.unlink(missing_ok=True)
            result = self.compare(*flags)
            self.assertEqual((0, "compare: only"), (result.returncode, result.stderr[:13]))
            self.assertEqual(["Latency/tcp_threaded/ping/real_time", "Latency/rpyc_threaded/ping/real_time"],
                             [row["name"] for row in json.loads(dump.read_text())][:2])

    def test_unknown_flags_are_refused_in_one_line(self):
        for flags in (["--benchmark_fitler=x"], ["--alpha", "small"], ["-d"], ["--benchmark_filter=("]):
            self.assert_refused(self.compare(BEFORE, AFTER, *flags), "compare: ")

    def test_a_filter_comes_before_the_judgement(self):
        def spoil(report):
            for row in report["benchmarks"]:
                if "/rpyc_" in row["name"]:
                    row.update(label="split", time_unit="fortnight", cpu_time=None)

        path = self.changed(spoil)
        self.assert_refused(self.judge(BEFORE, path), "has no cpu_time")
        for flags in (["--benchmark_filter=^Latency/tcp"], ["--benchmark_filter=-rpyc|Connection|Bandwidth"]):
            result = self.compare(BEFORE, path, *flags)
            self.assertEqual((0, ""), (result.returncode, result.stderr))
            self.assertIn("Latency/tcp_threaded", result.stdout)
            self.assertNotIn("rpyc", result.stdout)
            self.assertIn("Comparing before.json to changed.json", result.stdout)
        self.assert_refused(self.judge(BEFORE, AFTER, "--benchmark_filter=Nothing"), "no row in common")

    def test_other_units_are_converted(self):
        def in_ms(report):
            for row in report["benchmarks"]:
                row.update(time_unit="ms", real_time=row["real_time"] / 1e3, cpu_time=row["cpu_time"] / 1e3)

        plain = self.compare(AFTER, AFTER)
        path = self.changed(in_ms, AFTER.name)
        result = self.compare(AFTER, path)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertEqual(plain.stdout.splitlines()[1:], result.stdout.splitlines()[1:])
        self.assertIn("+0.0000", result.stdout)

    def test_rows_of_one_file_and_of_two_filters(self):
        result = self.compare("filters", BEFORE, "Latency/tcp", "Latency/rpyc")
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertRegex(result.stdout, r"\[Latency/tcp vs. Latency/rpyc\]\S*ping/real_time +\+1\.0000")
        result = self.compare("benchmarksfiltered", BEFORE, "Latency/tcp", AFTER, "Latency/rpyc")
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assert_refused(self.compare("filters", BEFORE, "Latency/tcp", "Latnecy"), "no row matches 'Latnecy'")
        self.assert_refused(self.compare("filters", BEFORE, "Latency/tcp"), "filters takes 3 words, not 2")

    def test_a_python_that_cannot_start_is_told_in_one_line(self):
        with mock.patch.dict(os.environ, {"PYTHONHOME": "/nonexistent"}):
            self.assert_refused(self.compare(AFTER, AFTER), "unset PYTHONHOME")

    def test_another_compare_py(self):
        other = self.write("compare.py", "import sys\nprint(*sys.argv[1:])\n")
        result = self.compare(AFTER, AFTER, f"--compare_py={other}")
        self.assertEqual((0, f"--no-color benchmarks {AFTER} {AFTER}\n"), (result.returncode, result.stdout))
        for flags in (["--compare_py=compare.py"], ["--compare_py", "compare.py"]):  # relative, with filtered copies
            result = self.compare(AFTER, AFTER, "--benchmark_filter=Latency", *flags)
            self.assertEqual((0, "--no-color benchmarks 1/after.json 2/after.json\n"),
                             (result.returncode, result.stdout))
        self.assert_refused(self.compare(AFTER, AFTER, "--compare_py=absent.py"), "absent.py")

    def test_compare_py_is_found_where_the_build_s_google_benchmark_put_it(self):
        root = self.folder / "clone"
        tools = self.folder / "prefix" / "share" / "googlebenchmark" / "tools"
        for folder in (root / "tools", root / "build" / "release", tools):
            folder.mkdir(parents=True)
        (root / "CMakeLists.txt").touch()
        shutil.copy(TOOLS / "prepare.sh", root / "tools")
        (root / "build" / "release" / "CMakeCache.txt").write_text(
            f"benchmark_DIR:PATH={self.folder}/prefix/lib/cmake/benchmark\n")
        (tools / "compare.py").touch()
        found = subprocess.run(["bash", "-c", "set -euo pipefail; source tools/prepare.sh; "
                                "compare_py"], cwd=root, capture_output=True, text=True, check=True)
        self.assertEqual(str(tools / "compare.py"), found.stdout.strip())


if __name__ == "__main__":
    unittest.main()
