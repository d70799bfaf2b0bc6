"""Tests tools/python_client against servers of both kinds: `pyclient_test.py bench_server`.

It measures quick rows of each protocol, checks the file's shape and compares two files with
compare.py. It also provokes wrong replies, dying servers and bad flags. Installs nothing.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
REFERENCE = TOOLS.parent / "servers" / "reference"
BENCH_SERVER = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE = 120  # seconds; a passing run takes less than 10
FEW = ("--requests=100", "--warmup=2", "--connections=12", "--transfers=2", "--file_iterations=1",
       "--file_bytes=200001", "--clients=1,3", "--requests_per_client=10")
# Sorted, with one that is recorded by its beginning.
VARIABLES = {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1", "MALLOC_ARENA_MAX": "1", "PYTHONOPTIMIZE": "1"}
SIZES = (1024, 10240, 102400, 1048576)

sys.path[:0] = [str(TOOLS / "pyclient"), str(TOOLS), str(REFERENCE)]
# pylint: disable=wrong-import-position
from testing.folder_test_case import FolderTestCase
from testing.in_process import module_of, run_in_process
from clients import HttpClient, RpycClient
from contract import Server
from private_authority import PrivateAuthority
from samples import latency_counters


def names(mode, rpyc):
    yield f"PyConnection/{mode}"
    yield f"PyLatency/{mode}/ping"
    if rpyc:
        yield f"PyLatency/{mode}/ping_bound"
    yield from (f"PyLatency/{mode}/echo/{size}" for size in (64, *SIZES[:3]))
    programs = ("getattr", "getattr_missing", "setattr", "exception")
    yield from (f"PyLatency/{mode}/{name}" for name in (*programs, *(["with"] if rpyc else [])))
    ways = ["attribute_each", "buffiter", "obtain", "by_value"] if rpyc else ["one_by_one", "batch"]
    yield from (f"PyObjects/{mode}/{way}/{count}" for way in ways for count in (1, 10, 100))
    for size in SIZES:
        yield from (f"PyBandwidth/{mode}/{way}/{size}" for way in ("upload", "download"))
    for way in ("upload", "download", "upload_chunked", "download_chunked"):
        yield f"PyBinaryTransfer/{mode}/{way}/200001"
    yield from (f"PyConcurrent/{mode}/clients:{clients}" for clients in (1, 3))


class PyclientTest(FolderTestCase):
    PROGRAM = "python_client"

    def run_client(self, *flags, **variables):
        return subprocess.run(
            [TOOLS / "python_client", "--no-install", f"--bench_server={BENCH_SERVER}", *flags],
            env={**os.environ, **variables}, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
            timeout=PATIENCE, check=False)

    def measure(self, *flags, status=0, out="results.json", **variables):
        """Runs with few calls, and with these environment variables; returns the file's content."""
        path = self.folder / out
        result = self.run_client(*FEW, f"--out={path}", *flags, **variables)
        self.assertEqual((status, ""), (result.returncode, result.stderr), result.stdout)
        return json.loads(path.read_text(encoding="utf-8"))

    def altered(self, script, change):
        """Returns the command line of a Python original that executes `change` first."""
        path = self.write("altered.py", f"import os, sys\nsys.path.insert(0, {str(REFERENCE)!r})\n"
                          f"from operations import Operations\n{change}\n"
                          f"import {script}\n{script}.main()\n")
        return "--server=" + shlex.join([sys.executable, str(path), "--model=threaded"])

    def test_every_row_of_every_kind_of_server(self):
        for mode in ("rpyc_threaded", "pyrpyc_threaded", "pyrpyc_forking", "http_threaded",
                     "flask_threaded", "flask_waitress"):
            with self.subTest(mode=mode):
                rpyc = "rpyc" in mode
                # Random bytes stall rpyc's own server by 40 ms per frame.
                payload = "text" if rpyc else "random"
                report = self.measure(f"--mode={mode}", f"--payload={payload}")
                self.assertEqual([], report["errors"])
                self.assertEqual([name + "/real_time" for name in names(mode, rpyc)],
                                 [row["name"] for row in report["benchmarks"]])
                for row in report["benchmarks"]:
                    self.check_row(row, rpyc, payload)

    def check_row(self, row, rpyc, payload):
        kind = row["name"].split("/")[0]
        placement = "free" if kind in ("PyBinaryTransfer", "PyConcurrent") else "shared"
        label = f"placement={placement} payload={payload}"
        self.assertTrue(row["label"].startswith(label), row)
        self.assertEqual(rpyc, " compression=python" in row["label"], row)
        self.assertEqual(("iteration", "us", 1), tuple(
            row[key] for key in ("run_type", "time_unit", "threads")))
        self.assertEqual(row["name"], row["run_name"])
        self.assertGreater(row["cpu_time"], 0)
        self.assertLessEqual(row["min_us"], row["p50_us"])
        self.assertLessEqual(row["p50_us"], row["max_us"])
        if kind == "PyConcurrent":
            clients = int(row["name"].split(":")[1].split("/")[0])
            self.assertEqual(10 * clients, row["samples"])
            self.assertAlmostEqual(10 * clients * 1e6, row["items_per_second"] * row["real_time"],
                                   delta=1)
            self.assertGreaterEqual(row["real_time"], row["max_us"])
            self.assertLessEqual(row["slowest_client_per_s"], row["fastest_client_per_s"])
            self.assertLessEqual(row["connect_p50_us"], row["connect_max_us"])
        else:
            self.assertEqual(row["iterations"], row["samples"])
            self.assertLessEqual(row["min_us"], row["real_time"])
            self.assertLessEqual(row["real_time"], row["max_us"])
        if kind == "PyLatency":
            self.assertLessEqual(row["p10_us"], row["p95_us"])
            self.assertLessEqual(row["p95_us"], row["p99_us"])
            self.assertEqual("flask_threaded" in row["name"], row["connections"] == 1, row)
        if kind == "PyConnection":
            self.assertEqual(rpyc, "tcp_connect_us" in row)

    def test_both_libraries_speak_tls_and_verify_the_server(self):
        for mode in ("rpyc_threaded", "http_threaded", "pyrpyc_threaded", "flask_threaded"):
            for transport in ("tls", "tls_1_2"):
                with self.subTest(mode=mode, transport=transport):
                    report = self.measure(f"--mode={mode}", f"--transport={transport}",
                                          "--filter=/ping/|Connection")
                    self.assertEqual([], report["errors"])
                    self.assertEqual(2, len(report["benchmarks"]))
                    for row in report["benchmarks"]:
                        self.assertTrue(row["label"].endswith(f" transport={transport}"), row)

    def test_a_server_with_another_name_or_authority_is_refused(self):
        authority = PrivateAuthority(self.folder)
        elsewhere = authority.sign("elsewhere", "IP:127.0.0.2")
        stranger = PrivateAuthority(self.folder, "stranger").sign("unknown")
        for protocol, client in (("rpyc", RpycClient), ("http", HttpClient)):
            for (certificate, key), words in ((elsewhere, "IP address mismatch|doesn't match"),
                                              (stranger, "unable to get local issuer")):
                with Server([BENCH_SERVER, f"--protocol={protocol}", "--model=threaded",
                             f"--tls_certificate={certificate}", f"--tls_key={key}"]) as server:
                    with self.assertRaisesRegex(Exception, words):
                        client(server.port, authority.file).ping()

    def test_the_context_has_the_versions(self):
        context = self.measure("--mode=http_threaded", "--filter=/ping/",
                               "--placement=free")["context"]
        self.assertEqual("free", context["placement"])
        self.assertIn("--protocol=http --model=threaded --payload=random", context["server"])
        for package in ("python", "openssl", "rpyc", "flask", "requests", "waitress"):
            self.assertRegex(context[f"{package}_version"], r"^\d+\.\d+")

    def test_the_context_has_variables_that_change_costs(self):
        flags = ("--mode=http_threaded", "--filter=/ping/")
        self.assertNotIn("environment", self.measure(*flags, **dict.fromkeys(VARIABLES, ""))["context"])
        self.assertEqual(" ".join(f"{name}={value}" for name, value in VARIABLES.items()),
                         self.measure(*flags, **VARIABLES)["context"]["environment"])

    def test_results_join_those_of_bench_all_of_the_same_build(self):
        """The tools accept both files as one run, and so can show what the Python client costs."""
        files = [self.folder / "native.json"]
        native = subprocess.run(
            [pathlib.Path(BENCH_SERVER).with_name("bench_all"), f"--benchmark_out={files[0]}",
             "--benchmark_filter=^Latency/(tcp|rpyc|pyrpyc)_threaded/ping/|^Floor/ping/",
             "--benchmark_min_time=0.01", "--ledger=false"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(0, native.returncode, native.stderr)
        for mode in ("rpyc_threaded", "pyrpyc_threaded"):
            self.measure(f"--mode={mode}", "--filter=^PyLatency/.*/ping/", out=f"{mode}.json")
            files.append(self.folder / f"{mode}.json")

        def tool(name, *flags):
            done = subprocess.run([TOOLS / name, *flags, *files], stdin=subprocess.DEVNULL, timeout=PATIENCE,
                                  capture_output=True, text=True, check=False)
            self.assertEqual("", done.stderr)
            return done

        explained = tool("explain")
        self.assertEqual(0, explained.returncode, explained.stdout)
        if pathlib.Path(BENCH_SERVER).with_name("allocation_count.so").exists():
            # With a sanitizer, native code takes longer than Python's.
            self.assertRegex(explained.stdout, r"interpreter \(client\) +[0-9.]+ µs")
        self.assertIn("native + rpyc_threaded + pyrpyc_threaded", tool("report", "--markdown").stdout)
        self.assertRegex(tool("expectations").stdout, "Py(thon|Latency)")

    def test_a_server_that_writes_much_is_read(self):
        """It writes more than a pipe holds, which would block it in the middle of a call."""
        chatty = self.altered("flask_server", "inner = Operations.ping\n"
                              "def ping(self):\n"
                              "    sys.stderr.write(('word ' * 1000 + '\\n') * 4)\n"
                              "    return inner(self)\n"
                              "Operations.ping = ping")
        report = self.measure(chatty, "--protocol=http", "--filter=PyLatency/.*/ping/")
        self.assertEqual([], report["errors"])

    def test_the_cpu_time_is_that_of_the_requests(self):
        """Like the real time it leaves out connecting and closing: one interpreter uses one CPU."""
        report = self.measure("--mode=http_threaded", "--filter=PyConcurrent/.*/clients:3",
                              "--requests_per_client=200")
        for row in report["benchmarks"]:
            self.assertLess(row["cpu_time"], 1.3 * row["real_time"])

    def test_compare_reads_two_files(self):
        flags = ("--mode=http_threaded", "--filter=PyLatency/.*/ping/")
        self.measure(*flags, out="before.json")
        self.measure(*flags, out="after.json")
        result = subprocess.run(
            [TOOLS / "compare", "--no-install", self.folder / "before.json",
             self.folder / "after.json", "--no-color"],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((0, ""), (result.returncode, result.stderr), result.stdout)
        self.assertRegex(result.stdout, r"PyLatency/http_threaded/ping/real_time +[-+][0-9.]+")

    def test_any_server_that_keeps_the_contract(self):
        for protocol in ("rpyc", "http"):
            command = shlex.join([BENCH_SERVER, f"--protocol={protocol}", "--model=threaded"])
            report = self.measure(f"--server={command}", f"--protocol={protocol}",
                                  "--filter=ping|download/1024", "--payload=zeros")
            self.assertIn(f"PyLatency/{protocol}_custom/ping/real_time",
                          [row["name"] for row in report["benchmarks"]])

    def test_a_server_of_one_connection_at_a_time(self):
        report = self.measure("--mode=pyrpyc_oneshot", "--filter=Connection|Concurrent|ping")
        self.assertEqual([], report["errors"])
        self.assertEqual(["PyConnection", "PyLatency", "PyLatency", "PyConcurrent"],
                         [row["name"].split("/")[0] for row in report["benchmarks"]])

    def test_a_wrong_reply_is_an_error_and_no_number(self):
        for protocol, script in (("rpyc", "rpyc_server"), ("http", "flask_server")):
            server = self.altered(script, "Operations.ping = lambda self: 'gnop'")
            report = self.measure(server, f"--protocol={protocol}", "--payload=zeros",
                                  "--filter=Connection|/ping/|echo/64|clients:3", status=1)
            self.assertEqual([f"PyLatency/{protocol}_custom/echo/64/real_time"],
                             [row["name"] for row in report["benchmarks"]])
            messages = {error["name"]: error["message"] for error in report["errors"]}
            self.assertIn("a wrong reply",
                          messages[f"PyLatency/{protocol}_custom/ping/real_time"])
            self.assertIn("a wrong reply", messages[f"PyConnection/{protocol}_custom/real_time"])
            self.assertIn("3 of 3 clients failed; the first: a wrong reply: 'gnop'",
                          messages[f"PyConcurrent/{protocol}_custom/clients:3/real_time"])

    def test_a_dead_server_is_an_error_of_its_row_alone(self):
        server = self.altered("rpyc_server", "def crash(self, data):\n"
                              "    print('I am unwell', file=sys.stderr, flush=True)\n"
                              "    os._exit(3)\nOperations.upload = crash")
        report = self.measure(server, "--protocol=rpyc", "--filter=Bandwidth/.*/1024/", status=1)
        self.assertEqual(["PyBandwidth/rpyc_custom/download/1024/real_time"],
                         [row["name"] for row in report["benchmarks"]])
        self.assertEqual(1, len(report["errors"]))
        self.assertIn("server: I am unwell", report["errors"][0]["message"])

    def test_a_locale_of_ascii_loses_no_row(self):
        server = self.altered("flask_server", "def crash(self):\n"
                              "    os.write(2, b'5 \\xc2\\xb5s too late\\n')\n"
                              "    os._exit(3)\nOperations.ping = crash")
        report = self.measure(server, "--protocol=http", "--filter=PyLatency/.*/(ping|echo/64)/", "--payload=text",
                              status=1, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        self.assertEqual(["PyLatency/http_custom/echo/64/real_time"], [row["name"] for row in report["benchmarks"]])
        self.assertIn("5 µs too late", report["errors"][0]["message"])

    def test_a_server_that_does_not_start_is_an_error(self):
        for command, words in (("/nonexistent", "No such file"), ("false", "did not start")):
            report = self.measure(f"--server={command}", "--protocol=http", "--filter=/ping/",
                                  status=1)
            self.assertEqual([], report["benchmarks"])
            self.assertIn(words, report["errors"][0]["message"])

    def test_bad_flags_are_refused_in_one_line(self):
        out = f"--out={self.folder / 'never.json'}"
        good = ("--mode=flask_threaded", out)
        main = module_of(TOOLS / "pyclient" / "__main__.py").main
        for flags, words in (((out,), "--mode or --server"),
                             (("--mode=smtp_threaded", out), "unknown mode smtp_threaded"),
                             (("--mode=flask_threaded",), "--out"),
                             (("--server=false", out), "--protocol"),
                             (("--mode=flask_threaded", "--protocol=rpyc", out), "speaks http"),
                             ((*good, "--filter=("), "--filter"),
                             ((*good, "--filter=nothing"), "no row matches"),
                             ((*good, "--placement=near"), "--placement"),
                             ((*good, "--requests=0"), "--requests"),
                             ((*good, "--clients=1,,2"), "--clients"),
                             ((*good, "--unknown"), "--unknown"),
                             (("--mode=flask_threaded", "--out=/nonexistent/file"), "nonexistent"),
                             (("--mode=flask_threaded", "--out=/dev/null"), "not a regular")):
            with self.subTest(flags=flags):
                self.assert_refused(run_in_process(main, "--bench_server=unused", *flags), words)
        self.assertFalse((self.folder / "never.json").exists())

    def test_what_is_no_interpreter_is_refused_in_one_line(self):
        self.assert_refused(self.run_client("--python=/nonexistent", "--mode=flask_threaded"),
                            ": --python: no such interpreter: /nonexistent\n")

    def test_the_list_starts_no_server(self):
        result = self.run_client("--server=/nonexistent", "--protocol=http", "--list")
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        self.assertIn("PyLatency/http_custom/ping/real_time", result.stdout.splitlines())


class SamplesTest(unittest.TestCase):
    def test_percentiles_are_nearest_ranks(self):
        counters = latency_counters(list(range(100_000, 0, -1000)))
        self.assertEqual({"p10_us": 10, "p50_us": 50, "p95_us": 95, "p99_us": 99, "min_us": 1,
                          "max_us": 100, "samples": 100}, counters)

    def test_percentiles_of_too_few_samples_are_left_out(self):
        self.assertEqual({"p50_us", "min_us", "max_us", "samples"}, latency_counters([5]).keys())
        self.assertNotIn("p99_us", latency_counters([1] * 99))
        self.assertIn("p95_us", latency_counters([1] * 20))
        self.assertEqual(2e-3, latency_counters([3, 1, 2, 4])["p50_us"])


if __name__ == "__main__":
    if not BENCH_SERVER:
        sys.exit("usage: pyclient_test.py <bench_server>")
    unittest.main()
