"""Tests tools/sweep with a stand-in for bench_all, and with the real one: sweep_test.py bench_all.

The tests stop, fail and count the runs of the stand-in. Most sweeps that end by themselves run in
the test's own process.
"""

import importlib.metadata
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from common.command import run
from testing.in_process import run_in_process
from testing.results_test_case import ResultsTestCase
from testing.watching import await_end
from sweeping.__main__ import main

TOOLS = pathlib.Path(__file__).resolve().parent
SWEEP, REPORT = TOOLS / "sweep", TOOLS / "report"
BENCH_ALL = (os.path.abspath(sys.argv.pop(1))
             if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None)
PLAN = """
modes = ["tcp_threaded", "rpyc_threaded"]
repetitions = 2
min_time = 0.01
[[grid]]
rows = ["Bandwidth/upload"]
payload = ["random", "text"]
compression = ["python", "off"]
payload_bytes = [1, 2, 3, 4, 5, 6]
[[grid]]
rows = ["Latency/ping"]
"""
POINTS = 2 + 4 + 2
# Logs each run in the file `log` in its folder. The run with the number in `stop_at` writes its
# pid into the pipe `at` and waits for a signal. `fail` holds a word from the flags of runs that
# fail. It is a shell script because that starts quickly, and a sweep starts dozens.
FAKE_BENCH_ALL = r"""#!/bin/bash
declare -A flags=([payload]=random [payload_bytes]=1024 [compression]=python [server]= [dialect]=5
  [benchmark_filter]= [benchmark_out]= [benchmark_min_time]= [server_launcher]= [inject]=)
for flag in "${@#--}"; do flags[${flag%%=*}]=${flag#*=}; done
cd "${0%/*}"
if [[ -v flags[help] ]]; then
  printf '  --%s=<x>\n' "${!flags[@]}"
  exit
fi
if [[ ! ${flags[payload]} =~ ^(random|text|zeros)$ ]]; then
  echo 'bench_all: --payload: no such kind' >&2
  exit 2
fi
IFS=, read -ra sizes <<< "${flags[payload_bytes]}"
for mode in tcp_threaded rpyc_threaded; do
  for name in "Latency/$mode/ping" "${sizes[@]/#/Bandwidth/$mode/upload/}"; do
    [[ ! $name/real_time =~ ${flags[benchmark_filter]} ]] || names+=("$name/real_time")
  done
done
if ((${#names[@]} == 0)); then
  echo 'bench_all: Failed to match any benchmarks' >&2
  exit 2
fi
if [[ -v flags[benchmark_list_tests] ]]; then
  printf '%s\n' "${names[@]}"
  exit
fi
echo "${*:1:$#-1}" >> log
mapfile -t runs < log
number=${#runs[@]}
[[ ! -e stop_at ]] || read -r stop_at < stop_at
if [[ $stop_at == "$number" ]]; then
  echo $$ > at
  exec sleep 1000
fi
if [[ -e fail ]] && read -r fail < fail; [[ -n $fail && $* == *$fail* ]]; then
  error="{\"name\": \"${names[0]}\", \"message\": \"it broke\"}"
  unset 'names[0]'
fi
for name in "${names[@]}"; do
  label="placement=shared payload=${flags[payload]}"
  [[ $name != */rpyc* ]] || label+=" compression=${flags[compression]}"
  printf -v row '{"name": "%s", "run_type": "iteration", "repetitions": 1, "repetition_index": 0,
    "real_time": 9, "time_unit": "us", "p50_us": %d, "label": "%s"}' \
    "$name" $((9 + number)) "$label"
  rows+=("$row")
done
IFS=,
printf '{"context": {"host_name": "here", "git_revision": "abc", "preset": "default", "date": "%d",
  "payload": "%s"}, "benchmarks": [%s], "errors": [%s]}' \
  "$number" "${flags[payload]}" "${rows[*]}" "$error" > "${flags[benchmark_out]}"
[[ -z $error ]]
"""


class SweepTest(ResultsTestCase):
    CONTEXT = {"host_name": "here"}

    def setUp(self):
        super().setUp()
        self.bench_all = self.program("bench_all", FAKE_BENCH_ALL)
        self.out = self.folder / "results.json"
        self.plan(PLAN)

    def plan(self, text):
        self.write("sweep.toml", text)

    def start(self, *arguments, bench_all=None):
        return subprocess.Popen(
            [SWEEP, "--no-install", f"--bench_all={bench_all or self.bench_all}",
             *map(str, arguments)], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "LC_ALL": "C"})

    def sweep(self, *arguments):
        """Returns (status, stdout, stderr); without arguments it uses the plan in the folder."""
        done = run_in_process(lambda: run("sweep", main), f"--bench_all={self.bench_all}",
                              *(arguments or ("sweep.toml", "-o", "results.json")),
                              folder=self.folder)
        return done.returncode, done.stdout, done.stderr

    def sweep_process(self, *arguments, **how):
        """Runs the sweep in a process of its own."""
        process = self.start(*arguments, **how)
        try:
            output, error = process.communicate(timeout=100)
        finally:
            process.kill()
        return process.returncode, output, error

    def finish(self):
        """Sweeps until the end, which must come without a failure."""
        status, output, error = self.sweep()
        self.assertEqual((0, ""), (status, output), error)
        return error

    def document(self):
        return json.loads(self.out.read_text())

    def log(self):
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def refuses(self, words, *arguments, sweep=None):
        before = self.out.read_bytes() if self.out.exists() else None
        files = sorted(path.name for path in self.folder.iterdir())
        runs = self.log()
        status, output, error = (sweep or self.sweep)(*arguments)
        self.assertEqual((2, "", 1), (status, output, error.count("\n")), error)
        self.assertIn(words, error)
        self.assertEqual(before, self.out.read_bytes() if self.out.exists() else None)
        self.assertEqual(files, sorted(path.name for path in self.folder.iterdir()))
        self.assertEqual(runs, self.log())

    def interrupt(self, number, how):
        """Starts a sweep, ends it by a signal in its run `number`, and returns its exit status."""
        (self.folder / "stop_at").write_text(str(number))
        os.mkfifo(self.folder / "at")
        process = self.start("sweep.toml", "-o", "results.json")
        self.addCleanup(process.kill)
        child = int((self.folder / "at").read_text())
        process.send_signal(how)
        process.communicate(timeout=60)
        await_end(child)
        for name in ("stop_at", "at"):
            (self.folder / name).unlink()
        return process.returncode

    def test_rounds_are_outermost_and_each_has_an_order_of_its_own(self):
        self.finish()
        runs = [line.replace("--", "") for line in self.log()]
        self.assertEqual(2 * POINTS, len(runs))

        def points(lines):
            return [" ".join(word for word in line.split() if "payload_bytes" not in word)
                    for line in lines]

        first, second = points(runs[:POINTS]), points(runs[POINTS:])
        self.assertEqual(POINTS, len(set(first)))
        self.assertEqual(set(first), set(second))
        self.assertNotEqual(first, second)
        lists = {word for line in runs for word in line.split() if "payload_bytes" in word}
        self.assertGreater(len(lists), POINTS)
        self.assertEqual({"1,2,3,4,5,6"}, {",".join(sorted(each.partition("=")[2].split(",")))
                                           for each in lists})

        again = self.log()
        (self.folder / "log").unlink()
        self.assertEqual(0, self.sweep("sweep.toml", "-o", "other.json")[0])
        self.assertEqual(again, self.log())
        self.plan("seed = 2\n" + PLAN)
        (self.folder / "log").unlink()
        self.assertEqual(0, self.sweep("sweep.toml", "-o", "third.json")[0])
        self.assertNotEqual(again, self.log())

    def test_the_file_has_rows_as_declared_and_facts(self):
        self.finish()
        found = self.document()
        names = [(row["name"], row["label"]) for row in found["benchmarks"]]
        self.assertEqual([f"Bandwidth/tcp_threaded/upload/{size}/real_time"
                          for size in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6)],
                         [name for name, _ in names[:12]])
        self.assertEqual({"placement=shared payload=random"}, {label for _, label in names[:12]})
        self.assertEqual([0, 1], [row["repetition_index"] for row in found["benchmarks"][:2]])
        self.assertEqual(2 * (6 * 6 + 2), len(names))
        self.assertNotIn("payload", found["context"])  # because it varied
        self.assertEqual(("here", f"{2 * POINTS} of {2 * POINTS}"),
                         (found["context"]["host_name"], found["context"]["sweep_runs"]))
        kinds = {run["context"].get("payload") for run in found["sweep"]["runs"]}
        self.assertEqual({"random", "text"}, kinds)
        host, = found["hosts"]
        self.assertEqual(os.uname().nodename, host)
        self.assertEqual(os.uname().release, found["hosts"][host]["kernel"])
        self.assertTrue(all(len(run["load"][host]) == 3 for run in found["sweep"]["runs"]))

    def test_it_goes_on_behind_the_last_finished_run(self):
        for how, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143),
                            (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(how.name):
                for path in (self.out, self.folder / "log"):
                    path.unlink(missing_ok=True)
                self.assertEqual(status, self.interrupt(5, how))
                kept = self.document()
                self.assertEqual(4, len(kept["sweep"]["runs"]))
                self.assertEqual(f"4 of {2 * POINTS}", kept["context"]["sweep_runs"])
                self.assertIn(f"continuing after 4 of {2 * POINTS} runs", self.finish())
                self.assertEqual(2 * POINTS + 1, len(self.log()))
                self.assertEqual(self.log()[4], self.log()[5])
                self.assertEqual(kept["sweep"]["runs"][:4], [
                    {**run, "context": before["context"]} for run, before in
                    zip(self.document()["sweep"]["runs"][:4], kept["sweep"]["runs"])])
                self.assertEqual([], list(self.folder.glob(".*")))

    def test_a_finished_sweep_is_left_alone(self):
        self.finish()
        before = self.out.read_bytes(), self.log()
        error = self.finish()
        self.assertIn("is finished", error)
        self.assertEqual(1, error.count("\n"))
        self.assertEqual(before, (self.out.read_bytes(), self.log()))
        self.assertEqual(0, self.sweep("sweep.toml", "-o", "results.json", "--fresh")[0])
        self.assertEqual(4 * POINTS, len(self.log()))

    def test_another_sweep_is_not_continued(self):
        self.interrupt(3, signal.SIGINT)
        self.plan(PLAN.replace('["random", "text"]', '["random", "zeros"]'))
        self.refuses("grid 1 payload was ['random', 'text'], is ['random', 'zeros']")
        self.plan(PLAN.replace("min_time = 0.01", "min_time = 0.02"))
        self.refuses("min_time was 0.01, is 0.02; --fresh starts over")
        self.plan(PLAN)
        self.program("bench_all", FAKE_BENCH_ALL + "# changed\n")
        self.refuses("the program bench_all was ")
        self.program("bench_all", FAKE_BENCH_ALL)
        found = self.document()
        host, = found["hosts"]
        for hosts, words in (({host: found["hosts"][host] | {"cpus": 999}},
                              f"host {host} cpus was 999, is "),
                             ({"elsewhere": {}}, f"the host was elsewhere, is {host}")):
            self.out.write_text(json.dumps(found | {"hosts": hosts}))
            self.refuses(words)
        status, _, error = self.sweep("sweep.toml", "-o", "results.json", "--fresh")
        self.assertEqual(0, status, error)

    def test_what_is_no_sweep_is_refused(self):
        self.finish()
        whole = self.out.read_text()
        for text, words in ((whole[:1000], "not a JSON file"), ("", "empty"),
                            ('{"sweep": 1}', "not the results of a benchmark")):
            self.out.write_text(text)
            self.refuses(words)
        found = json.loads(whole)
        for key in ("plan", "runs"):
            self.out.write_text(json.dumps(found | {"sweep": {**found["sweep"], key: 1}}))
            self.refuses("results.json")
        for place, key, value in ((found["benchmarks"][0], "place", "1"),
                                  (found["benchmarks"][0], "repetition_index", [1]),
                                  (found["sweep"]["runs"][0], "seconds", "long"),
                                  (found["sweep"]["runs"][0], "point", POINTS),
                                  (found["sweep"]["plan"], "grid", None),
                                  (found["sweep"], "total", "16")):
            good, place[key] = place[key], value
            self.out.write_text(json.dumps(found))
            self.refuses("not the results of a sweep")
            self.refuses("not the results of a sweep", "--merge", "results.json", "-o", "all.json")
            place[key] = good
        del found["sweep"]
        self.out.write_text(json.dumps(found))
        self.refuses("not the results of a sweep")
        self.refuses("nowhere/r.json: cannot be written", "sweep.toml", "-o", "nowhere/r.json")
        self.refuses("cannot be written", "sweep.toml", "-o", self.folder)
        os.mkfifo(self.folder / "pipe")
        self.refuses("cannot be written", "sweep.toml", "-o", "pipe", "--fresh")

    def test_a_failed_run_is_kept_and_repeated_on_demand(self):
        (self.folder / "fail").write_text("payload=text")
        status, _, error = self.sweep()
        self.assertEqual(1, status)
        failing = 2 * 3
        self.assertIn(f"{failing} runs with failed rows", error)
        found = self.document()
        self.assertEqual({"it broke"}, {row["message"] for row in found["errors"]})
        self.assertEqual(failing, len(found["errors"]))
        self.assertTrue(all("payload=text" in row["label"] for row in found["errors"]))
        self.assertEqual(1, self.sweep()[0])
        self.assertEqual(2 * POINTS, len(self.log()))

        (self.folder / "fail").unlink()
        status, _, error = self.sweep("sweep.toml", "-o", "results.json", "--retry_failed")
        self.assertEqual(0, status, error)
        self.assertEqual(2 * POINTS + failing, len(self.log()))
        found = self.document()
        self.assertEqual(([], 2 * (6 * 6 + 2)), (found["errors"], len(found["benchmarks"])))

    def test_a_program_that_dies_fails_its_rows(self):
        (self.folder / "stop_at").write_text("1")
        os.mkfifo(self.folder / "at")
        process = self.start("sweep.toml", "-o", "results.json")
        self.addCleanup(process.kill)
        os.kill(int((self.folder / "at").read_text()), signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertEqual(1, process.returncode)
        self.assertEqual({"not measured: bench_all was ended by SIGKILL"},
                         {row["message"] for row in self.document()["errors"]})

    def test_bad_declarations_are_refused(self):
        for old, new, words in (
                ("[[grid]]", "[[grid", "not TOML"), ("modes", "moods", "unknown key moods"),
                ("repetitions = 2", "repetitions = 0", "must be a number of at least 1"),
                ("repetitions = 2", 'repetitions = "2"', "repetitions must be"),
                ("min_time = 0.01", "min_time = nan", "min_time must be"),
                ('rows = ["Latency/ping"]', "", "grid 2: rows must be a list"),
                ('rows = ["Latency/ping"]', 'rows = "Latency/ping"', "grid 2: rows must be a list"),
                ("rpyc_threaded", "rpyc_treaded", "rpyc_treaded has no row Bandwidth/upload here"),
                ("Latency/ping", "Latency/pong", "has no row Latency/pong here"),
                ('["random", "text"]', '["random", "lyrics"]', "--payload: no such kind"),
                ('["random", "text"]', '["text", "text"]', "payload must be a list of different"),
                ("[1, 2, 3", '["1", 2, 3', "payload_bytes must be a list of different"),
                ("payload_bytes", "payload_bites", "grid 1: unknown key payload_bites"),
                ("payload_bytes", "clients", "bench_all has no flag --clients"),
                ("[[grid]]", '[flags]\nbenchmark_out = "x"\n[[grid]]', "sets benchmark_out"),
                ("[[grid]]", '[flags]\nnonsense = 1\n[[grid]]', "has no flag --nonsense"),
                ("[[grid]]", '[flags]\npayload = "text"\n[[grid]]', "is also in [flags]"),
                ("Latency/ping", "Bandwidth/upload/6", "grids 1 and 2 both have"),
                (PLAN, "", "no [[grid]]")):
            with self.subTest(new=new, words=words):
                plan = PLAN.replace(old, new, 1)
                if new == "Bandwidth/upload/6":
                    plan += 'payload_bytes = [6]\npayload = ["text"]\ncompression = ["off"]\n'
                self.plan(plan)
                self.refuses(words)
        self.refuses("No such file", "none.toml", "-o", "results.json")
        self.plan(PLAN)
        self.bench_all.unlink()
        self.refuses("No such file", "sweep.toml", "-o", "results.json", sweep=self.sweep_process)

    def test_a_list_measures_nothing(self):
        status, output, error = self.sweep("sweep.toml", "--list")
        self.assertEqual((0, ""), (status, error))
        self.assertEqual(POINTS + 1, len(output.splitlines()))
        self.assertIn("tcp_threaded Bandwidth/upload payload=random payload_bytes=1,2,3,4,5,6  "
                      "(6 rows, about 0:01)", output)
        self.assertIn(f"{POINTS} points, 2 rounds, {2 * POINTS} runs, 76 rows: about", output)
        self.assertEqual([], self.log())

    def test_a_launchers_host_has_facts_of_its_own(self):
        facts = {"/proc/sys/kernel/hostname": "far-away", "/proc/sys/kernel/osrelease": "9.9",
                 "/proc/meminfo": "MemTotal:  8388700 kB", "/proc/loadavg": "7 8 9 1/2 3"}
        self.program("launcher", "cat << 'END'\n" + "\n".join(
            f"==> {file} <==\n{text}\n" for file, text in facts.items()) + "END")
        self.plan(PLAN.replace("[[grid]]", '[flags]\nserver_launcher = "./launcher"\n[[grid]]', 1))
        self.finish()
        found = self.document()
        self.assertEqual({"kernel": "9.9", "memory_gib": 8.0, "virtual": "no sign of it"},
                         found["hosts"]["far-away"])
        self.assertEqual(2, len(found["hosts"]))
        self.assertEqual([7, 8, 9], found["sweep"]["runs"][0]["load"]["far-away"])
        self.program("launcher", "echo no route >&2")
        self.refuses("the facts of a host: no /proc/sys/kernel/hostname there: no route")

    def test_parts_of_several_hosts_stay_apart(self):
        self.finish()
        found = self.document()
        there = found | {"context": found["context"] | {"host_name": "there"},
                         "hosts": {"there": {"kernel": "1"}}}
        (self.folder / "there.json").write_text(json.dumps(there))
        merge = ("--merge", "results.json", "there.json", "-o", "all.json")
        self.assertEqual((0, "", ""), self.sweep(*merge))
        both = json.loads((self.folder / "all.json").read_text())
        self.assertEqual("here + there", both["context"]["host_name"])
        self.assertEqual({"there", os.uname().nodename}, set(both["hosts"]))
        self.assertEqual(2 * len(found["benchmarks"]), len(both["benchmarks"]))
        for host in ("here", "there"):
            self.assertEqual(len(found["benchmarks"]), sum(
                f"host={host}" in row["label"].split() for row in both["benchmarks"]))
        self.refuses("merged from several hosts", "sweep.toml", "-o", "all.json")
        self.refuses("are of the same host, here", "--merge", "results.json", "results.json", "-o",
                     "twice.json")
        self.out.write_text(json.dumps(found | {"context": {"sweep_runs": "16 of 16"}}))
        self.refuses("no host_name", *merge)
        self.out.write_text(json.dumps(found))
        there["sweep"]["plan"]["seed"] = 9
        (self.folder / "there.json").write_text(json.dumps(there))
        self.refuses("seed was 1, is 9", *merge)

    def test_the_real_program_makes_results_that_other_tools_read(self):
        status, _, error = self.sweep_process(TOOLS / "testdata" / "sweep.toml", "-o", self.out,
                                              bench_all=BENCH_ALL)
        self.assertEqual(0, status, error)
        found = self.document()
        self.assertEqual((2 * 2 * 2 * (2 + 4), []), (len(found["benchmarks"]), found["errors"]))
        labels = {row["label"].partition(" doubts")[0] for row in found["benchmarks"]
                  if "Bandwidth/rpyc_threaded" in row["name"]}
        dialect = f"dialect={importlib.metadata.version('rpyc').split('.')[0]}"
        self.assertEqual({f"placement=shared payload={payload} compression={compression} {dialect}"
                          for payload in ("random", "text") for compression in ("off", "python")},
                         labels)
        done = subprocess.run([REPORT, "--no-install", "--markdown", self.out], check=False,
                              capture_output=True, text=True, encoding="utf-8", timeout=60)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("| rpyc_threaded |", done.stdout)
        self.assertIn("24 rows", done.stdout)
        done = subprocess.run([TOOLS / "explain", self.out], check=False, capture_output=True,
                              text=True, encoding="utf-8", timeout=60)
        self.assertEqual((0, ""), (done.returncode, done.stderr))


if __name__ == "__main__":
    unittest.main()
