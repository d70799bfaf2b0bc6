"""Tests that rows whose measurement is suspect say so: `doubts_test.py bench_all`.

Each test breaks a row's promise: a server closes connections that its mode keeps, other processes use
the row's CPU, or a server runs on another CPU than requested.
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from testing.runs import BENCH_ALL, BENCH_SERVER, ROOT, busy, report_of, run
from testing.folder_test_case import FolderTestCase


class DoubtsTest(FolderTestCase):
    def measure(self, row, *flags, prefix=()):
        """Returns the exit status and the report of one row."""
        done, report = report_of(f"--benchmark_filter=^{row}/real_time$", *flags,
                                 command=(*prefix, BENCH_ALL))
        self.assertIsNotNone(report, done.stderr)
        return done.returncode, report

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
        closing = self.program(
            "server", 'for flag; do case $flag in --nonce=*) nonce=$flag;; esac; done\n'
            f'exec "{sys.executable}" "{ROOT}/servers/reference/flask_server.py" --model=threaded '
            '"$nonce"')
        row = "Latency/http_threaded/ping"
        self.assertRegex(",".join(self.doubts(row, f"--server={closing}")), r"reconnects:\d+")
        self.assertNotIn("reconnects", ",".join(self.doubts(row)))

    def test_other_processes_on_the_rows_cpu(self):
        cpu = max(os.sched_getaffinity(0))  # the CPU of the placement `shared`
        with busy([cpu, cpu]):
            rows = self.in_ten_rows("Latency/tcp_threaded/ping", "--benchmark_min_time=0.2")
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

    def test_threads_of_one_core_for_rows_that_are_split(self):
        """The kernel says that the two last CPUs share their core, by files mounted over its own."""
        cpus = sorted(os.sched_getaffinity(0))[-2:]
        if len(cpus) < 2:
            self.skipTest("this process may use one CPU only")
        siblings = self.folder / "siblings"
        siblings.write_text(",".join(map(str, cpus)) + "\n", encoding="ascii")
        mounts = "".join(f'mount --bind "{siblings}" /sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list && '
                         for cpu in cpus)
        one_core = ["taskset", "-c", siblings.read_text(encoding="ascii").strip(), "unshare", "--mount", "sh", "-c",
                    f'{mounts}exec "$@"', "sh"]
        if subprocess.run([*one_core, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this process may not mount files over those of /sys")
        flags = ("--preset=quick", "--benchmark_min_time=0", "--benchmark_format=json")
        ping = "--benchmark_filter=^Latency/tcp_threaded/ping/"
        for told, more in ((True, (ping, "--placement=split")), (False, (ping,)),
                           (True, ("--benchmark_filter=^OpenLoop/rpyc_threaded/load:50/",)),
                           (False, (ping, "--placement=split", "--server_launcher=env"))):
            with self.subTest(flags=more):
                done = run(*flags, *more, command=(*one_core, BENCH_ALL))
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertIn("of one core", json.loads(done.stdout)["context"]["cpus_split"])
                warning = f"CPUs {cpus[0]} and {cpus[1]} are two threads of one core"
                (self.assertIn if told else self.assertNotIn)(warning, done.stderr)

    def test_a_server_on_other_cpus_than_asked_for_is_an_error(self):
        cpus = sorted(os.sched_getaffinity(0))
        elsewhere = cpus[0] if len(cpus) > 1 else None
        moving = self.program("server", f'exec taskset -c {cpus[0]} "{BENCH_SERVER}" "$@"')
        status, report = self.measure("Latency/tcp_threaded/ping", f"--server={moving}")
        if elsewhere is None:  # there is no other CPU
            self.assertEqual((0, []), (status, report["errors"]))
            return
        self.assertEqual((1, []), (status, report["benchmarks"]))
        self.assertRegex(report["errors"][0]["message"],
                         f"may run on CPUs {elsewhere}, not on {cpus[-1]} as asked")


if __name__ == "__main__":
    unittest.main()
