"""Tests the rows of Python clients: `python_clients_test.py bench_all`.

Runs the real program with real clients of rpyc and requests. It also provokes wrong replies, a
client's process that dies, and interpreters that lack what the clients need.
"""

import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

import plumbum
import rpyc

from testing import runs
from testing.folder_test_case import FolderTestCase
from testing.watching import descendants, stat_fields, wait_until

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "servers" / "reference"
SHORT = ("--benchmark_min_time=0", "--clients=2", "--requests_per_client=5")
FULL = ("--preset=full", *SHORT)
NATIVE_PING = "Latency/rpyc_threaded/ping"
PING = f"Py{NATIVE_PING}"


def clients_of(pid):
    """Returns the processes of Python clients that the process has started."""
    return [child for child in descendants(pid)
            if b"client_process.py" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes()]


def runs_still(pid):
    """Returns whether the process has not ended; the machine's init reaps it at any time."""
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


class PythonClientsTest(FolderTestCase):
    PROGRAM = "bench_all"

    def altered(self, change):
        """Returns a flag for a folder of the reference servers and clients with a change."""
        folder = self.folder / "reference"
        shutil.copytree(REFERENCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name, old, new in change:
            text = (folder / name).read_text(encoding="utf-8")
            self.assertEqual(1, text.count(old), (name, old))
            (folder / name).write_text(text.replace(old, new), encoding="utf-8")
        return f"--reference_servers={folder}"

    def without_requests(self):
        """Returns a flag for an interpreter that has rpyc, but not requests."""
        packages = self.folder / "packages"
        packages.mkdir()
        for module in (rpyc, plumbum):
            folder = pathlib.Path(module.__file__).parent
            (packages / folder.name).symlink_to(folder)
        path = self.program("python", f'PYTHONPATH="{packages}" exec {sys.executable} -S "$@"')
        return f"--python={path}"

    def report(self, rows, *flags):
        """Returns the exit status and the file of results of a run in pairs."""
        done, report = runs.report_of(f"--benchmark_filter={rows}", *FULL, *flags, pairs=True)
        return done.returncode, report

    def test_every_row(self):
        status, report = self.report(
            "^(Py(Latency|Objects|Concurrent)|SharedConnection)/"
            "(rpyc_threaded|http_threaded|pyrpyc_threaded|flask_threaded)/",
            "--payload_bytes=64")
        self.assertEqual((0, []), (status, report["errors"]))
        rows = {row["name"]: row for row in report["benchmarks"]}
        for kind in ("PyLatency/{}/exception", "PyConcurrent/{}/clients:2"):
            for mode in ("rpyc_threaded", "http_threaded", "pyrpyc_threaded", "flask_threaded"):
                self.assertIn(f"{kind.format(mode)}/manual_time", rows)
        for mode in ("rpyc_threaded", "pyrpyc_threaded"):
            self.assertIn(f"SharedConnection/{mode}/threads:2/manual_time", rows)
            self.assertIn(f"PyObjects/{mode}/buffiter/10/manual_time", rows)
        for name, row in rows.items():
            with self.subTest(row=name):
                self.assertGreater(row["p50_us"], 0)
                self.assertGreater(row["client_cpu_us"], 0)
                self.assertIn("probe_ratio", row)
                self.assertNotIn("round_trips", row)
                self.assertEqual(0 if "http" in name or "flask" in name else None,
                                 row.get("retries"))
        # Python's client takes several times what the native one does.
        native = runs.measure(f"--benchmark_filter=^{NATIVE_PING}/", *FULL)[NATIVE_PING]
        self.assertGreater(rows[f"{PING}/manual_time"]["p50_us"], 1.5 * native["p50_us"])

    def test_clients_use_tls(self):
        status, report = self.report("^PyLatency/(rpyc|http)_threaded/ping/", "--transport=tls")
        self.assertEqual((0, 2), (status, len(report["benchmarks"])), report["errors"])

    def test_a_wrong_reply_is_an_error_of_its_row_alone(self):
        flag = self.altered([("client_calls.py", 'PONG = "pong"', 'PONG = "ping"')])
        status, report = self.report("^PyLatency/rpyc_threaded/(ping|getattr)/", flag)
        self.assertEqual(1, status)
        [error] = report["errors"]
        self.assertEqual(f"{PING}/manual_time", error["name"])
        self.assertIn("the Python client failed: RuntimeError: a wrong reply", error["message"])
        self.assertEqual(["PyLatency/rpyc_threaded/getattr/manual_time"],
                         [row["name"] for row in report["benchmarks"]])

    def test_a_reply_of_another_type_is_wrong(self):
        flag = self.altered([("clients.py", "return self._root.ping()", "return b'pong'")])
        status, report = self.report(f"^{PING}/", flag)
        self.assertEqual(1, status)
        self.assertIn("a wrong reply", report["errors"][0]["message"])

    def test_after_a_missing_answer_another_process_takes_over(self):
        """A late answer must never be taken for that to the next command."""
        flag = self.altered([("client_process.py", "        what = command[\"do\"]\n",
                              "        what = command[\"do\"]\n"
                              "        if command.get(\"operation\") == \"getattr\":\n"
                              "            return [], []  # no answer that can be read\n")])
        status, report = self.report("^PyLatency/rpyc_threaded/(getattr|ping|exception)/", flag)
        self.assertEqual(1, status)
        self.assertEqual(["PyLatency/rpyc_threaded/getattr/manual_time"],
                         [error["name"] for error in report["errors"]])
        self.assertEqual(2, len(report["benchmarks"]), report)

    def test_an_attribute_that_is_not_set_is_an_error(self):
        flag = self.altered([("clients.py", "self._root.setting = self._setting",
                              "self._root.setting = 7")])
        status, report = self.report("^PyLatency/rpyc_threaded/setattr/", flag)
        self.assertEqual(1, status)
        self.assertIn("a wrong reply", report["errors"][0]["message"])

    def test_a_client_process_that_dies_is_replaced(self):
        flag = self.altered([("client_process.py", "        what = command[\"do\"]\n",
                              "        what = command[\"do\"]\n"
                              "        if command.get(\"operation\") == \"getattr\":\n"
                              "            import os; os._exit(5)\n")])
        status, report = self.report("^PyLatency/rpyc_threaded/(getattr|ping|exception)/", flag)
        self.assertEqual(1, status)
        [error] = report["errors"]
        self.assertRegex(error["message"], "the Python client's process: .*exited with code 5")
        self.assertEqual(2, len(report["benchmarks"]), report)

    def test_clients_end_with_the_program(self):
        for end in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(end=end):
                program = subprocess.Popen(
                    [runs.BENCH_ALL, f"--benchmark_filter=^{PING}/", "--preset=full",
                     "--benchmark_min_time=60"], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.addCleanup(program.wait)
                self.addCleanup(program.kill)
                clients = wait_until(lambda: clients_of(program.pid), "clients")
                program.send_signal(end)
                program.wait()
                wait_until(lambda: not any(map(runs_still, clients)), "their end")

    def test_without_the_library_rows_are_left_out_with_the_package(self):
        flag = self.without_requests()
        done = runs.run(*FULL, "--benchmark_filter=^PyLatency/(rpyc|http)_threaded/ping/", flag)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stderr, "unavailable: rows of requests as client: .* has no module "
                                      "requests; install the package python3-requests")
        self.assertIn("rpyc_threaded", done.stdout)
        self.assertNotIn("http_threaded", done.stdout)
        done = runs.run(*FULL, "--benchmark_filter=^PyLatency/http_threaded/ping/", flag)
        self.assert_refused(done, "no row that matches can be measured: rows of requests as client")

    def test_transports_without_python_clients(self):
        done = runs.run(*FULL, f"--benchmark_filter=^{PING}/", "--transport=unix")
        self.assert_refused(done, "Python clients connect by TCP (--transport=unix)")


if __name__ == "__main__":
    unittest.main()
