"""Tests that rows whose measurement is suspect say so: `doubts_test.py bench_all bench_server`.

Each test breaks a row's promise: a server closes connections that its mode keeps, other processes use
the row's CPU, or a server runs on another CPU than requested.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH_ALL, BENCH_SERVER = (sys.argv.pop(1) for _ in range(2)) if len(sys.argv) > 2 else ("", "")
REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "servers" / "reference"
PATIENCE = 120  # seconds


class DoubtsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rpycbench_doubts_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def script(self, text):
        path = self.folder / "server"
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def measure(self, row, *flags, prefix=()):
        """Returns the exit status and the report of one row."""
        out = self.folder / "out.json"
        done = subprocess.run(
            [*prefix, BENCH_ALL, f"--benchmark_filter=^{row}/real_time$", f"--benchmark_out={out}", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=PATIENCE, check=False)
        self.assertTrue(out.exists(), done.stderr)
        return done.returncode, json.loads(out.read_text(encoding="utf-8"))

    def doubts(self, row, *flags):
        status, report = self.measure(row, *flags)
        self.assertEqual((0, []), (status, report["errors"]))
        listed = report["doubts"][0]["doubts"] if report["doubts"] else []
        label = report["benchmarks"][0]["label"].split()
        self.assertEqual([f"doubts={','.join(listed)}"] if listed else [],
                         [entry for entry in label if entry.startswith("doubts=")])
        return listed

    def in_ten_rows(self, row, *flags, prefix=()):
        """Returns the doubts of each of ten repetitions, as texts."""
        _, report = self.measure(row, "--benchmark_repetitions=10", "--ledger=false", *flags, prefix=prefix)
        self.assertEqual([], report["errors"])
        found = [""] * 10
        for entry in report["doubts"]:
            found[entry["repetition_index"]] = ",".join(entry["doubts"])
        return found

    def assert_in_each(self, rows, doubt):
        for number, doubts in enumerate(rows):
            self.assertRegex(doubts, doubt, f"repetition {number}")

    def test_a_server_that_closes_what_its_mode_keeps(self):
        closing = self.script(
            'for flag; do case $flag in --nonce=*) nonce=$flag;; esac; done\n'
            f'exec "{sys.executable}" "{REFERENCE}/flask_server.py" --model=threaded "$nonce"')
        row = "Latency/http_threaded/ping"
        self.assertRegex(",".join(self.doubts(row, f"--server={closing}")), r"reconnects:\d+")
        self.assertNotIn("reconnects", ",".join(self.doubts(row)))

    def test_other_processes_on_the_rows_cpu(self):
        cpu = max(os.sched_getaffinity(0))  # the CPU of the placement `shared`
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                 preexec_fn=lambda: os.sched_setaffinity(0, [cpu]))
                for _ in range(2)]
        try:
            rows = self.in_ten_rows("Latency/tcp_threaded/ping", "--benchmark_min_time=0.2")
        finally:
            for process in busy:
                process.kill()
                process.wait()
        self.assert_in_each(rows, r"others:\d+%")

    def test_calls_that_stall(self):
        """They stall for 40 ms now and then, as when Nagle's algorithm meets a delayed acknowledgement."""
        rows = self.in_ten_rows("Latency/tcp_threaded/ping", "--inject=spin:40000000:1", "--benchmark_min_time=0.05",
                                "--requests=300")
        self.assert_in_each(rows, r"stalls:\d+")

    def test_a_quota_that_is_used_up(self):
        """It is 3 ms in each 10, in a control group made for it, where this process may make one."""
        for mount, limits in (("/sys/fs/cgroup", {"cpu.max": "3000 10000"}),
                              ("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": "10000", "cpu.cfs_quota_us": "3000"})):
            group = pathlib.Path(mount) / f"rpycbench_test_{os.getpid()}"
            try:
                group.mkdir()
            except OSError:
                continue
            if not (group / "cgroup.procs").exists():  # a plain folder above the mounts of version 1
                group.rmdir()
                continue
            try:
                for name, value in limits.items():
                    (group / name).write_text(value)
                enter = ["sh", "-c", f'echo $$ > "{group}/cgroup.procs"; exec "$@"', "sh"]
                rows = self.in_ten_rows("Latency/tcp_threaded/ping", "--benchmark_min_time=0.1", prefix=enter)
            except OSError:
                continue
            finally:
                group.rmdir()
            self.assert_in_each(rows, r"throttled:\d+")
            return
        self.skipTest("this process may not make a control group with a limit of CPU time")

    def test_segments_that_are_lost(self):
        """A queue too short for a bulk transfer loses them, on a loopback in its own namespace."""
        network = ["unshare", "--net", "sh", "-c", "ip link set lo up mtu 1500 && tc qdisc add dev lo root tbf "
                   'rate 200mbit burst 20kb limit 30kb && exec "$@"', "sh"]
        if subprocess.run([*network, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this process may not make a network namespace with its own queue")
        rows = self.in_ten_rows("Bandwidth/tcp_threaded/upload/1048576", "--benchmark_min_time=0.1", prefix=network)
        self.assert_in_each(rows, r"retransmits:\d+")

    def test_a_server_on_other_cpus_than_asked_for_is_an_error(self):
        cpus = sorted(os.sched_getaffinity(0))
        elsewhere = cpus[0] if len(cpus) > 1 else None
        moving = self.script(f'exec taskset -c {cpus[0]} "{BENCH_SERVER}" "$@"')
        status, report = self.measure("Latency/tcp_threaded/ping", f"--server={moving}")
        if elsewhere is None:  # there is no other CPU
            self.assertEqual((0, []), (status, report["errors"]))
            return
        self.assertEqual((1, []), (status, report["benchmarks"]))
        self.assertRegex(report["errors"][0]["message"],
                         f"may run on CPUs {elsewhere}, not on {cpus[-1]} as asked")

    def test_strict_makes_an_error_of_a_doubt(self):
        status, report = self.measure("Concurrent/tcp_threaded/clients:1", "--preset=quick",
                                      "--requests_per_client=1", "--benchmark_min_time=0",
                                      "--strict")
        self.assertEqual((1, []), (status, report["benchmarks"]))
        self.assertRegex(report["errors"][0]["message"], r"^doubts=.*samples_for_p99:\d+")


if __name__ == "__main__":
    if not BENCH_SERVER:
        sys.exit("usage: doubts_test.py <bench_all> <bench_server>")
    unittest.main()
