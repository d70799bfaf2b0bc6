"""Helps to test ci/gate with builds that are scripts with known times.

A verdict is then a matter of arithmetic, and does not depend on this machine's load.
"""

import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

from gating.main import main
from testing.folder_test_case import FolderTestCase
from testing.in_process import run_in_process
from testing.watching import PATIENCE

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent / "tools"
PING, ECHO = "Latency/tcp_threaded/ping/real_time", "Latency/tcp_threaded/echo/64/real_time"
RATE = "Concurrent/tcp_threaded/clients:4/real_time"

# A bench_all whose rows are the arms of a `case`. Times are in ns and rates in thousandths, each slightly varied. It is
# a shell script because that starts quickly, and a gate starts dozens.
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
while read -r name words; do
  inject='' named=''
  for word in $words; do
    case $word in iterations:*) named=$word ;; *) inject=$word ;; esac
  done
  [[ -z {named} ]] || echo {version} "$name" "$named" >> {named}
  [[ -z {diary} ]] || write_in_diary
  case $name in
{arms}
  esac
done
[[ -z {ends} ]] || {{ echo {ends} >&2; exit 1; }}
"""


def arm_of(name, spec, context):
    """Returns the arm of the `case` that the fake runs when it is asked for the row."""
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


def fake_bench_all(version, rows, *, context=(), old=False, diary="", log="", ends="", named=""):
    """Returns the fake's text.

    `rows` is {name: differences from the usual row}. `old` makes it older than the gate. It writes into the file
    `diary` when and where it ran rows, into `log` how it was called, and into `named` the requested iterations. With
    `ends` it prints this text at its end and exits with status 1.
    """
    arms = [arm_of(name, spec, dict(context)) for name, spec in {**rows, "Floor/ping/real_time": {}}.items()]
    quoted = {"version": version, "log": log, "diary": diary, "old": "old" if old else "", "ends": ends,
              "named": named}
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
# The noise of the fakes is far below what is tolerated, so gates need no low error rates to be right about them.
# With these rates, two blocks make a pass, and three a regression.
QUICK = "false_alarms = 0.9\nmissed = 0.5\n" + CONFIG


class GateTest(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.config = self.write("gate.toml", QUICK)

    def fake(self, name, rows=(), **more):
        """Makes a build tree with the rows PING, ECHO and RATE, changed as `rows` says, and returns its path."""
        specs = {PING: {}, ECHO: {}, RATE: {}} | dict(rows)
        tree = self.folder / name
        tree.mkdir()
        rows = {row: spec for row, spec in specs.items() if spec is not None}
        self.program(tree / "bench_all", fake_bench_all(name, rows, **more))
        self.program(tree / "bench_server", "")
        return tree

    def flags(self, *arguments):
        return [*map(str, arguments), f"--config={self.config}", f"--out={self.out}"]

    def start(self, *arguments, cpus=None):
        """Starts a gate in a process of its own."""
        command = [str(HERE / "gate"), *self.flags(*arguments)]
        if cpus:
            command = ["taskset", "--cpu-list", ",".join(map(str, cpus)), *command]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def gate_process(self, *arguments, cpus=None):
        """Runs a gate in a process of its own; returns (exit status, stdout, stderr)."""
        process = self.start(*arguments, cpus=cpus)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def gate(self, *arguments):
        """Runs a gate in this process; returns (exit status, stdout, stderr)."""
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
        """Returns the files that a gate left in its folder, without the one to resume from."""
        return set(os.listdir(self.out) if self.out.exists() else ()) - {"progress.jsonl"}

    def assert_broken(self, result, *words, status=2):
        """Expects one line that says what failed and where, and no file that looks like a verdict."""
        code, out, err = result
        self.assertEqual(code, status, err)
        lines = err.strip().splitlines()
        self.assertEqual(len(lines), 1, err)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertEqual(out, "")
        self.assertEqual(self.left(), set())
