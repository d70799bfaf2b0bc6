"""Tests the ledger of system calls and allocations per call: `call_ledger_test.py bench_all`.

It must repeat to the unit, be right where the costs of a call are known, and notice one more system
call or allocation. If something stops it, the row reports that and leaves neither a wrong number nor
a process.
"""

import collections
import functools
import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from testing import runs
from testing.runs import BENCH_ALL, PATIENCE, needs_ledger, rows_of
from testing.folder_test_case import FolderTestCase
from testing.watching import await_end, children, wait_until

SYSCALLS = ("client_syscalls", "server_syscalls")
ALLOCATIONS = ("client_allocations", "server_allocations", "client_allocated_bytes",
               "server_allocated_bytes")
COUNTERS = (*SYSCALLS, *ALLOCATIONS, "ledger_exact")
MODES = "(tcp|rpyc|http)_(threaded|forking|async|threadpool)"
# Rows that are also measured with one more system call or allocation, and all rows that are not.
INJECTED = (f"Latency/{MODES}/(ping(_callattr)?|echo/(64|1024))|"
            "Bandwidth/(tcp|rpyc|http)_threaded/(up|down)load/1024")
PLAIN = f"Latency/{MODES}/(ping.*|echo/.*)|Connection/{MODES}.*|Floor/ping|{INJECTED}"


def flags_of(rows):
    return (f"--benchmark_filter=^({rows})/real_time$", "--benchmark_format=json",
            "--benchmark_min_time=0")


def run(rows, *flags, **how):
    return runs.run(*flags_of(rows), *flags, **how)


def measure(rows, *flags):
    return rows_of(run(rows, *flags))


def ledgers(rows, *flags):
    """Returns each row's part of the file, after checking it against the counters."""
    with tempfile.TemporaryDirectory(prefix="rpycbench_ledger_") as folder:
        path = pathlib.Path(folder, "ledger.jsonl")
        measured = measure(rows, "--ledger", f"--ledger_file={path}", *flags)
        lines = {line["row"]: line for line in map(json.loads, path.read_text().splitlines())}
    assert set(lines) == set(measured), (set(lines), set(measured))
    for name, row in measured.items():
        for side in ("client", "server"):
            line = lines[name][side]
            found = [sum(line["syscalls"].values()), line["allocations"], line["allocated_bytes"]]
            counters = [row[f"{side}_{what}"] for what in ("syscalls", "allocations",
                                                           "allocated_bytes")]
            assert [round(value, 9) for value in found] == [round(value, 9) for value in counters], (
                name, found, counters)
        assert lines[name]["exact"] == (row["ledger_exact"] == 1), name
    return lines


@functools.cache
def plain_ledgers():
    """Returns the ledgers of all rows, which several tests compare with."""
    return ledgers(PLAIN)


def but_for_receiving(line):
    """Returns the costs of each side of a line without the system calls that wait and receive."""
    return [{**line[side], "syscalls": {call: count for call, count in line[side]["syscalls"].items()
                                        if call.startswith("send")}} for side in ("client", "server")]


def matches(pattern, lines):
    return {name: line for name, line in lines.items() if re.fullmatch(pattern, name)}


@needs_ledger
class LedgerTest(unittest.TestCase):
    def test_it_repeats_to_the_unit(self):
        """Rows with an injected cost repeat as well, as their own test shows."""
        first = plain_ledgers()
        self.assertEqual(12 * 3 + 5 * 2 + 4 * 2 + 12 + 4,
                         len(matches("(Latency|Connection)/.*", first)))
        second = ledgers("|".join(set(first) - set(matches(INJECTED, first))))
        for name, line in second.items():
            # The kernel decides which thread of a pool notices a new connection, and when.
            if name.startswith("Connection/") and "_threadpool" in name:
                self.assertAlmostEqual(sum(line["server"]["syscalls"].values()),
                                       sum(first[name]["server"]["syscalls"].values()), delta=2)
                continue
            # Data larger than the sockets' buffers arrives in as many pieces as the kernel makes of it.
            if name.endswith("/echo/102400"):
                self.assertEqual(*map(but_for_receiving, (first[name], line)))
                continue
            self.assertEqual(first[name], line)
            self.assertTrue(line["exact"], name)

    def test_what_a_ping_takes(self):
        """It takes one or two sends and as many receives.

        Servers that never block try to receive the next request before they wait for it with epoll.
        In a pool, the thread that serves a request wakes another one to wait for the next.
        """
        for name, line in matches(f"Latency/{MODES}/ping.*|Floor/ping", plain_ledgers()).items():
            with self.subTest(row=name):
                trips = 2 if name.startswith("Latency/rpyc") and name.endswith("/ping") else 1
                waits = trips if "async" in name or "threadpool" in name else 0
                for side in ("client", "server"):
                    calls = dict(line[side]["syscalls"])
                    sent = calls.pop("sendto", 0) + calls.pop("sendmsg", 0)
                    waited = waits if side == "server" else 0
                    self.assertEqual((trips, trips + waited), (sent, calls.pop("recvfrom")))
                    if waited and "threadpool" in name:
                        self.assertLessEqual(calls.pop("futex"), 3 * trips)
                    self.assertEqual({"epoll_wait": waited} if waited else {}, calls)
                    self.assertEqual((0, 0), (line[side]["allocations"],
                                              line[side]["allocated_bytes"]))

    def test_one_more_is_noticed(self):
        before = matches(INJECTED, plain_ledgers())
        self.assertEqual(12 * 3 + 4 + 3 * 2, len(before))
        for inject in ("syscall", "alloc"):
            after = ledgers(INJECTED, f"--inject={inject}")
            self.assertEqual(set(before), set(after))
            for name, line in after.items():
                with self.subTest(row=name, inject=inject):
                    self.assertTrue(line["exact"])
                    server = line["server"]
                    if inject == "syscall":
                        more = (collections.Counter(server["syscalls"])
                                - collections.Counter(before[name]["server"]["syscalls"]))
                        self.assertEqual([1], [*more.values()])
                        server["syscalls"] = collections.Counter(server["syscalls"]) - more
                    else:
                        server["allocations"] -= 1
                        server["allocated_bytes"] -= 1
                    self.assertEqual(before[name], line)

    def test_a_transfer_of_many_pieces(self):
        lines = ledgers("BinaryTransfer/tcp_threaded/upload.*", "--file_bytes=300000",
                        "--chunk_bytes=1000")
        line = lines["BinaryTransfer/tcp_threaded/upload_chunked/300000"]
        self.assertEqual(301, line["client"]["syscalls"]["sendto"])  # including one for the header

    def test_servers_in_python(self):
        rows = "Latency/(pyrpyc_threaded/ping_callattr|flask_threaded/ping)"
        lines = ledgers(rows)
        rpyc = lines["Latency/pyrpyc_threaded/ping_callattr"]["server"]["syscalls"]
        self.assertEqual((1, 2), (rpyc["sendto"], rpyc["recvfrom"]))
        flask = lines["Latency/flask_threaded/ping"]
        self.assertEqual((1, 1), (flask["client"]["syscalls"]["connect"],
                                  flask["server"]["syscalls"]["accept4"]))

    def test_behind_a_launcher(self):
        row = "Latency/tcp_threaded/ping"
        self.assertEqual(ledgers(row), ledgers(row, "--server_launcher=nice -n 5"))

    def test_repetitions_share_it(self):
        done = run("Latency/tcp_threaded/ping", "--ledger", "--benchmark_repetitions=2")
        rows = json.loads(done.stdout)["benchmarks"]
        self.assertEqual([2, 2], [row["server_syscalls"] for row in rows
                                  if row["run_type"] == "iteration"])

    def test_in_classic_names_have_more_parts(self):
        [row] = measure("Latency/tcp_threaded/ping/iterations:5", "--preset=classic",
                        "--requests=5", "--ledger").values()
        self.assertEqual(2, row["server_syscalls"])

    def test_which_rows_have_it(self):
        rows = "(Latency|Bandwidth)/(tcp_threaded|flask_threaded)/(ping|upload/1024)"
        having = {"Latency/tcp_threaded/ping"}
        for flags, expected in (
                (["--preset=quick"], set()),
                (["--preset=default"], having),
                (["--preset=default", "--ledger=false"], set()),
                (["--preset=full"], having | {"Bandwidth/tcp_threaded/upload/1024"}),
                (["--preset=quick", "--ledger"],
                 {f"{kind}/{mode}_threaded/{call}" for mode in ("tcp", "flask")
                  for kind, call in (("Latency", "ping"), ("Bandwidth", "upload/1024"))})):
            with self.subTest(flags=flags):
                measured = measure(rows, *flags)
                self.assertEqual(4, len(measured))
                self.assertEqual(expected, {name for name, row in measured.items()
                                            if set(COUNTERS) <= set(row)})
                self.assertEqual(expected, {name for name, row in measured.items()
                                            if set(COUNTERS) & set(row)})


@needs_ledger
class FailureTest(FolderTestCase):
    def server(self, when_counted):
        """Returns a server that works normally, except that it runs the script in a counting pass."""
        server = self.program("server", 'if [ -n "$RPYCBENCH_ALLOCATION_PAGE" ]; then\n'
                              f'{when_counted}\nfi\nexec "{BENCH_ALL.parent}/bench_server" "$@"')
        return f"--server={server}"

    def assert_error(self, done, words):
        self.assertEqual(1, done.returncode, done.stderr)
        [row] = json.loads(done.stdout)["benchmarks"]
        self.assertIn(words, row["error_message"])
        self.assertNotIn("server_syscalls", row)

    def test_a_server_that_fails_is_the_rows_error(self):
        done = run("Latency/tcp_threaded/ping", "--ledger", self.server("echo lost >&2; exit 3"))
        self.assert_error(done, "the server exited with code 3; its stderr ends with: lost")

    def test_a_wrong_reply_is_the_rows_error(self):
        liar = f'exec "{BENCH_ALL.parent}/misbehaving_server" --behave=wrong_answer "$@"'
        done = run("Floor/ping", "--ledger", self.server(liar))
        self.assert_error(done, "wrong reply to Floor/ping")

    def hang(self):
        return self.server(f'cd "{self.folder}"; echo $$ > new; mv new pid; sleep 1000 & wait')

    def test_a_server_that_hangs_is_ended(self):
        done = run("Latency/tcp_threaded/ping", "--ledger", self.hang(), "--ready_timeout_ms=2000")
        self.assert_error(done, "waited 2000 ms for the server to get ready")
        await_end(int((self.folder / "pid").read_text()))

    def test_nothing_outlives_the_suite(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(signal=number):
                pid = self.folder / "pid"
                pid.unlink(missing_ok=True)
                flags = (*flags_of("Latency/tcp_threaded/ping"), "--ledger", self.hang())
                with subprocess.Popen([BENCH_ALL, *flags], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL) as suite:
                    wait_until(pid.exists, "a server that hangs")
                    shell = int(pid.read_text())
                    processes = [shell, *children(shell)]
                    suite.send_signal(number)
                    suite.wait(timeout=PATIENCE)
                await_end(*processes)

    def test_a_file_that_cannot_be_written_is_the_rows_error(self):
        done = run("Latency/tcp_threaded/ping", "--ledger", "--ledger_file=/no/such/folder/file")
        self.assert_error(done, "cannot write to /no/such/folder/file")


class UnavailableTest(unittest.TestCase):
    def test_without_it_rows_are_measured_and_one_line_says_so(self):
        with tempfile.TemporaryDirectory(prefix="rpycbench_ledger_") as folder:
            for name in ("bench_all", "bench_server"):
                shutil.copy(BENCH_ALL.parent / name, folder)
            done = run("Latency/(tcp|http)_threaded/ping", "--ledger",
                       command=[f"{folder}/bench_all"])
        rows = rows_of(done)
        self.assertEqual(2, len(rows))
        for row in rows.values():
            self.assertEqual(set(), set(COUNTERS) & set(row))
        told = [line for line in done.stderr.splitlines() if "the ledger is unavailable" in line]
        self.assertEqual([f"bench_all: the ledger is unavailable, rows go without it: there is no "
                          f"{folder}/allocation_count.so, which a build with a sanitizer cannot "
                          "have"], told)


if __name__ == "__main__":
    unittest.main()
