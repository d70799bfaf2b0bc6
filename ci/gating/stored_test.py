"""Tests ci/gate with two stored results: `stored_test.py`.

The results are made up: their ratios are a fixed, uneven spread, scaled. A gate of each exit status is a process, the
others run in this process.
"""

import itertools
import json
import math
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci"))

# pylint: disable=wrong-import-position
from gating.acknowledging import acknowledged_since
from gating.exact import load_acknowledged
from gating.main import main  # before the modules in tools/, which it finds
from gating.ranks import MOST_COUNTED, shift, tail, values_for
from testing.in_process import run_in_process
from testing.results_test_case import ResultsTestCase, no_results

GATE = ROOT / "ci" / "gate"
FILES = ("SUMMARY.md", "base.json", "gate.json", "head.json")
CONTEXT = {"date": "2026-01-02T03:04:05+00:00", "host_name": "here", "cpu_model": "Some CPU", "num_cpus": 2,
           "kernel": "Linux 6.1 x86_64", "preset": "default", "suite_version": "0.1.0",
           "git_revision": "0123456789ab", "suite_build_type": "Release"}
TCP, RPYC = "Latency/tcp_threaded/ping/real_time", "Latency/rpyc_threaded/ping/real_time"
RATE, PLAIN = "Concurrent/tcp_threaded/1/real_time", "Bandwidth/tcp_threaded/real_time"
CONFIG = """
exact = '^Latency/'
without_ledger = '^Latency/http_'
acknowledged = "acknowledged.toml"
[[timing]]
rows = '^Latency/'
[[timing]]
rows = '^Concurrent/'
statistic = "items_per_second"
"""
EXACT = {"round_trips": 1.0, "wire_bytes_out": 16.0, "ledger_exact": 1.0, "server_syscalls": 2.0,
         "server_allocations": 0.0}


def row(name, index, count, label="placement=shared payload=random"):
    """Returns a repetition of about 20 µs."""
    us = 20 * (1 + 0.002 * ((index * 7) % count) + 0.0001 * index)
    return {"name": name, "run_name": name, "run_type": "iteration", "repetitions": count,
            "repetition_index": index, "threads": 1, "iterations": 1000, "real_time": us, "cpu_time": us / 2,
            "time_unit": "us", "items_per_second": 1e6 / us, "probe_ratio": us / 18, "label": label, **EXACT}


def results(count=12, names=(TCP, RPYC, RATE, PLAIN)):
    """Returns results as bench_all --benchmark_out writes them, including aggregates."""
    rows = [row(name, index, count) for name in names for index in range(count)]
    rows.append({**rows[0], "name": f"{names[0]}_cv", "run_type": "aggregate", "aggregate_name": "cv"})
    return {"context": dict(CONTEXT), "benchmarks": rows, "errors": [], "doubts": []}


class StoredTest(ResultsTestCase):
    PROGRAM = "gate"

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.write("gate.toml", CONFIG)
        self.base, self.head = results(), results()

    def write_sides(self, base=None, head=None):
        """Writes self.base and self.head, or the given texts."""
        for name, document, text in (("base", self.base, base), ("head", self.head, head)):
            self.write(f"{name}.json", json.dumps(document) if text is None else text)

    def flags(self, *flags):
        return ["base.json", "head.json", "--config=gate.toml", f"--out={self.out}", *flags]

    def gate(self, *flags, **texts):
        """Gates self.base and self.head, or the given texts."""
        self.write_sides(**texts)
        return run_in_process(lambda: main(sys.argv[1:]), *self.flags(*flags), folder=self.folder)

    def gate_process(self, *flags, **texts):
        """Runs the gate in a process of its own."""
        self.write_sides(**texts)
        return subprocess.run([GATE, *self.flags(*flags)], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=180, check=False)

    def change(self, name, *, of="head", scale=1.0, **values):
        """Makes a row's calls slower in one side, and sets other values of it."""
        for entry in getattr(self, of)["benchmarks"]:
            if entry["name"] == name:
                entry["probe_ratio"] *= scale
                entry.update(values)

    def verdicts(self, status, *flags, gate=None):
        """Runs a gate that must exit like this; returns {row: (verdict, reason)}, and sets self.report."""
        done = (gate or self.gate)(*flags)
        self.assertEqual((status, ""), (done.returncode, done.stderr), done.stdout)
        self.assertEqual(list(FILES), sorted(os.listdir(self.out)))
        self.report = json.loads((self.out / "gate.json").read_text())
        self.summary = (self.out / "SUMMARY.md").read_text()
        return {entry["row"]: (entry["verdict"], entry["reason"]) for entry in self.report["stored"]["rows"]}

    def refuses(self, *words, status=2, gate=None, **texts):
        """Expects no verdict: one line with the words, and no file, not even of an earlier gate."""
        self.out.mkdir(exist_ok=True)
        for name in FILES:
            (self.out / name).write_text("of an earlier gate")
        done = (gate or self.gate)(**texts)
        for word in words:
            self.assert_refused(done, word, status)
        self.assertEqual([], os.listdir(self.out))


class Verdicts(StoredTest):
    def test_identical_results_pass(self):
        found = self.verdicts(0, gate=self.gate_process)
        self.assertEqual({name: ("pass", "") for name in (TCP, RPYC, RATE, PLAIN)}, found)
        self.assertEqual("pass", self.report["verdict"])
        self.assertEqual(self.base, json.loads((self.out / "base.json").read_text()))
        self.assertIn("the one to trust is `ci/gate --base", self.summary.split("##")[0])

    def test_a_row_that_is_five_percent_slower_is_a_regression(self):
        for name in (TCP, RATE, PLAIN):  # of a time, of a rate, without a rule
            with self.subTest(name):
                self.head = results()
                self.change(name, scale=1.05)
                found = self.verdicts(1, gate=self.gate_process if name == TCP else None)
                self.assertEqual({name}, {row for row, (verdict, _) in found.items() if verdict != "pass"})
                entry = next(entry for entry in self.report["stored"]["rows"] if entry["row"] == name)
                self.assertEqual("regression", entry["verdict"])
                self.assertAlmostEqual(0.05, entry["change"], delta=0.001)
                low, high = entry["interval"]
                self.assertTrue(0 < low < 0.035 and 0.065 < high, (low, high))  # 2 % are tolerated
                self.assertIn(f"## Slower\n\n| row | change | at least | at most | limit | verdict |\n"
                              f"|---|--:|--:|--:|--:|---|\n| {name} | +5.0 %", self.summary)

    def test_faster_rows_pass(self):
        self.change(TCP, scale=0.7)
        self.change(RATE, scale=0.7)
        self.assertEqual({("pass", "")}, set(self.verdicts(0).values()))

    def test_a_change_that_is_tolerated_passes_however_sure_it_is(self):
        self.change(TCP, scale=1.015)
        self.assertEqual(("pass", ""), self.verdicts(0)[TCP])

    def test_times_say_nothing(self):
        self.change(TCP, real_time=40, cpu_time=20)
        self.change(RATE, items_per_second=1e3)
        self.assertEqual({("pass", "")}, set(self.verdicts(0).values()))

    def test_rows_have_their_own_rules(self):
        self.write("gate.toml", CONFIG + '[[stored]]\nrows = "^Latency/"\ntolerated = 0.04\nlimit = 0.12\n')
        self.change(TCP, scale=1.045)
        self.change(RATE, scale=1.045)
        found = self.verdicts(1)
        self.assertEqual(("pass", "regression"), (found[TCP][0], found[RATE][0]))

    def test_wide_bounds_are_inconclusive_with_what_would_help(self):
        for index, entry in enumerate(self.head["benchmarks"][:12]):
            entry["probe_ratio"] *= 1 + 0.015 * (index - 5.5)
        verdict, reason = self.verdicts(3)[TCP]
        self.assertEqual("inconclusive", verdict)
        self.assertRegex(reason, r"^its bounds are too far apart; about \d\d repetitions would do$")
        self.verdicts(0, "--inconclusive=pass")
        self.assertEqual("inconclusive", self.report["verdict"])

    def test_too_few_repetitions_are_inconclusive_on_either_side(self):
        for of in ("base", "head"):
            for count in (1, 8):
                with self.subTest(of, count=count):
                    self.base, self.head = results(), results()
                    setattr(self, of, results(count))
                    self.assertEqual({("inconclusive", f"has {count} repetitions, needs 9")},
                                     set(self.verdicts(3).values()))
        self.assertIn("| ? | ? | ? |", self.summary)

    def test_many_rows_share_the_chance_of_a_false_alarm(self):
        self.write("gate.toml", "min_repetitions = 5\n" + CONFIG)
        names = [TCP, *(f"Latency/tcp_threaded/echo/{size}/real_time" for size in range(29))]
        for count, verdict in ((6, ("inconclusive", "has 6 repetitions, needs 7")), (7, ("pass", ""))):
            with self.subTest(count):
                self.base, self.head = results(count, names), results(count, names)
                self.assertEqual(verdict, self.verdicts(3 if count == 6 else 0)[TCP])

    def test_a_busy_machine_shows_nothing(self):
        for index, entry in enumerate(self.head["benchmarks"][:12]):
            if index < 7:
                entry["label"] += " doubts=stalls:1,others:60%"
        self.change(TCP, scale=1.3)
        self.assertEqual(("inconclusive", "other work took CPU time in 58% of a side's repetitions"),
                         self.verdicts(3)[TCP])
        self.assertIn(f"{TCP} ¹", self.summary)

    def test_doubts_of_the_row_itself_hide_no_regression(self):
        self.change(TCP, scale=1.3, label="placement=shared payload=random doubts=samples_for_p99:89")
        self.assertEqual("regression", self.verdicts(1)[TCP][0])

    def test_only_rows_asked_for_are_judged(self):
        self.change(TCP, scale=1.3)
        self.head["errors"] = [{"name": TCP, "message": "broken"}]
        self.assertEqual({RPYC}, set(self.verdicts(0, "--rows=rpyc")))

    def test_rows_without_ratios_are_counted(self):
        for of, name in (("base", TCP), ("head", RATE)):
            for entry in getattr(self, of)["benchmarks"]:
                if entry["name"] == name:
                    del entry["probe_ratio"]
        note = "2 of 4 rows have no probe_ratio in both results, so their times are not judged"
        self.assertEqual({RPYC, PLAIN}, set(self.verdicts(0)))
        self.assertIn(f"- {note}\n", self.summary)
        self.assertIn(f"  note: {note}\n", self.gate().stdout)
        self.assertEqual([TCP, RATE], self.report["stored"]["unpaired"])


class SeveralRuns(StoredTest):
    """The files of a folder are one side."""

    def gate_folders(self, *names):
        """Gates the base against a folder that has a copy of it, split into three runs."""
        self.write_sides()
        head = self.folder / "head"
        head.mkdir(exist_ok=True)
        for number in range(3):
            part = {**self.head, "benchmarks": self.head["benchmarks"][number::3]}
            (head / f"{number}.json").write_text(json.dumps(part))
        return run_in_process(lambda: main(sys.argv[1:]), *names, "--config=gate.toml", f"--out={self.out}",
                              folder=self.folder)

    def test_repetitions_of_all_runs_count(self):
        for scale, status in ((1.0, 0), (1.05, 1)):
            self.head = results()
            self.change(TCP, scale=scale)
            done = self.gate_folders("base.json", "head")
            self.assertEqual((status, ""), (done.returncode, done.stderr), done.stdout)
            entry = json.loads((self.out / "gate.json").read_text())["stored"]["rows"][0]
            self.assertEqual(12, len(entry["measured"]["head"]))

    def test_runs_of_several_builds_or_machines_are_refused(self):
        self.gate_folders()
        for key in ("git_revision", "kernel", "preset"):
            other = results()
            other["context"][key] = "else"
            (self.folder / "head" / "9.json").write_text(json.dumps(other))
            self.assert_refused(self.gate_folders("base.json", "head"), "'else' in head/9.json")

    def test_a_folder_without_results_is_refused(self):
        (self.folder / "none").mkdir()
        self.assert_refused(self.gate_folders("base.json", "none"), "none: a folder without *.json")

    def test_a_folder_of_results_takes_no_reports(self):
        self.assert_refused(self.gate_folders("base.json", str(self.out)), "would overwrite it")


class AllRows(StoredTest):
    NAMES = [f"Latency/{mode}_threaded/echo/{size}/real_time" for mode in ("tcp", "rpyc", "http") for size in range(4)]

    def verdict_of(self, status, scale, names):
        """Returns the entry of all native rows after making the rows slower, and the verdicts of single rows."""
        self.base, self.head = results(names=names), results(names=names)
        for index, entry in enumerate(self.head["benchmarks"]):
            entry["probe_ratio"] *= 1 + 0.2 * ((index * 5) % 12 - 5.5) / 11  # too noisy for a verdict of one row
        native = [name for name in names if "flask" not in name]
        for name in native:
            self.change(name, scale=scale)
        found = self.verdicts(status)
        return self.report["stored"]["rows"][-1], {found[name][0] for name in native}

    def test_all_rows_slower_by_five_percent_are_a_regression_though_none_is_alone(self):
        entry, alone = self.verdict_of(1, 1.05, self.NAMES)
        self.assertEqual(("all native rows", "regression"), (entry["row"], entry["verdict"]))
        self.assertNotIn("regression", alone)
        self.assertAlmostEqual(0.05, entry["change"], delta=0.01)
        self.assertRegex(self.summary, r"All native rows together: \+\d\.\d %, at least .*: \*\*regression\*\*")
        self.assertIn("all native rows: probe_ratio +", self.gate().stdout)

    def test_equal_builds_pass(self):
        self.assertEqual("pass", self.verdict_of(3, 1.0, self.NAMES)[0]["verdict"])

    def test_python_rows_do_not_count(self):
        python = [f"Latency/flask_threaded/echo/{size}/real_time" for size in range(20)]
        entry, _ = self.verdict_of(1, 1.05, [*self.NAMES, *python])
        self.assertEqual("regression", entry["verdict"])

    def test_too_few_rows_for_a_bound_are_not_judged_together(self):
        entry, _ = self.verdict_of(3, 1.05, self.NAMES[:9])
        self.assertEqual(self.NAMES[8], entry["row"])
        self.assertIn("All native rows together are not judged, because these are too few", self.summary)


class ExactFigures(StoredTest):
    def changes(self, status):
        self.verdicts(status)
        return [(change["row"], change["figure"], change["old"], change["new"])
                for change in self.report["exact"]["changes"]]

    def test_one_more_system_call_is_a_regression(self):
        self.change(TCP, server_syscalls=3.0)
        self.assertEqual([(TCP, "server_syscalls", 2.0, 3.0)], self.changes(1))
        self.assertIn("figure = \"server_syscalls\"", self.summary)

    def test_an_acknowledged_change_passes(self):
        self.change(TCP, server_syscalls=3.0)
        self.write("acknowledged.toml", f'[[change]]\nrow = "{TCP}"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = 3\nwhy = "wanted"\n')
        self.assertEqual(1, len(self.changes(0)))
        self.assertIn("wanted", self.summary)

    def test_calls_that_began_to_differ_are_a_change(self):
        self.change(TCP, server_syscalls=3.0, ledger_exact=0.0)
        self.assertEqual([(TCP, "ledger_exact", 1.0, 0.0)], self.changes(1))

    def test_a_head_measured_without_the_ledger_is_refused(self):
        for entry in self.head["benchmarks"]:
            for name in ("ledger_exact", "server_syscalls", "server_allocations"):
                entry.pop(name, None)
        self.refuses("--ledger", TCP)

    def test_a_base_measured_without_the_ledger_is_refused(self):
        for entry in self.base["benchmarks"]:
            for name in ("ledger_exact", "server_syscalls", "server_allocations"):
                entry.pop(name, None)
        self.refuses("--ledger", TCP)

    def test_a_rule_that_judges_no_row_is_noted(self):
        self.write("gate.toml", CONFIG.replace("'^Latency/'\nwithout", "'^Latncy/'\nwithout") +
                   "[[stored]]\nrows = '^Conection/'\n")
        self.assertEqual([], self.changes(0))
        self.assertIn("exact = '^Latncy/' matches no row", self.summary)
        self.assertIn("[[stored]] rows = '^Conection/' matches no row", self.summary)

    def test_what_was_acknowledged_before_base_does_not_count_again(self):
        repository = self.folder / "repository"
        repository.mkdir()
        path = repository / "acknowledged.toml"
        path.write_text(f'[[change]]\nrow = "{TCP}"\nfigure = "server_syscalls"\n'
                        'old = 2\nnew = 3\nwhy = "an old story"\n', encoding="utf-8")
        git = ("git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b")
        for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "base")):
            subprocess.run([*git, *words], check=True)
        revision = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True,
                                  text=True).stdout.strip()
        entries = load_acknowledged(path)
        known = acknowledged_since(repository, path, entries, revision)
        self.assertEqual(([], entries, []), (known.entries, known.stale, known.notes))
        unknown = acknowledged_since(repository, path, entries, "0123456789ab")
        self.assertEqual((entries, []), (unknown.entries, unknown.stale))
        self.assertIn("0123456789ab", unknown.notes[0])

    def test_texts_of_a_result_are_no_html_in_the_summary(self):
        for side in (self.base, self.head):
            side["context"].update(date="<script>|", git_revision="<img src=x>", cpu_model="<b>")
        self.changes(0)
        for raw in ("<script>", "<img", "<b>"):
            self.assertNotIn(raw, self.summary)
        self.assertIn("&lt;script&gt;", self.summary)

    def test_another_environment_is_noted(self):
        self.head["context"]["environment"] = "LD_PRELOAD=libjemalloc.so"
        self.assertEqual([], self.changes(0))
        self.assertIn("head with 'LD_PRELOAD=libjemalloc.so'", self.summary)

    def test_rows_outside_the_exact_tier_are_not_judged(self):
        self.change(PLAIN, server_syscalls=3.0)
        self.assertEqual([], self.changes(0))

    def test_repetitions_that_disagree_in_both_are_not_judged(self):
        for side in (self.base, self.head):
            side["benchmarks"][0]["server_syscalls"] = 3.0
        self.assertEqual([], self.changes(0))

    def test_repetitions_that_disagree_in_head_alone_are_not_passed(self):
        self.head["benchmarks"][0]["server_syscalls"] = 3.0
        self.assertEqual([], self.changes(3))
        self.assertEqual(1, len(self.report["exact"]["unsettled_in_head"]))

    def test_a_figure_that_no_longer_repeats_is_a_change(self):
        for number, entry in enumerate(self.head["benchmarks"]):
            entry["server_syscalls"] = 3.0 + number % 2
        self.assertIn((TCP, "server_syscalls", 2.0, "irregular"), self.changes(1))

    def test_bytes_on_the_wire_of_equal_calls_count(self):
        self.change(RPYC, of="base", wire_bytes_out=47.5)
        self.change(RPYC, wire_bytes_out=47.75)
        self.assertEqual([(RPYC, "wire_bytes_out", 47.5, 47.75)], self.changes(1))

    def test_a_mean_that_depends_on_the_number_of_calls_is_not_compared(self):
        self.change(RPYC, of="base", wire_bytes_out=47.5)
        self.change(RPYC, wire_bytes_out=47.75, iterations=2000)
        self.assertEqual([], self.changes(0))

    def test_a_whole_mean_is_compared_whatever_the_number_of_calls(self):
        self.change(TCP, wire_bytes_out=17.0, iterations=2000)
        self.assertEqual([(TCP, "wire_bytes_out", 16.0, 17.0)], self.changes(1))


class Refused(StoredTest):
    def test_what_is_no_result(self):
        for text, words in no_results(json.dumps(self.head)):
            with self.subTest(text[:40]):
                self.refuses("head.json", words, head=text)
                self.refuses("base.json", words, base=text)

    def test_a_file_that_is_not_there(self):
        done = subprocess.run([GATE, "absent.json", "absent.json", f"--out={self.out}"], cwd=self.folder,
                              capture_output=True, text=True, timeout=180, check=False)
        self.assert_refused(done, "gate: absent.json: No such file or directory\n")

    def test_rows_with_errors(self):
        self.head["errors"] = [{"name": TCP, "message": "the server\nended"}]
        self.refuses("head.json", TCP, "ended in an error: the server")
        self.head = results()
        self.change(TCP, error_occurred=True, error_message="reset")
        self.refuses("head.json", TCP, "ended in an error: reset")
        self.head = results()
        self.change(TCP, unanswered_percent=2.5)
        self.refuses("head.json", TCP, "2.5 % of its calls had no answer, so it has no p99")

    def test_a_row_of_one_side_alone_unless_acknowledged(self):
        for of, other in (("base", "head"), ("head", "base")):
            self.base, self.head = results(), results()
            getattr(self, of)["benchmarks"] = [
                entry for entry in getattr(self, of)["benchmarks"] if entry["name"] != PLAIN]
            self.refuses(f"only in {other}.json: {PLAIN}")
        self.write("acknowledged.toml", f'[[change]]\nrow = "{PLAIN}"\nfigure = "row"\n'
                   'old = "absent"\nnew = "present"\nwhy = "new"\n')
        self.refuses(f"only in base.json: {PLAIN}")
        self.base, self.head = self.head, self.base
        self.assertEqual({TCP, RPYC, RATE}, set(self.verdicts(0)))

    def test_results_without_a_common_row(self):
        self.base, self.head = results(names=(TCP,)), results(names=(RPYC,))
        self.refuses("only in base.json")

    def test_other_units_and_labels(self):
        for values, words in (
                ({"time_unit": "ns"}, "time_unit is us in base, ns in head"),
                ({"label": "placement=split payload=random"}, "placement=split"),
                ({"label": "placement=shared payload=text"}, "payload=text")):
            with self.subTest(values):
                self.head = results()
                self.change(TCP, **values)
                self.refuses(TCP, words)

    def test_repetitions_of_several_conditions(self):
        self.head["benchmarks"][3]["label"] = "placement=split payload=random"
        self.refuses("head.json", TCP, "placement=shared", "placement=split")

    def test_ratios_that_are_not_usable(self):
        for value in (None, 0, -1, math.nan, math.inf, True, "20"):
            with self.subTest(value=value):
                self.head = results()
                self.change(RATE, probe_ratio=value)
                self.refuses("head.json", RATE, "probe_ratio")

    def test_results_without_ratios(self):
        for entry in self.head["benchmarks"]:
            del entry["probe_ratio"]
        self.refuses("no row has probe_ratio in both results: measure both with this version's bench_all, without "
                     "--no_pairs")

    def test_rules_that_leave_no_room(self):
        for text, where in (("stored_tolerated = 0.03\n" + CONFIG, "gate.toml: what"),
                            (CONFIG + '[[stored]]\nrows = "^L"\nlimit = 0.04\n', "[[stored]] number 1: what")):
            self.write("gate.toml", text)
            self.refuses(where, "must be below half of the limit")

    def test_exact_figures_that_are_lost_or_no_numbers(self):
        self.change(TCP, wire_bytes_out="many")
        self.refuses("head.json", TCP, "not a number")
        for entry in self.head["benchmarks"]:
            entry.pop("wire_bytes_out")
        self.refuses("head.json", TCP, "no wire_bytes_out")

    def test_another_preset_or_launcher(self):
        for key in ("preset", "server_launcher"):
            self.head = results()
            self.head["context"][key] = "else"
            self.refuses(f"{key} is ", "'else' in head.json")

    def test_builds_that_are_not_optimised(self):
        for values, words in (({"suite_build_type": "Debug"}, "built as Debug"),
                              ({"suite_build_type": None}, "built as None"),
                              ({"sanitizer": "thread"}, "built with -fsanitize=thread")):
            self.head = results()
            self.head["context"].update(values)
            self.refuses("head.json", words)

    def test_another_machine_is_unfit(self):
        for key in ("host_name", "cpu_model", "num_cpus", "kernel"):
            self.head = results()
            self.head["context"][key] = 64
            self.refuses(f"{key} is {CONTEXT[key]!r} in base.json, 64 in head.json", status=4,
                         gate=self.gate_process)

    def test_results_that_the_gate_would_overwrite_stay(self):
        self.out = self.folder
        done = self.gate()
        self.assertEqual(2, done.returncode)
        self.assertIn("base.json: the gate would overwrite it", done.stderr)
        self.assertEqual(self.base, json.loads((self.folder / "base.json").read_text()))
        self.assertFalse((self.folder / "gate.json").exists())

    def test_flags_of_the_other_way(self):
        for flag in ("--base=HEAD", "--inject=syscall", "--tier=exact", "--calibrate"):
            self.assertEqual(2, self.gate(flag).returncode)


class Ranks(unittest.TestCase):
    def test_the_quantiles_of_u_are_those_of_all_orders(self):
        for n, m in itertools.product(range(1, 7), range(1, 6)):
            us = [sum(place - rank for rank, place in enumerate(places))
                  for places in itertools.combinations(range(n + m), n)]
            for level in (0.005, 0.025, 0.2):
                k = tail(n, m, level)
                self.assertLessEqual(sum(u < k for u in us) / len(us), level)
                self.assertGreater(sum(u < k + 1 for u in us) / len(us), level)

    def test_the_quantiles_of_u_are_the_tables(self):
        """The tables' two-sided critical values at 0.05 are one below these."""
        self.assertEqual([18, 24, 38, 128], [tail(n, n, 0.025) for n in (9, 10, 12, 20)])

    def test_the_normal_quantiles_continue_the_counted_ones(self):
        n = math.isqrt(MOST_COUNTED)
        below, above = (tail(n, m, 0.025) for m in (n, n + 1))
        self.assertAlmostEqual(below + (tail(n, n, 0.025) - tail(n, n - 1, 0.025)), above, delta=5)

    def test_the_shift_is_the_median_of_all_differences(self):
        base, head = [1.0, 2.0, 4.0, 8.0, 16.0], [3.0, 5.0, 9.0, 17.0, 33.0]
        differences = sorted(b - a for a in base for b in head)
        k = tail(5, 5, 0.025)
        self.assertEqual((differences[12], differences[k - 1], differences[25 - k]), shift(base, head))

    def test_values_that_are_too_few_have_no_bounds(self):
        self.assertEqual((1.0, -math.inf, math.inf), shift([1.0, 1.0], [2.0, 2.0, 2.0]))

    def test_intervals_hold_the_truth_as_often_as_they_promise(self):
        """It counts all orders in which five values of either side can come, for a shift of zero."""
        held = [low <= 0 <= high for places in itertools.combinations(range(10), 5)
                for _, low, high in [shift(places, [x for x in range(10) if x not in places])]]
        self.assertGreaterEqual(sum(held) / len(held), 0.95)
        self.assertLess(sum(held) / len(held), 0.98)

    def test_as_few_values_as_an_interval_takes(self):
        for confidence in (0.95, 0.999, 1 - 1e-6):
            n = values_for(confidence)
            self.assertTrue(math.isfinite(shift(range(n), range(n), confidence)[1]))
            self.assertTrue(math.isinf(shift(range(n - 1), range(n - 1), confidence)[1]))


if __name__ == "__main__":
    unittest.main()
