"""Tests rows on request: `rows_on_request_test.py bench_all`."""

import json
import os
import signal
import subprocess
import unittest

from testing.runs import BENCH_ALL, PATIENCE, needs_ledger, run
from testing.watching import await_end, children

PING, ECHO = "Latency/tcp_threaded/ping/real_time", "Latency/rpyc_threaded/echo/64/real_time"


def ask(lines, *flags):
    """Returns (exit status, the answers, stderr) after writing these lines to stdin."""
    done = run("--rows_on_request", "--benchmark_filter=^Latency/(tcp|rpyc)_threaded/",
               "--benchmark_min_time=0", "--ledger=false", *flags, stdin=None,
               input="".join(line + "\n" for line in lines))
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


class RowsOnRequest(unittest.TestCase):
    def test_rows_come_as_they_are_asked_for(self):
        code, answers, err = ask([PING, ECHO, PING])
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([[row["name"] for row in answer["benchmarks"]] for answer in answers],
                         [[PING], [ECHO], [PING]])
        for answer in answers:
            self.assertEqual(answer["context"]["preset"], "default")
            self.assertEqual(answer["benchmarks"][0]["round_trips"],
                             2 if answer["benchmarks"][0]["name"] == ECHO else 1)

    def test_each_row_is_slowed_down_as_it_is_asked_for(self):
        _, answers, _ = ask([PING, PING + " spin:20000000", PING, PING + " syscall"])
        labels = [answer["benchmarks"][0]["label"] for answer in answers]
        self.assertEqual(["inject=spin:20000000" in label for label in labels], [False, True, False, False])
        self.assertIn("inject=syscall", labels[3])
        times = [answer["benchmarks"][0]["real_time"] for answer in answers]
        self.assertGreaterEqual(times[1], 20_000)
        self.assertLess(times[2], 20_000)

    @needs_ledger
    def test_counted_calls_are_those_of_the_slowed_down_server(self):
        _, answers, _ = ask([PING, PING + " syscall", PING], "--ledger")
        calls = [answer["benchmarks"][0]["server_syscalls"] for answer in answers]
        self.assertEqual(calls, [2, 3, 2])

    def test_a_row_that_fails_says_so_and_the_next_is_measured(self):
        code, answers, _ = ask([PING + " spin:400000000", ECHO], "--call_timeout_ms=100")
        self.assertEqual(code, 0)
        self.assertTrue(answers[0]["benchmarks"][0]["error_occurred"])
        self.assertNotIn("error_occurred", answers[1]["benchmarks"][0])

    def test_a_row_runs_as_often_as_asked_and_keeps_its_name(self):
        code, answers, err = ask([f"{PING} iterations:37", PING, f"{PING} spin:1000 iterations:50", PING])
        self.assertEqual(0, code, err)
        rows = [answer["benchmarks"][0] for answer in answers]
        self.assertEqual([37, 37, 50, 50], [row["iterations"] for row in rows])
        self.assertEqual({PING}, {row["name"] for row in rows} | {row["run_name"] for row in rows})
        self.assertEqual([False, False, True, False], ["inject=spin:1000" in row["label"] for row in rows])
        self.assertEqual("inject,iterations", answers[0]["context"]["rows_on_request"])
        for wrong in ("iterations:0", "iterations:many", "iterations:"):
            code, _, err = ask([f"{PING} {wrong}"])
            self.assertEqual((2, 1), (code, err.count("\n")), err)

    def test_a_server_that_died_between_two_rows_is_told_by_the_next(self):
        program = subprocess.Popen(
            [BENCH_ALL, "--rows_on_request", "--benchmark_filter=^Latency/tcp_threaded/",
             "--benchmark_min_time=0", "--ledger=false"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def row(name=PING):
            program.stdin.write(name + "\n")
            program.stdin.flush()
            return json.loads(program.stdout.readline())["benchmarks"][0]

        with program:
            self.assertNotIn("error_occurred", row())
            server, = children(program.pid)
            os.kill(server, signal.SIGKILL)
            await_end(server)
            self.assertIn("was killed by signal 9", row()["error_message"])
            self.assertNotIn("error_occurred", row(PING.replace("ping", "echo/64")))
            program.stdin.close()
            self.assertEqual(program.wait(PATIENCE), 0)

    def test_what_is_no_row_ends_it(self):
        for line in ("Latency/tcp_threaded", "Latency/http_threaded/ping/real_time", ""):
            code, answers, err = ask([PING, line, PING])
            self.assertEqual((code, len(answers)), (2, 1))
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertIn(f'"{line}"', err)

    def test_a_slowdown_that_is_none_fails_the_row(self):
        _, answers, _ = ask([PING + " sugar"])
        self.assertIn("sugar", answers[0]["benchmarks"][0]["error_message"])


if __name__ == "__main__":
    unittest.main()
