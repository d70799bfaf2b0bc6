"""What ci/gate says and leaves behind: `gate_test.py`.

It gates builds that are scripts with known times, so that a verdict is a matter of arithmetic and not of this
machine's mood. real_gate_test.py gates the real programs.
"""

import json
import os
import pathlib
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent / "tools"
sys.path.insert(0, str(TOOLS))

# pylint: disable=wrong-import-position
from gating import counters
from gating.main import main
from in_process import run_in_process

PATIENCE = 120  # seconds until a wait is given up
PING, ECHO = "Latency/tcp_threaded/ping/real_time", "Latency/tcp_threaded/echo/64/real_time"
RATE = "Concurrent/tcp_threaded/clients:4/real_time"

# A bench_all whose rows are the arms of a `case`. Times are in ns, and rates in thousandths; each is a little off.
# It is a shell script because such a one starts at once, and a gate starts dozens.
FAKE = """#!/bin/bash
[[ -z {log} ]] || echo {version} "$@" >> {log}
case " $* " in
  *" --version "*) echo fake {version} && exit ;;
  *" --benchmark_list_tests "*) printf '%s\\n' {rows} && exit ;;
  *" --rows_on_request "*) [[ -z {old} ]] && known=yes ;;
esac
[[ $known == yes ]] || {{ echo 'bench_all: unknown argument "--rows_on_request"' >&2; exit 1; }}

write_in_diary() {{  # its version, the CPUs that it may use, and when
  while read -r key cpus; do [[ $key != Cpus_allowed_list: ]] || break; done < /proc/self/status
  echo "$name" {version} "$cpus" "${{EPOCHREALTIME/[.,]/}}" >> {diary}
}}
answer() {{  # NS RATE RESULT
  local noise=$((SRANDOM % 2551 - 1275)) ns rate inject_ns=0
  [[ $inject != spin:* ]] || inject_ns=${{inject#spin:}}
  ns=$((($1 + inject_ns) * (1000000 + noise) / 1000000)) rate=$(($2 * (1000000 + noise) / 1000000))
  printf -v us '%d.%03d' $((ns / 1000)) $((ns % 1000))
  printf -v rate '%d.%03d' $((rate / 1000)) $((rate % 1000))
  local result=${{3//\\"US\\"/$us}}
  result=${{result//\\"RATE\\"/$rate}}
  result=${{result//\\"FLUTTERS\\"/$SRANDOM}}
  echo "${{result//INJECT/${{inject:+ inject=$inject}}}}"
}}
while read -r name inject; do
  [[ -z {diary} ]] || write_in_diary
  case $name in
{arms}
  esac
done
[[ -z {ends} ]] || {{ echo {ends} >&2; exit 1; }}
"""


def arm_of(name, spec, context):
    """What the fake does when it is asked for the row: its arm of the `case`."""
    row = {"name": name, "run_name": name, "run_type": "iteration", "time_unit": "us", "repetitions": 1,
           "repetition_index": 0, "iterations": 100, "cpu_time": 1.0,
           "label": "placement=shared payload=randomINJECT", "round_trips": 1.0, "wire_bytes_out": 20.0,
           "wire_bytes_in": 30.0, "ledger_exact": 1.0, "server_syscalls": 2.0, "real_time": "US",
           "p10_us": "US", "items_per_second": "RATE"}
    row |= spec.get("more", {})
    if "flutters" in spec:
        row[spec["flutters"]] = "FLUTTERS"
    row = {key: value for key, value in row.items() if key not in spec.get("lacks", ())}
    context = {"host_name": "here", "suite_build_type": "Release"} | context
    result = shlex.quote(json.dumps({"context": context, "benchmarks": [row]}))
    does = f"answer {round(1000 * spec.get('us', 20))} {round(1000 * spec.get('rate', 1000))} {result}"
    if "said" in spec:
        does = f"echo {shlex.quote(spec['said'])}"
    if "dies" in spec:
        does = f"echo {shlex.quote(spec['dies'])} >&2; exit 1"
    if "hangs" in spec:
        does = f"echo $$ > {shlex.quote(spec['hangs'])}; exec sleep 1000"
    return f"    {shlex.quote(name)}) {does} ;;"


def fake_bench_all(version, rows, *, context=(), old=False, diary="", log="", ends=""):
    """The fake's text. `rows` is {name: what differs from the usual}; `old` makes it one from before the gate;
    it writes into the file `diary` when and where it ran rows, and into `log` how it was called; if it `ends`
    badly, it says this and exits with 1."""
    arms = [arm_of(name, spec, dict(context)) for name, spec in {**rows, "Floor/ping/real_time": {}}.items()]
    quoted = {"version": version, "log": log, "diary": diary, "old": "old" if old else "", "ends": ends}
    return FAKE.format(rows=shlex.join(rows), arms="\n".join(arms),
                       **{key: shlex.quote(value) for key, value in quoted.items()})


CONFIG = f"""
control = "{PING}"
exact = '^(Latency|Concurrent)/'
acknowledged = "acknowledged.toml"
[[timing]]
rows = '^Latency/'
[[timing]]
rows = '^Concurrent/'
statistic = "items_per_second"
tolerated = 0.03
caught = 0.10
"""
# The noise of the fakes is far below what is tolerated, so gates need no low error rates to be right about them:
# with these, two blocks make a pass, and three a regression.
QUICK = "false_alarms = 0.9\nmissed = 0.5\n" + CONFIG


class GateTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gate test ")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        self.config = self.write("gate.toml", QUICK)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def fake(self, name, rows=(), **more):
        """A build tree whose rows are PING, ECHO and RATE, with what differs from the usual."""
        specs = {PING: {}, ECHO: {}, RATE: {}} | dict(rows)
        tree = self.folder / name
        tree.mkdir()
        rows = {row: spec for row, spec in specs.items() if spec is not None}
        for program, text in (("bench_all", fake_bench_all(name, rows, **more)), ("bench_server", "#!/bin/sh\n")):
            (tree / program).write_text(text, encoding="utf-8")
            (tree / program).chmod(0o755)
        return tree

    def flags(self, *arguments):
        return [*map(str, arguments), f"--config={self.config}", f"--out={self.out}"]

    def start(self, *arguments, cpus=None):
        """A gate that is a process."""
        command = [str(HERE / "gate"), *self.flags(*arguments)]
        if cpus:
            command = ["taskset", "--cpu-list", ",".join(map(str, cpus)), *command]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def gate_process(self, *arguments, cpus=None):
        """(exit status, stdout, stderr) of a gate that is a process"""
        process = self.start(*arguments, cpus=cpus)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def gate(self, *arguments):
        """The same, in this process."""
        done = run_in_process(lambda: main(sys.argv[1:]), *self.flags(*arguments))
        return done.returncode, done.stdout, done.stderr

    def gate_trees(self, base, head, *arguments):
        return self.gate(f"--base={base}", f"--head={head}", *arguments)

    def median(self, side, name):
        return statistics.median(row["real_time"] for row in self.document(f"{side}.json")["benchmarks"]
                                 if row["name"] == name)

    def document(self, name="gate.json"):
        return json.loads((self.out / name).read_text(encoding="utf-8"))

    def verdicts(self):
        return {row["row"]: row["verdict"] for row in self.document()["timing"]["rows"]}

    def left(self):
        """What a gate left in its folder, but for what it could go on with."""
        return set(os.listdir(self.out) if self.out.exists() else ()) - {"progress.jsonl"}

    def assert_broken(self, result, *words, status=2):
        """One line says what and where, and nothing is left that looks like a verdict."""
        code, out, err = result
        self.assertEqual(code, status, err)
        lines = err.strip().splitlines()
        self.assertEqual(len(lines), 1, err)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertEqual(out, "")
        self.assertEqual(self.left(), set())


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

    def test_a_faster_row_is_no_regression(self):
        self.assertEqual(self.gate_trees(self.fake("a"), self.fake("b", {ECHO: {"us": 15.0}}))[0], 0)

    def test_a_rate_that_falls(self):
        head = self.fake("b", {RATE: {"rate": 850.0}, ECHO: {"us": 10.0}})
        self.assertEqual(self.gate_trees(self.fake("a"), head)[0], 1)
        self.assertEqual(self.verdicts()[RATE], "regression")

    def test_a_rate_that_grows_is_no_regression(self):
        self.assertEqual(self.gate_trees(self.fake("a"), self.fake("b", {RATE: {"rate": 1500.0}}))[0], 0)

    def test_a_second_statistic_has_limits_of_its_own(self):
        """What spares the fastest tenth of the calls moves their mean."""
        self.config = self.write("two.toml", QUICK + '[[timing]]\nrows = "^Latency/"\nstatistic = "mean_us"\n'
                                 "tolerated = 0.05\ncaught = 0.15\n")
        base, head = (self.fake(name, {row: {"more": {"mean_us": mean}} for row in (PING, ECHO)})
                      for name, mean in (("a", 30.0), ("b", 40.0)))
        code, out, err = self.gate_trees(base, head, "--rows=^Latency/")
        self.assertEqual(code, 1, err)
        self.assertIn(f"{ECHO}: mean_us +33.3 %", out)
        self.assertNotIn("p10_us +", out)
        self.assertEqual([row["verdict"] for row in self.document()["timing"]["rows"]], ["pass", "regression"] * 2)

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
        """One block is too few for it; without it, nothing is said of a row that looks slower."""
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
            self.assertGreaterEqual(len(rows), 12)  # of two blocks at least
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
        self.config = self.write("careful.toml", CONFIG)  # whose blocks are more than a few throws of the coin
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


class Exact(GateTest):
    CHANGED = {ECHO: {"more": {"server_syscalls": 3.0}}}

    def test_one_system_call_more(self):
        code, out, err = self.gate_trees(self.fake("a"), self.fake("b", self.CHANGED), "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls 2.0 → 3.0", out)
        self.assertEqual(self.document()["exact"]["changes"],
                         [{"row": ECHO, "figure": "server_syscalls", "old": 2.0, "new": 3.0, "why": ""}])

    def test_one_less_is_a_change_as_well(self):
        less = {ECHO: {"more": {"server_syscalls": 1.0}}}
        self.assertEqual(self.gate_trees(self.fake("a"), self.fake("b", less), "--tier=exact")[0], 1)

    def test_the_summary_prints_the_entry_that_acknowledges_it(self):
        base, head = self.fake("a"), self.fake("b", self.CHANGED)
        self.gate_trees(base, head, "--tier=exact")
        entry = re.search(r"```toml\n(.*?)```", (self.out / "SUMMARY.md").read_text(), re.DOTALL)[1]
        self.write("acknowledged.toml", entry)
        result = self.gate_trees(base, head, "--tier=exact")
        self.assert_broken(result, "acknowledged.toml", "number 1", "why")
        self.write("acknowledged.toml", entry.replace('why = ""', 'why = "a log of calls"'))
        self.assertEqual(self.gate_trees(base, head)[0], 0)
        summary = (self.out / "SUMMARY.md").read_text()
        self.assertIn("a log of calls", summary)
        self.assertNotIn("no longer needed", summary)
        self.assertEqual(self.gate_trees(base, self.fake("c"), "--tier=exact")[0], 0)
        self.assertIn("no longer needed", (self.out / "SUMMARY.md").read_text())
        done = self.gate_trees(base, self.fake("d"), "--tier=exact", "--rows=ping")  # knows nothing of it
        self.assertEqual(done[0], 0)
        self.assertNotIn("no longer needed", (self.out / "SUMMARY.md").read_text())

    def test_an_entry_of_no_values(self):
        base = self.fake("a")
        for values in ("old = []\nnew = 1", "old = 1", "old ="):
            self.write("acknowledged.toml",
                       f'[[change]]\nrow = "x"\nfigure = "server_instructions"\n{values}\nwhy = "y"\n')
            self.assert_broken(self.gate_trees(base, base), "acknowledged.toml")

    def test_an_entry_covers_its_figures_only(self):
        self.write("acknowledged.toml", f'[[change]]\nrow = "{ECHO}"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = 4\nwhy = "two more"\n')
        result = self.gate_trees(self.fake("a"), self.fake("b", self.CHANGED), "--tier=exact")
        self.assertEqual(result[0], 1)

    def test_a_pattern_covers_several_rows(self):
        self.write("acknowledged.toml", '[[change]]\nrow = "Latency/*"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = 3\nwhy = "one more"\n')
        head = self.fake("b", {row: {"more": {"server_syscalls": 3.0}} for row in (PING, ECHO)})
        self.assertEqual(self.gate_trees(self.fake("a"), head, "--tier=exact")[0], 0)

    def test_a_figure_that_never_repeats_is_not_judged(self):
        rows = {ECHO: {"flutters": "server_syscalls"}}
        self.assertEqual(self.gate_trees(self.fake("a", rows), self.fake("b", rows), "--tier=exact")[0], 0)
        self.assertEqual(self.document()["exact"]["unsettled"], [{"row": ECHO, "figure": "server_syscalls"}])
        self.assertIn("1 did not repeat", (self.out / "SUMMARY.md").read_text())

    def test_a_figure_that_repeats_in_base_alone_became_irregular(self):
        head = self.fake("b", {ECHO: {"flutters": "server_syscalls"}})
        code, out, err = self.gate_trees(self.fake("a"), head, "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls 2.0 → irregular", out)
        self.write("acknowledged.toml", f'[[change]]\nrow = "{ECHO}"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = "irregular"\nwhy = "it retries"\n')
        self.assertEqual(self.gate_trees(self.fake("c"), head, "--tier=exact")[0], 0)

    def test_calls_that_cost_now_this_now_that(self):
        """Four system calls in each call, then four or five by turns: the mean differs, and so do the calls."""
        head = self.fake("b", {ECHO: {"more": {"server_syscalls": 2.5, "ledger_exact": 0.0}}})
        code, out, err = self.gate_trees(self.fake("a"), head, "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls 2.0 → 2.5", out)
        self.assertIn("ledger_exact 1.0 → 0.0", out)

    def test_a_ledger_that_head_lacks(self):
        head = self.fake("b", {ECHO: {"lacks": ["server_syscalls", "ledger_exact"]}})
        self.assert_broken(self.gate_trees(self.fake("a"), head, "--tier=exact"), ECHO, "server_syscalls", "head")

    def test_a_row_that_only_one_side_has(self):
        base, head = self.fake("a"), self.fake("b", {ECHO: None})
        for first, second, entry in ((base, head, '"present"\nnew = "absent"'),
                                     (head, base, '"absent"\nnew = "present"')):
            self.write("acknowledged.toml", "")
            result = self.gate_trees(first, second)
            self.assert_broken(result, ECHO, "only one side")
            self.write("acknowledged.toml", f'[[change]]\nrow = "{ECHO}"\nfigure = "row"\nold = {entry}\n'
                       'why = "it says nothing"\n')
            self.assertEqual(self.gate_trees(first, second)[0], 0)

    def test_a_figure_that_is_gone(self):
        head = self.fake("b", {ECHO: {"lacks": ["wire_bytes_in"]}})
        self.assert_broken(self.gate_trees(self.fake("a"), head), ECHO, "wire_bytes_in", "head")


class Dialect(GateTest):
    """Both builds speak one dialect of RPyC, whatever each would speak by itself."""

    def spoken(self, base, head, config=QUICK):
        """The flags --dialect that the rows of both builds were measured with, in both tiers."""
        self.config = self.write("dialect.toml", config)
        log = self.folder / f"log{len(os.listdir(self.folder))}"
        trees = [self.fake(f"{side}{log.name}", context=context, log=str(log))
                 for side, context in (("base", base), ("head", head))]
        code, _, err = self.gate_trees(*trees, "--rows=ping")
        self.assertEqual(code, 0, err)
        calls = [line.split() for line in log.read_text().splitlines()]
        found = set()
        for tree in trees:
            for tier in ("--ledger=true", "--ledger=false"):
                measured = [call[1:] for call in calls if call[0] == tree.name and tier in call
                            and not any("Floor/" in flag for flag in call)]  # which only asks for the context
                self.assertTrue(measured)
                found |= {tuple(flag for flag in call if flag.startswith("--dialect")) for call in measured}
        return found

    def test_the_head_s_is_spoken_by_both(self):
        for base, head, spoken in (("5", "6", "6"), ("6", "5", "5"), ("6", "by mode", "5")):
            with self.subTest(base=base, head=head):
                self.assertEqual(self.spoken({"dialect": base}, {"dialect": head}), {(f"--dialect={spoken}",)})

    def test_a_head_that_names_none_speaks_the_old_one(self):
        self.assertEqual(self.spoken({"dialect": "6"}, {}), {("--dialect=5",)})

    def test_the_configuration_s_wins(self):
        config = 'flags = ["--dialect=6"]\n' + QUICK
        self.assertEqual(self.spoken({"dialect": "5"}, {"dialect": "5"}, config), {("--dialect=6",)})


class Broken(GateTest):
    def test_what_a_build_may_do_wrong(self):
        for spec, *words in (
                ({"said": "{not JSON"}, "no result"),
                ({"said": "{}"}, "no result"),
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
        self.assertIn("Traceback", err)  # a fault that nobody foresaw

    def test_the_encoding_of_stdout_does_not_matter(self):
        base, head = self.fake("a"), self.fake("b", {ECHO: {"us": 40.0}})
        for environment in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}):
            done = subprocess.run([str(HERE / "gate"), *self.flags(f"--base={base}", f"--head={head}")],
                                  env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=PATIENCE, check=False)
            self.assertEqual((done.returncode, done.stderr), (1, b""))
            self.assertIn("regression: fake a → fake b", done.stdout.decode())

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

    def test_no_row_in_common(self):
        base, head = self.fake("a"), self.fake("b")
        self.assert_broken(self.gate_trees(base, head, "--rows=NoSuchType"), "no row")

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
                             ('control = "Latency/none"\n' + rules, "control", "Latency/none")):
            with self.subTest(text=text):
                control = "" if text.startswith("control") else f'control = "{PING}"\n'
                self.config = self.write("dead.toml", control + text)
                self.assert_broken(self.gate_trees(base, slower), *words)

    def test_every_counter_of_the_suite_is_known(self):
        named = set(re.findall(r'= "([a-z0-9_]+)";', (HERE.parent / "fixtures" / "counters.h").read_text()))
        kinds = (counters.LOWER_IS_BETTER, counters.HIGHER_IS_BETTER, counters.NO_STATISTICS)
        self.assertEqual(sum(map(len, kinds)), len(frozenset().union(*kinds)))
        self.assertEqual(frozenset().union(*kinds) - named, {"real_time", "cpu_time", "items_per_second",
                                                            "bytes_per_second"})
        self.assertEqual(named - frozenset().union(*kinds), set())

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
                wait_until(lambda: not alive(int(mark.read_text())), "the end of its program")
                self.assertEqual(self.left(), set())


class Resumed(GateTest):
    def setUp(self):
        super().setUp()
        self.config = self.write("careful.toml", CONFIG)

    def interrupted(self, base, head, *flags):
        """Interrupts a gate of a row of head that hangs after some rounds, and mends the row."""
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
        os.truncate(self.out / "progress.jsonl", os.path.getsize(self.out / "progress.jsonl") - 9)  # torn by the end
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
        self.assert_broken(self.gate_trees(base, base, "--resume"), "progress.jsonl", "no gate was interrupted")
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


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


def alive(process):
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


if __name__ == "__main__":
    unittest.main()
