"""Tests what ci/gate prints and writes: `gate_test.py`.

gate_exact_test.py tests the exact tier; real_gate_test.py gates the real programs.
"""

import json
import math
import os
import shlex
import signal
import subprocess
import unittest

from gate_test_case import CONFIG, ECHO, HERE, PING, QUICK, RATE, TOOLS, GateTest
from gating.settings import TimingRule
from gating.timing import Block
from testing.watching import PATIENCE, await_end, wait_until


class Verdicts(GateTest):
    def test_equal_builds_pass(self):
        self.config = self.write("careful.toml", CONFIG)
        code, out, err = self.gate_process(f"--base={self.fake('a')}", f"--head={self.fake('b')}")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("pass", out)
        self.assertEqual(set(self.verdicts().values()), {"pass"})
        self.assertEqual(set(self.verdicts()), {PING, ECHO, RATE})
        self.assertTrue((self.out / "SUMMARY.md").read_text().startswith("# Gate: pass"))

    def test_a_slower_row(self):
        code, out, err = self.gate_trees(self.fake("a"), self.fake("b", {ECHO: {"us": 21.2}}))
        self.assertEqual(code, 1, err)
        self.assertIn(ECHO, out)
        self.assertEqual(self.verdicts(), {PING: "pass", ECHO: "regression", RATE: "pass"})
        found = next(row for row in self.document()["timing"]["rows"] if row["row"] == ECHO)
        self.assertAlmostEqual(found["change"], 0.06, delta=0.005)
        summary = (self.out / "SUMMARY.md").read_text()
        self.assertIn("# Gate: regression", summary)
        self.assertLess(summary.index(ECHO), summary.index("Rows that passed"))

    def test_a_rate_that_falls(self):
        head = self.fake("b", {RATE: {"rate": 850.0}, ECHO: {"us": 10.0}})
        self.assertEqual(self.gate_trees(self.fake("a"), head)[0], 1)
        self.assertEqual(self.verdicts()[RATE], "regression")

    def test_a_faster_row_and_a_rate_that_grows_are_no_regressions(self):
        head = self.fake("b", {ECHO: {"us": 15.0}, RATE: {"rate": 1500.0}})
        self.assertEqual(self.gate_trees(self.fake("a"), head)[0], 0)

    def test_a_second_statistic_has_limits_of_its_own(self):
        """A change that spares the fastest tenth of the calls moves their mean."""
        self.config = self.write("two.toml", QUICK + '[[timing]]\nrows = "^Latency/"\nstatistic = "mean_us"\n'
                                 "tolerated = 0.05\ncaught = 0.15\n")
        base, head = (self.fake(name, {row: {"more": {"mean_us": mean}} for row in (PING, ECHO)})
                      for name, mean in (("a", 30.0), ("b", 40.0)))
        code, out, err = self.gate_trees(base, head, "--rows=^Latency/")
        self.assertEqual(code, 1, err)
        self.assertIn(f"{ECHO}: mean_us +33.3 %", out)
        self.assertNotIn("p10_us +", out)
        self.assertEqual([row["verdict"] for row in self.document()["timing"]["rows"]], ["pass", "regression"] * 2)

    def test_a_mean_of_all_slots_sees_what_the_best_of_them_has_not(self):
        slots = [20.0] * 5 + [40.0]
        for of_slots, q in (("best", 0.0), ("mean", math.log(140 / 120))):
            for statistic, sign in (("real_time", 1), ("items_per_second", -1)):
                rule = TimingRule("", statistic, of_slots=of_slots)
                base, head = ([value ** sign for value in side] for side in ([20.0] * 6, slots))
                expected = q if sign > 0 or not q else math.log(6 / 5.5)
                self.assertAlmostEqual(Block(base, head, rule).q, expected)

    def test_many_slower_rows_are_told_by_layer(self):
        rows = {f"Latency/{mode}/{name}/real_time": {} for mode in ("rpyc_threaded", "rpyc_async", "http_threaded")
                for name in ("ping", "echo/64")}
        slower = {row: {"us": 24.0} if "/rpyc_" in row else {} for row in rows}
        code, out, err = self.gate_trees(self.fake("a", rows), self.fake("b", slower), "--tier=timing")
        self.assertEqual(code, 1, err)
        self.assertRegex(out, r"many rows, by layer: rpyc 4 of 4 \(\+(19|20)\.\d %\), async 2 of 2")
        summary = (self.out / "SUMMARY.md").read_text()
        self.assertIn("## By layer", summary)
        self.assertRegex(summary, r"\| rpyc \| 4 \| 4 \| \+(19|20)")

    def test_neither_slower_nor_cleared(self):
        """7.5 % is more than what must be caught, so it cannot pass, and two blocks are too few to show it."""
        self.config = self.write("few.toml", "max_blocks = 2\nmissed = 0.5\n" + CONFIG)
        base, head = self.fake("a"), self.fake("b", {ECHO: {"us": 21.5}})
        self.assertEqual(self.gate_process(f"--base={base}", f"--head={head}")[0], 3)
        self.assertEqual(self.verdicts()[ECHO], "inconclusive")
        self.assertIn(ECHO, (self.out / "SUMMARY.md").read_text().partition("## Control")[0])
        self.assertEqual(self.gate_trees(base, head, "--inconclusive=pass")[0], 0)
        self.assertEqual(self.document()["verdict"], "inconclusive")

    def test_the_time_is_limited(self):
        self.config = self.write("short.toml", "timing_seconds = 0.001\n" + QUICK)
        self.assertIn(self.gate_trees(self.fake("a"), self.fake("b"))[0], (3, 4))

    def test_a_control_that_does_not_pass(self):
        """One block is too few for it; without the control, a row that looks slower gets no verdict."""
        self.config = self.write("few.toml", "max_blocks = 1\n" + QUICK)
        base, head = self.fake("a"), self.fake("b", {ECHO: {"us": 40.0}})
        code, out, err = self.gate_process(f"--base={base}", f"--head={head}")
        self.assertEqual(code, 4, err)
        self.assertIn("# Gate: unfit", (self.out / "SUMMARY.md").read_text())
        self.assertNotIn(ECHO, out)

    def test_an_injected_slowdown_is_found_and_told(self):
        code, _, err = self.gate(f"--base={self.fake('a')}", "--inject=spin:8%", "--rows=^Latency")
        self.assertEqual(code, 1, err)
        self.assertEqual(self.verdicts(), {PING: "regression", ECHO: "regression"})
        document = self.document()
        self.assertEqual(document["inject"], "spin:8%")
        self.assertIn("on purpose", (self.out / "SUMMARY.md").read_text())
        self.assertAlmostEqual(document["timing"]["rows"][0]["change"], 0.08, delta=0.01)

    def test_both_sides_are_results_that_compare_py_reads(self):
        self.gate_trees(self.fake("a"), self.fake("b", {PING: {"us": 40.0}}))
        self.assertGreater(self.median("head", PING), 1.5 * self.median("base", PING))
        for side in ("base", "head"):
            rows = [row for row in self.document(f"{side}.json")["benchmarks"] if row["name"] == ECHO]
            self.assertGreaterEqual(len(rows), 12)  # at least two blocks
            self.assertEqual([row["repetition_index"] for row in rows], list(range(len(rows))))
            self.assertEqual({row["repetitions"] for row in rows}, {len(rows)})
        compare = subprocess.run([str(TOOLS / "compare"), "--no-install",
                                  str(self.out / "base.json"), str(self.out / "head.json")],
                                 capture_output=True, text=True, check=False, timeout=PATIENCE)
        self.assertEqual(compare.returncode, 0, compare.stderr)
        self.assertIn(ECHO, compare.stdout)

    def test_who_begins_is_a_matter_of_the_coin_and_both_run_in_turns(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two CPUs")
        diary = self.folder / "diary"
        self.config = self.write("careful.toml", CONFIG)  # it needs more blocks than a few throws of the coin
        self.gate_trees(self.fake("a", diary=str(diary)), self.fake("b", diary=str(diary)), "--tier=timing",
                        "--rows=echo")
        entries = [line.split() for line in diary.read_text().splitlines()]
        on = {side: sorted((int(at), cpu) for name, who, cpu, at in entries
                           if name == ECHO and who == side and cpu.isdigit()) for side in "ab"}
        self.assertEqual(len(on["a"]), len(on["b"]))
        first, second = (on["a"][slot][1] for slot in (0, 1))
        self.assertNotEqual(first, second)
        for number, ((_, ours), (_, theirs)) in enumerate(zip(on["a"], on["b"])):
            self.assertEqual(ours, theirs)
            self.assertEqual(ours, (first, second)[number % 2])
        coins = [block["coin"] for block in self.document()["timing"]["rows"][0]["measured"]]
        for block, coin in enumerate(coins):
            slots = range(6 * block, 6 * block + 6)
            base_first = not coin
            self.assertEqual([on["a"][slot] < on["b"][slot] for slot in slots],
                             [base_first, base_first, not base_first, not base_first, base_first, base_first])

    def coins(self, base, seed):
        self.gate_trees(base, base, f"--seed={seed}", "--tier=timing", "--rows=/echo/")
        return [block["coin"] for row in self.document()["timing"]["rows"] for block in row["measured"]]

    def test_coins_are_fair_and_the_same_seed_throws_the_same(self):
        self.config = self.write("one.toml", "slots = 1\n" + QUICK)
        base = self.fake("a", {f"Latency/tcp_threaded/echo/{size}/real_time": {} for size in range(30)})
        coins = [self.coins(base, seed) for seed in (7, 8, 7)]
        for thrown in coins:
            self.assertGreater(len(thrown), 50)
            self.assertTrue(0.25 < sum(thrown) / len(thrown) < 0.75, thrown)
        self.assertEqual(coins[0], coins[2])
        self.assertNotEqual(coins[0], coins[1])
        self.assertEqual(self.document()["seed"], 7)

    def test_iterations_are_named_once_they_are_known_if_both_builds_take_them(self):
        able = {"rows_on_request": "inject,iterations"}
        for number, (base, head, expected) in enumerate(((able, able, {"iterations:100"}), (able, {}, set()))):
            named = self.folder / f"named{number}"
            trees = [self.fake(f"{side}{number}", context=context, named=str(named))
                     for side, context in (("base", base), ("head", head))]
            code, _, err = self.gate_trees(*trees, "--tier=timing", "--rows=^Latency/")
            self.assertEqual(code, 0, err)
            asked = [line.split() for line in named.read_text().splitlines()]
            self.assertEqual({words[2] for words in asked if len(words) > 2}, expected)
            if expected:  # not for each row's first slot, which determines the iterations, and the context's call
                self.assertLessEqual(sum(len(words) == 2 for words in asked), 2 + 4)

    def test_one_cpu_is_enough(self):
        cpu = min(os.sched_getaffinity(0))
        base, head = self.fake("a"), self.fake("b", {ECHO: {"us": 22.0}})
        code, _, err = self.gate_process(f"--base={base}", f"--head={head}", "--tier=timing", "--rows=Latency",
                                         cpus={cpu})
        self.assertEqual(code, 1, err)
        self.assertEqual(self.verdicts(), {PING: "pass", ECHO: "regression"})

    def test_a_row_too_slow_for_its_percentile_is_judged_by_the_mean(self):
        head = self.fake("b", {ECHO: {"us": 2000.0, "lacks": ["p10_us"]}})
        self.assertEqual(self.gate_trees(self.fake("a"), head, "--tier=timing")[0], 1)
        self.assertEqual(self.verdicts()[ECHO], "regression")


class Broken(GateTest):
    def test_what_a_build_may_do_wrong(self):
        for spec, *words in (
                ({"said": "{not JSON"}, "not a result"),
                ({"said": "{}"}, "not a result"),
                ({"said": '{"context": {}, "benchmarks": []}'}, "0 rows"),
                ({"dies": "bench_all: out of luck"}, "ended", "out of luck"),
                ({"more": {"error_occurred": True, "error_message": "no server"}}, "no server"),
                ({"more": {"label": "placement=free payload=random"}}, "placement=free"),
                ({"more": {"time_unit": "ms"}}, "time_unit"),
                ({"more": {"p10_us": -1}}, "p10_us is -1"),
                ({"lacks": ["p10_us"]}, "p10_us")):
            with self.subTest(spec=spec):
                head = self.fake(f"head{len(os.listdir(self.folder))}", {ECHO: spec})
                base = self.fake(f"base{len(os.listdir(self.folder))}")
                self.assert_broken(self.gate_trees(base, head, "--rows=Latency"), ECHO, *words)

    def test_a_server_that_did_not_end_well(self):
        for tier in ("exact", "timing"):
            head = self.fake(f"head {tier}", ends="bench_all: a server did not end well")
            self.assert_broken(self.gate_trees(self.fake(f"base {tier}"), head, f"--tier={tier}"), "head",
                               "did not end well")

    def test_builds_that_are_none(self):
        base = self.fake("a")
        (self.folder / "empty").mkdir()
        self.assert_broken(self.gate_trees(base, self.folder / "empty"), "without bench_all")
        self.assert_broken(self.gate_trees(base, "no-such-revision"), "no-such-revision", "no revision")
        self.assert_broken(self.gate_trees(base, self.fake("b", old=True)), "older than the gate")
        for context, word in (({"suite_build_type": "Debug"}, "Debug"), ({"sanitizer": "thread"}, "thread")):
            head = self.fake(f"{word} build", context=context)
            self.assert_broken(self.gate_trees(base, head), "head", word)
        (base / "bench_server").unlink()
        self.assert_broken(self.gate_trees(base, base), "no bench_server")

    def test_a_fault_of_the_gate_itself_is_no_regression(self):
        head = self.fake("b", {ECHO: {"more": {"label": 7}}})
        code, out, err = self.gate_process(f"--base={self.fake('a')}", f"--head={head}")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("Traceback", err)  # because the fault was not foreseen

    def test_the_locale_does_not_matter(self):
        base, head = self.fake("a"), self.fake("µ", {ECHO: {"us": 40.0}})
        self.out = self.folder / "ö"
        for environment in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}):
            done = subprocess.run([str(HERE / "gate"), *self.flags(f"--base={base}", f"--head={head}")],
                                  env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=PATIENCE, check=False)
            self.assertEqual((done.returncode, done.stderr), (1, b""))
            self.assertIn("regression: fake a → fake µ", done.stdout.decode())

    def test_a_stdout_that_nobody_reads_does_not_matter(self):
        read, write = os.pipe()
        os.close(read)
        base = self.fake("a")
        done = subprocess.run([str(HERE / "gate"), *self.flags(f"--base={base}", f"--head={base}")], stdout=write,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        os.close(write)
        self.assertEqual(done.returncode, 0)

    def test_a_closed_stderr_is_no_regression(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([str(HERE / "gate"), "--base=nothing", f"--out={self.out}"], stderr=write,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        os.close(write)
        self.assertEqual(done.returncode, 2)

    def test_files_that_are_no_gate_s_are_not_touched(self):
        self.out.mkdir()
        (self.out / "base.json").write_text("{}")
        code, _, err = self.gate_trees(self.fake("a"), self.fake("b"))
        self.assertEqual(code, 2)
        self.assertIn("base.json", err)
        self.assertEqual((self.out / "base.json").read_text(), "{}")

    def test_builds_by_different_compilers_are_told(self):
        head = self.fake("b", context={"compiler": "other 1.0"})
        self.assertEqual(self.gate_trees(self.fake("a"), head, "--tier=exact")[0], 0)
        self.assertIn("other 1.0", (self.out / "SUMMARY.md").read_text())

    def test_a_tier_without_rows(self):
        base = self.fake("a")
        self.config = self.write("narrow.toml", QUICK.replace("^(Latency|Concurrent)/", "^Latency/"))
        self.assert_broken(self.gate_trees(base, base, "--tier=exact", "--rows=^Concurrent/"), "no row in common")
        self.config = self.write("narrow.toml", f'control = "{PING}"\nexact = "."\n[[timing]]\nrows = "^Latency/"\n')
        self.assert_broken(self.gate_trees(base, base, "--tier=timing", "--rows=^Concurrent/"), "no row in common")

    def test_an_injection_that_the_tier_does_not_see(self):
        base = self.fake("a")
        self.assert_broken(self.gate_trees(base, base, "--tier=exact", "--inject=spin:5%"), "--inject", "spin:5%")
        for text in ("spin:0%", "syscall:some", "bytes:1", "spin:5%:0"):
            with self.subTest(text):
                self.assert_broken(self.gate_trees(base, base, f"--inject={text}"), "--inject", text)

    def test_parts_of_a_configuration_that_nothing_is_judged_by(self):
        base = self.fake("a")
        slower = self.fake("b", {ECHO: {"us": 400.0}})
        rules = '[[timing]]\nrows = "^Latency/"\n'
        for text, *words in ((rules + '[[timing]]\nrows = "^Conection/"\n', "number 2", "^Conection/", "no row"),
                             ('[[timing]]\nrows = "echo"\n' + rules, "number 1", "echo", "without effect", ECHO),
                             ('without_timing = "."\n' + rules, "number 1", "without effect"),
                             ('without_timing = "^Concurrent/"\n' + rules, "without_timing", "^Concurrent/"),
                             ('exact = "^Latncy"\n' + rules, "exact", "^Latncy"),
                             ('exact = "^Latency"\nwithout_ledger = "^Concurrent"\n' + rules, "without_ledger"),
                             ('instructions = ["Latency/none"]\n' + rules, "instructions", "Latency/none"),
                             (f'instructions = ["{PING}"]\n' + rules, "instructions", PING, "exact"),
                             ('control = "Latency/none"\n' + rules, "control", "Latency/none")):
            with self.subTest(text=text):
                control = "" if text.startswith("control") else f'control = "{PING}"\n'
                self.config = self.write("dead.toml", control + text)
                self.assert_broken(self.gate_trees(base, slower), *words)

    def test_configurations(self):
        base = self.fake("a")
        for text, *words in (("control = ", "not TOML"), ("controll = 'x'", "controll"),
                             ("false_alarms = 2", "false_alarms", "share"),
                             ("max_blocks = 'many'", "max_blocks"), ("exact = '('", "exact"),
                             ("[[timing]]\nstatistic = 'p10_us'", "number 1", "rows"),
                             ("[[timing]]\nrows = 'x'\ntolerated = 0.1", "tolerated", "below"),
                             ("rows = 'x'", "'rows'"), ("timing_seconds = inf", "timing_seconds"),
                             ("[[timing]]\nrows = 'x'\nstatistic = 'requests_per_s'", "requests_per_s", "p10_us"),
                             ("[[timing]]\nrows = 'x'\nstatistic = 'samples'", "samples"),
                             ("[[timing]]\nrows = 'x'\nof_slots = 'worst'", "of_slots", "worst"),
                             ("timing = 3", "[[timing]]")):
            with self.subTest(text=text):
                self.config = self.write("bad.toml", text)
                self.assert_broken(self.gate_trees(base, base), "bad.toml", *words)
        self.config = self.folder / "absent.toml"
        self.assert_broken(self.gate_trees(base, base), "absent.toml")

    def test_command_lines(self):
        for arguments in ([], ["--base=x", "--blocks=9"], ["--base=x", "--head=y", "--calibrate"],
                          ["--base=x", "a.json", "b.json"], ["a.json"], ["--base=x", "--rows=("],
                          ["--base=x", "--tier=all"], ["--base=x", "--relink"],
                          ["--base=x", "--calibrate", "--blocks=0"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.gate(*arguments)[0], 2)
        base = self.fake("a")
        self.assert_broken(self.gate(f"--base={base}", "--inject=spin"), "spin", "syscall")

    def test_what_an_earlier_gate_left_does_not_pass_for_this_one(self):
        base, head = self.fake("a"), self.fake("b", {ECHO: {"dies": "gone"}})
        for name, text, word in (("gate.toml", QUICK, "gone"), ("bad.toml", "x", "bad.toml")):
            self.config = self.folder / "gate.toml"
            self.gate_trees(base, base, "--tier=exact")
            self.assertTrue((self.out / "SUMMARY.md").exists())
            self.config = self.write(name, text)
            self.assert_broken(self.gate_trees(base, head), word)

    def test_an_interrupted_gate_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(signal=number):
                mark = self.folder / f"mark{number}"
                head = self.fake(f"h{number}", {ECHO: {"hangs": str(mark)}})
                gate = self.start(f"--base={self.fake(f'b{number}')}", f"--head={head}")
                wait_until(lambda: mark.exists() and mark.read_text(), "a row that hangs")
                gate.send_signal(number)
                gate.communicate(timeout=PATIENCE)
                self.assertNotEqual(gate.returncode, 0)
                await_end(int(mark.read_text()))
                self.assertEqual(self.left(), set())


class Resumed(GateTest):
    def setUp(self):
        super().setUp()
        self.config = self.write("careful.toml", CONFIG)

    def interrupted(self, base, head, *flags):
        """Interrupts a gate while a row of head hangs after some rounds, and then repairs the row."""
        mark = self.folder / "mark"
        gate = self.start(f"--base={base}", f"--head={head}", *flags)
        wait_until(lambda: mark.exists() and mark.read_text(), "a row that hangs")
        gate.send_signal(signal.SIGINT)
        gate.communicate(timeout=PATIENCE)
        self.assertEqual(gate.returncode, 130)

    def test_a_gate_goes_on_where_it_was_interrupted(self):
        log = self.folder / "log"
        program = {}
        for name in ("a", "b"):
            program[name] = self.fake(name, log=str(log)) / "bench_all"
        # From its 40th start on, a program of head hangs.
        text = program["b"].read_text()
        hanging = text.replace("#!/bin/bash\n", "#!/bin/bash\nif [[ $(wc -l < {}) -gt 40 ]]; then echo $$ > {}; exec "
                               "sleep 1000; fi\n".format(*(shlex.quote(str(self.folder / name))
                                                           for name in ("log", "mark"))))
        program["b"].write_text(hanging)
        self.interrupted(program["a"].parent, program["b"].parent)
        progress = (self.out / "progress.jsonl").read_text().splitlines()
        self.assertGreater(len(progress), 4)  # the gate, the exact tier, and blocks
        other = self.gate_trees(program["a"].parent, self.fake("c"), "--resume")
        self.assertEqual(other[0], 2)
        self.assertIn("another head", other[2])
        (self.folder / "log").unlink()
        os.truncate(self.out / "progress.jsonl", os.path.getsize(self.out / "progress.jsonl") - 9)  # as if cut off
        code, out, err = self.gate_trees(program["a"].parent, program["b"].parent, "--resume")
        self.assertEqual(code, 0, err)
        self.assertNotIn("--ledger=true", log.read_text())  # nothing exact was counted again
        document = self.document()
        self.assertEqual(document["seed"], json.loads(progress[0])["seed"])
        before = [json.loads(line) for line in progress[2:-1]]
        for row in document["timing"]["rows"]:
            own = [line["block"]["coin"] for line in before if line["row"] == row["row"] and not line["control"]]
            self.assertEqual([block["coin"] for block in row["measured"]][:len(own)], own)
        self.assertFalse((self.out / "progress.jsonl").exists())

    def test_without_one_that_was_interrupted(self):
        base = self.fake("a")
        self.assert_broken(self.gate_trees(base, base, "--resume"), "progress.jsonl", "no interrupted gate")
        self.assertEqual(self.gate_trees(base, base, "--resume", "--calibrate")[0], 2)


class Calibration(GateTest):
    def setUp(self):
        super().setUp()
        self.config = self.write("careful.toml", CONFIG)

    def test_replays(self):
        code, _, err = self.gate(f"--base={self.fake('a')}", "--calibrate", "--blocks=8", "--gates=1000")
        self.assertEqual(code, 0, err)
        found = self.document("calibration.json")
        self.assertEqual(found["gates_with_a_false_alarm"], 0)
        self.assertEqual([row["blocks"] for row in found["rows"]], [8] * 3)
        for row in found["rows"]:
            self.assertLess(row["detectable"], 1.2 * row["caught"])
        self.assertIn("| " + ECHO, (self.out / "CALIBRATION.md").read_text())

    def test_injected_truth(self):
        self.gate(f"--base={self.fake('a')}", "--calibrate", "--blocks=8", "--gates=500",
                  "--rows=^Latency", "--inject=spin:6%")
        for row in self.document("calibration.json")["rows"]:
            self.assertAlmostEqual(row["change"], 0.06, delta=0.003)
            self.assertGreater(row["caught_in_replays"], 0.99)
            self.assertGreater(row["promised"], 0.99)


if __name__ == "__main__":
    unittest.main()
