"""Tests every row once, the names of all rows, and what they promise: `smoke_test.py bench_all`.

The preset `quick` runs with its smallest number of iterations; each row that it lists must end in
numbers. The names in every preset must fit their grammar, because filters, stored results and
comparisons depend on names and labels. Further tests compare rows with the documentation.
"""

import importlib.metadata
import json
import os
import pty
import re
import resource
import shutil
import subprocess
import sys
import unittest

from testing import runs
from testing.runs import BENCH_ALL, ROOT, busy, report_of, run
from testing.folder_test_case import FolderTestCase


class SmokeTest(FolderTestCase):
    def test_every_row_has_a_result(self):
        smallest = ("--preset=quick", "--benchmark_min_time=0")
        names = self.write("rows.txt", run(*smallest, "--benchmark_list_tests").stdout)
        results = self.folder / "results.json"
        measured = run(*smallest, f"--benchmark_out={results}")
        self.assertEqual(0, measured.returncode, measured.stderr)
        check = subprocess.run([sys.executable, ROOT / "ci" / "check_smoke.py", names, results],
                               capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (check.returncode, check.stderr), check.stdout)


def measure(*flags, **how):
    """Returns the rows of a short run by name, with their counters and labels."""
    return runs.measure("--preset=classic", "--requests_per_client=2", *flags, **how)


class WarmUpTest(FolderTestCase):
    """The first call on a connection is not measured, whatever the flags say."""

    def test_there_is_one_call_more_than_asked_for(self):
        for name in ("Floor/ping", "Latency/tcp_threaded/ping"):
            for warmup in (0, 3):
                with self.subTest(row=name, warmup_requests=warmup):
                    counts = self.folder / f"{name.replace('/', '_')}_{warmup}"
                    server = self.program(f"{counts.name}_server", f'exec "{sys.executable}" "{ROOT}/bench/tests/'
                                          f'testing/counting_server.py" --counts="{counts}" "$@"')
                    measure("--requests=20", f"--warmup_requests={warmup}", f"--server={server}", "--ledger=false",
                            f"--benchmark_filter=^{name}/")
                    pings = max(map(int, counts.read_text(encoding="ascii").split()))
                    self.assertEqual(warmup + 1 + 20, pings)


class ConcurrentTest(unittest.TestCase):
    """Concurrent measures requests on connections that have been used before."""

    def test_opening_a_connection_is_no_part_of_its_requests(self):
        rows = measure("--clients=4", "--benchmark_filter=Concurrent/rpyc")
        for mode in ("rpyc_threaded", "rpyc_forking"):
            self.assertEqual(2, rows[f"Concurrent/{mode}/clients:4"]["round_trips"])
            self.assertEqual(1, rows[f"Concurrent/{mode}/ping_callattr/clients:4"]["round_trips"])

    def test_clients_of_a_pool_do_not_connect(self):
        rows = measure("--clients=4", "--benchmark_filter=Concurrent/http")
        self.assertIn("connect_p50_us", rows["Concurrent/http_threaded/clients:4"])
        self.assertNotIn("connect_p50_us", rows["Concurrent/http_threaded/pool:10/clients:4"])

    def test_a_server_that_closes_after_each_answer_has_nothing_to_pool(self):
        rows = measure("--clients=4", "--benchmark_filter=Concurrent/flask_threaded")
        self.assertEqual(["Concurrent/flask_threaded/clients:4"], list(rows))
        self.assertEqual(1, rows["Concurrent/flask_threaded/clients:4"]["round_trips"])

    def test_event_driven_clients_measure_the_same(self):
        models = ("tcp_threaded", "tcp_async", "rpyc_async", "rpyc_threadpool", "http_async")
        rows = measure("--preset=full", "--benchmark_min_time=0", "--clients=50",
                       f"--benchmark_filter=Concurrent/({'|'.join(models)})/event_driven")
        self.assertEqual({f"Concurrent/{mode}/event_driven/clients:50" for mode in models},
                         set(rows))
        for name, row in rows.items():
            with self.subTest(row=name):
                self.assertEqual(100, row["samples"])
                self.assertEqual(2 if "rpyc" in name else 1, row["round_trips"])
                self.assertGreater(row["connect_p50_us"], 0)
                self.assertLessEqual(row["slowest_client_per_s"], row["fastest_client_per_s"])

    def test_a_thousand_event_driven_clients_of_every_model(self):
        rows = measure("--preset=full", "--benchmark_min_time=0", "--clients=1000",
                       "--benchmark_filter=Concurrent/tcp_.*/event_driven")
        listed = (ROOT / "bench" / "tests" / "rows" / "full.txt").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall("Concurrent/tcp_[a-z]+/event_driven/clients:1000", listed)),
                         set(rows))
        for row in rows.values():
            self.assertEqual(2000, row["samples"])

    def test_more_clients_than_the_soft_limit_of_descriptors(self):
        def limit_descriptors():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))

        rows = measure("--clients=100", "--benchmark_filter=Concurrent/tcp",
                       preexec_fn=limit_descriptors)
        for row in rows.values():
            self.assertEqual(200, row["samples"])


def conditions(label):
    """Returns a label without the doubts that a busy machine may have added."""
    return " ".join(entry for entry in label.split() if not entry.startswith("doubts="))


class GeneratorTest(FolderTestCase):
    """The generator is compared with wrk, and measured alone if wrk is missing."""

    FILTER = "--benchmark_filter=Generator/http_async/compared/connections:64"
    ROW = "Generator/http_async/compared/connections:64"

    def measure_with(self, wrk, *flags):
        """Returns the row and the messages, with this script as the only wrk in PATH."""
        for tool in ("sh", "cat"):
            (self.folder / tool).symlink_to(shutil.which(tool))
        if wrk is not None:
            self.program("wrk", wrk)
        return run("--preset=full", "--benchmark_format=json", self.FILTER, *flags,
                   env={**os.environ, "PATH": str(self.folder)})

    def test_wrk_is_a_yardstick(self):
        done = self.measure_with("echo ' 50 requests in 1.00s, 9KB read'; echo 'Requests/sec: 50'")
        self.assertEqual(0, done.returncode, done.stderr)
        row, = json.loads(done.stdout)["benchmarks"]
        self.assertEqual(50, row["wrk_per_s"])
        self.assertGreater(row["client_cpu_us"], 0)
        self.assertGreater(row["rate_beside_wrk"], 0)
        self.assertGreater(row["iterations"], 64)
        self.assertEqual(row["iterations"], row["samples"])

    def test_wrk_speaks_tls_where_the_rows_do(self):
        done = self.measure_with('case $* in *https://127*) ;; *) exit 1 ;; esac; '
                                 "echo ' 50 requests in 1.00s, 9KB read'; echo 'Requests/sec: 50'",
                                 "--transport=tls")
        self.assertEqual(0, done.returncode, done.stderr)
        row, = json.loads(done.stdout)["benchmarks"]
        self.assertEqual(50, row["wrk_per_s"])

    def test_over_unix_domain_sockets_there_is_no_wrk(self):
        done = self.measure_with("exit 1", "--transport=unix")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("it does not speak over Unix-domain sockets", done.stderr)
        row, = json.loads(done.stdout)["benchmarks"]
        self.assertNotIn("wrk_cpu_us", row)

    def test_without_wrk_the_rest_is_measured(self):
        done = self.measure_with(None)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("unavailable: wrk, beside which Generator measures", done.stderr)
        self.assertIn("install the package wrk", done.stderr)
        row, = json.loads(done.stdout)["benchmarks"]
        self.assertGreater(row["items_per_second"], 0)
        self.assertNotIn("wrk_cpu_us", row)

    def test_errors_that_wrk_met_void_the_row(self):
        done = self.measure_with("echo ' 50 requests in 1.00s, 9KB read'; echo 'Requests/sec: 50'; "
                                 "echo '  Non-2xx or 3xx responses: 50'")
        self.assertEqual(1, done.returncode)
        row, = json.loads(done.stdout)["benchmarks"]
        self.assertIn("wrk: Non-2xx or 3xx responses: 50", row["error_message"])


class LabelTest(unittest.TestCase):
    def test_a_label_says_what_the_name_does_not(self):
        cpu = max(os.sched_getaffinity(0))
        label = measure("--clients=1", "--benchmark_filter=Concurrent/tcp_threaded",
                        f"--server_launcher=taskset -c {cpu}")[
                            "Concurrent/tcp_threaded/clients:1"]["label"]
        self.assertEqual("placement=free payload=random requests_per_client=2 "
                         f"server_launcher=taskset,-c,{cpu} server_cpus={cpu}", conditions(label))
        rows = measure("--file_bytes=9", "--chunk_bytes=4", "--placement=shared",
                       "--benchmark_filter=BinaryTransfer/tcp_threaded/upload")
        whole, chunked = ("placement=shared payload=random",
                          "placement=shared payload=random chunk_bytes=4")
        self.assertEqual({"BinaryTransfer/tcp_threaded/upload/9": whole,
                          "BinaryTransfer/tcp_threaded/upload_chunked/9": chunked},
                         {name: conditions(row["label"]) for name, row in rows.items()})

    def test_the_dialect_is_that_of_the_rpyc_at_hand_and_only_a_flag_is_in_the_label(self):
        at_hand = importlib.metadata.version("rpyc").partition(".")[0]
        for flags, dialect, told in (((), at_hand, ""), (("--python=/no/such/python",), "6", ""),
                                     (("--dialect=5",), "5", " dialect=5")):
            with self.subTest(flags=flags):
                done = run("--benchmark_filter=Latency/rpyc_threaded/ping/", "--preset=quick",
                           "--benchmark_format=json", "--benchmark_min_time=0", *flags)
                document = json.loads(done.stdout)
                self.assertEqual(dialect, document["context"]["dialect"], done.stderr)
                self.assertEqual(f"placement=shared payload=random compression=python{told}",
                                 conditions(document["benchmarks"][0]["label"]))

    def test_a_run_without_rpyc_has_no_dialect(self):
        done = run("--benchmark_filter=Floor/ping", "--benchmark_format=json",
                   "--benchmark_min_time=0", "--python=/no/such/python")
        self.assertNotIn("dialect", json.loads(done.stdout)["context"], done.stderr)


class EvidenceTest(unittest.TestCase):
    """Rows report evidence about both sides and about themselves."""

    def test_both_sides_are_metered(self):
        name = "Latency/{}/ping"
        rows = measure("--benchmark_filter=Latency/(tcp|pyrpyc)_(threaded|forking)/ping/",
                       "--requests=2000")
        for mode, processes in (("tcp_threaded", 1), ("tcp_forking", 2), ("pyrpyc_threaded", 1),
                                ("pyrpyc_forking", 2)):
            with self.subTest(mode=mode):
                row = rows[name.format(mode)]
                self.assertEqual(processes, row["server_processes"])
                # On one CPU the sides take turns: together they take the time of a call.
                both = row["client_cpu_us"] + row["server_cpu_us"]
                self.assertLess(both, 1.05 * row["real_time"])
                self.assertGreater(both, 0.2 * row["real_time"])
                self.assertGreater(row["client_switches"], 0.9)
                self.assertGreater(row["server_switches"], 0.9)
                for side in ("client", "server"):
                    self.assertGreater(row[f"{side}_rss_mib"], 1)

    @runs.needs_real_costs
    def test_connections_have_their_price_in_memory(self):
        rows = measure("--benchmark_filter=Connection/rpyc_(threaded|forking)/iter")
        threads, processes = (rows[f"Connection/rpyc_{model}"] for model in ("threaded", "forking"))
        self.assertGreater(threads["server_kib_per_connection"], 4)
        self.assertGreater(processes["server_kib_per_connection"],
                           2 * threads["server_kib_per_connection"])
        # Shared copy-on-write pages count once; the sum of resident sets is many times as large.
        self.assertLess(100 * processes["server_kib_per_connection"],
                        0.5 * 1024 * processes["server_rss_mib"])

    def test_too_few_samples_are_a_doubt_and_with_strict_an_error(self):
        few = ("--preset=classic", "--requests=200", "--benchmark_filter=Latency/tcp_threaded/ping")
        for strict in (False, True):
            done, report = report_of(*few, f"--strict={str(strict).lower()}")
            self.assertEqual(int(strict), done.returncode, done.stderr)
            self.assertIn("1 of 1 rows have doubts", done.stderr)
            rows, errors, doubts = (report[key] for key in ("benchmarks", "errors", "doubts"))
            if strict:
                self.assertEqual([], rows)
                self.assertRegex(errors[0]["message"], r"^doubts=.*samples_for_p99:200")
            else:
                self.assertEqual([], errors)
                self.assertIn("samples_for_p99:200", doubts[0]["doubts"])
                self.assertRegex(rows[0]["label"], " doubts=.*samples_for_p99:200")

    @runs.needs_real_costs
    def test_a_row_of_few_calls_goes_on_until_there_are_enough(self):
        row = "--benchmark_filter=Latency/flask_threaded/ping/"
        (whole,), (shortest,) = (runs.measure("--preset=quick", row, *flags).values()
                                 for flags in ((), ("--benchmark_min_time=0",)))
        self.assertLess(whole["iterations"], 299)
        self.assertEqual(299, whole["samples"])
        self.assertEqual(1, shortest["samples"])

    def test_a_percentile_has_the_samples_it_takes(self):
        (few,), (enough,) = (measure("--benchmark_filter=Latency/tcp_threaded/ping/",
                                     f"--requests={calls}").values() for calls in (999, 1000))
        self.assertIn("p99_us", few)
        self.assertNotIn("p999_us", few)
        self.assertLessEqual(enough["p99_us"], enough["p999_us"])
        self.assertLessEqual(enough["p999_us"], enough["max_us"])

    def test_the_context_describes_the_machine(self):
        done = run("--benchmark_format=json", "--benchmark_min_time=0", "--preset=quick",
                   "--benchmark_filter=Floor/ping")
        context = json.loads(done.stdout)["context"]
        self.assertEqual(sorted(os.sched_getaffinity(0)),
                         [int(cpu) for cpu in context["cpus_allowed"].split(",")])
        for key in ("cpu_governor", "cpu_busy_percent", "cpu_steal_percent", "cpu_throttles",
                    "load_average"):
            self.assertIn(key, context)

    def test_a_busy_machine_is_told(self):
        with busy(os.sched_getaffinity(0)):
            done = run("--benchmark_min_time=0", "--preset=quick", "--benchmark_filter=Floor/ping")
        self.assertRegex(done.stderr, "bench_all: warning: this machine is not quiet: other pro")


class TerminalTest(unittest.TestCase):
    """A terminal shows progress; other outputs do not."""

    rows = ("--benchmark_min_time=0", "--preset=quick", "--benchmark_filter=Latency/tcp_threaded/p")

    def test_a_terminal_shows_progress(self):
        leader, follower = pty.openpty()
        with os.fdopen(leader, "rb", buffering=0) as screen:
            with os.fdopen(follower, "wb") as stderr:
                done = run(*self.rows, stderr=stderr)
            shown = screen.read(65536)
        self.assertEqual(0, done.returncode, shown)
        self.assertIn(b"[1/1] Latency/tcp_threaded/ping/real_time  0:00", shown)
        self.assertNotIn("[1/1]", done.stdout)

    def test_a_pipe_does_not(self):
        done = run(*self.rows)
        self.assertNotIn("[1/1]", done.stderr + done.stdout)
        self.assertNotIn("\r", done.stderr + done.stdout)


class PythonTest(FolderTestCase):
    """Modes in Python run if Python has what they need, and are reported as unavailable otherwise."""

    def setUp(self):
        super().setUp()
        self.python, self.asked = self.folder / "python", self.folder / "asked"

    def list_with(self, script, *flags):
        """Returns what is listed when the interpreter is this shell script."""
        self.program("python", f'touch "{self.asked}"\n{script}')
        return run(f"--python={self.python}", "--preset=quick", "--benchmark_list_tests", *flags)

    def assert_unavailable(self, done, *complaints):
        """Expects all other rows in the list, and each complaint as one line on stderr."""
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("Latency/rpyc_threaded/ping/real_time", done.stdout)
        self.assertEqual([f"bench_all: unavailable: {text}" for text in complaints],
                         done.stderr.splitlines())

    def answering(self, **modules):
        return f"echo '{json.dumps({'python': '3.11.2', **modules})}'; exec cat"

    def test_their_versions_stand_in_the_context(self):
        done = run("--benchmark_format=json", "--benchmark_min_time=0", "--preset=quick",
                   "--benchmark_filter=Latency/(py|)rpyc_threaded/ping_bound")
        self.assertEqual(0, done.returncode, done.stderr)
        context = json.loads(done.stdout)["context"]
        self.assertEqual("%d.%d.%d" % sys.version_info[:3], context["python_version"])
        for module in ("rpyc", "flask", "werkzeug", "waitress"):
            self.assertRegex(context[f"{module}_version"], r"^\d+\.\d+")

    def test_a_missing_module_costs_its_modes(self):
        done = self.list_with(self.answering(flask="2.2.2", werkzeug="2.2.2"))
        self.assert_unavailable(done, f"pyrpyc_threaded: {self.python} has no module rpyc; install "
                                      "the package python3-rpyc")
        self.assertIn("Latency/flask_threaded/ping/real_time", done.stdout)
        self.assertNotIn("pyrpyc", done.stdout)

    def test_without_an_interpreter_native_modes_are_left(self):
        for script, words in (("echo lost >&2; exit 1", "exited with code 1; its stderr ends with: "
                                                        "lost"),
                              ("echo hello; exec cat", 'is no Python interpreter: it answered "hell'
                                                       'o"')):
            done = self.list_with(script)
            self.assert_unavailable(done, "pyrpyc_threaded, flask_threaded: "
                                          f"{self.python} {words}; install the package python3, or "
                                          "name an interpreter with --python")

    def test_an_interpreter_that_hangs_keeps_nobody(self):
        done = self.list_with("exec sleep 1000", "--ready_timeout_ms=100")
        self.assertEqual(0, done.returncode)
        self.assertIn("said nothing for 100 ms", done.stderr)

    def test_scripts_that_are_not_there_cost_all_modes_in_python(self):
        done = run("--preset=quick", "--benchmark_list_tests", "--reference_servers=/no/such")
        self.assert_unavailable(done, *(
            f"{mode}: there is no /no/such/{script}_server.py; say with --reference_servers where "
            "it is" for mode, script in (("pyrpyc_threaded", "rpyc"), ("flask_threaded", "flask"))))

    def test_scripts_beside_the_program_come_first(self):
        moved = shutil.copy(BENCH_ALL, self.folder)
        (self.folder / "bench_server").touch()
        (self.folder / "reference").mkdir()
        done = run("--preset=quick", "--benchmark_list_tests", command=[moved])
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f"there is no {self.folder}/reference/rpyc_server.py", done.stderr)

    def test_a_filter_that_names_an_unavailable_mode_is_refused(self):
        for name in ("pyrpyc_threaded", "Latency/(http|pyrpyc_threaded|rpyc_threaded)/ping"):
            done = self.list_with(self.answering(), f"--benchmark_filter={name}")
            self.assert_refused(done, "unavailable: pyrpyc_threaded: ")

    def test_a_filter_that_matches_unavailable_modes_only_is_refused(self):
        done = self.list_with(self.answering(), "--benchmark_filter=/py.*/ping")
        self.assert_refused(done, "no row that matches can be measured: pyrpyc_threaded: ")

    def test_a_filter_may_leave_unavailable_modes_out(self):
        done = self.list_with(self.answering(), "--benchmark_filter=-pyrpyc_threaded|flask")
        self.assert_unavailable(done)

    def test_python_is_asked_for_native_rows_only_if_their_dialect_depends_on_it(self):
        for flags, asks in (("/(tcp|http)_",), False), (("/rpyc_", "--dialect=5"), False), (("/rpyc_",), True):
            with self.subTest(flags=flags):
                done = self.list_with(self.answering(), f"--benchmark_filter={flags[0]}", *flags[1:])
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                self.assertEqual(asks, self.asked.exists())

    def test_what_a_preset_leaves_out_is_told(self):
        done = run("--preset=default", "--benchmark_list_tests", "--benchmark_filter=/pyrpyc")
        self.assertRegex(done.stderr, "^bench_all: BinaryTransfer of pyrpyc_threaded: files up to ")
        self.assertEqual("", run("--preset=default", "--benchmark_list_tests",
                                 "--benchmark_filter=/pyrpyc", "--file_bytes=1048576",
                                 "--clients=1").stderr)

    def test_a_row_of_a_larger_preset_is_pointed_to(self):
        done = run("--preset=default", "--benchmark_filter=pyrpyc_oneshot")
        self.assert_refused(done, "--preset=full has all of them")


class RefusalTest(FolderTestCase):
    """A condition that makes every row impossible is reported at once, not once for each row."""

    def test_too_few_cpus(self):
        done = run("--placement=split",
                   preexec_fn=lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]))
        self.assert_refused(done, "--placement: split needs 2 CPUs, this process is allowed 1")

    def test_no_server(self):
        done = run(command=[shutil.copy(BENCH_ALL, self.folder)])
        self.assert_refused(done, f"there is no bench_server in {self.folder} or /")


if __name__ == "__main__":
    unittest.main()
