"""Tests what bench_all shows to a person, on a real terminal and into a pipe.

Usage: table_test.py <bench_all>. Its multiples of the floor must agree with those of tools/report.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import tempfile
import termios
import unittest

from testing.runs import BENCH_ALL, PATIENCE, run
from reporting.results import load_results

BRIEFLY = ("--benchmark_min_time=0", "--preset=quick")
# Rows of three types, with short names and long ones.
ROWS = "--benchmark_filter=^(Floor/ping|Latency/(tcp|rpyc)_threaded|BinaryTransfer/tcp_threaded)"
STYLE = re.compile(r"\x1b\[\d+m")


def environment(**changes):
    """Returns this environment with changes, without variables that affect width and colours."""
    usual = {key: value for key, value in os.environ.items()
             if key not in ("COLUMNS", "NO_COLOR", "BENCHMARK_COLOR", "BENCHMARK_FORMAT")}
    return {**usual, "TERM": "xterm", **changes}


def on_terminal(*flags, columns=80, **changes):
    """Returns what bench_all writes to a terminal of this width, on stdout and stderr."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(leader, "rb", buffering=0) as screen:
        with subprocess.Popen([BENCH_ALL, *BRIEFLY, *flags], stdin=subprocess.DEVNULL,
                              stdout=follower, stderr=follower,
                              env=environment(**changes)) as suite:
            os.close(follower)
            shown = b""
            try:
                while chunk := screen.read(65536):
                    shown += chunk
            except OSError:  # a terminal reports this when its other end is closed
                pass
            if suite.wait(PATIENCE) not in (0, 1):
                raise AssertionError(shown.decode())
    return shown.decode().replace("\r\n", "\n")


def into_pipe(*flags, pairs=False, **changes):
    done = run(*BRIEFLY, *flags, pairs=pairs, env=environment(**changes))
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def table_lines(shown):
    """Yields the lines of the tables, without progress and the program's messages."""
    for line in shown.split("\n"):
        line = line.rpartition("\x1b[K")[2]  # drops text that was overwritten
        if not line.startswith("bench_all: "):
            yield STYLE.sub("", line)


class TerminalTest(unittest.TestCase):

    """A terminal gets width, colours and progress."""

    def test_no_line_is_wider_than_the_terminal(self):
        for columns in (40, 60, 80, 100, 120):
            lines = list(table_lines(on_terminal(ROWS, columns=columns, COLUMNS="150")))
            self.assertIn("Latency", "".join(lines))
            self.assertLessEqual(max(map(len, lines)), columns, lines)
            [heading] = [line for line in lines if line.startswith("Latency ")]
            self.assertEqual(columns >= 100, "p99.9" in heading, heading)
            self.assertEqual(columns >= 120, "client CPU" in heading, heading)

    def test_a_failure_is_told_whole_and_wrapped(self):
        lines = list(table_lines(on_terminal("--server_launcher=/no/such/launcher", ROWS,
                                             columns=50)))
        self.assertLessEqual(max(map(len, lines)), 50, lines)
        at = next(i for i, line in enumerate(lines) if re.fullmatch(r"  ping +error", line))
        self.assertIn("/no/such/launcher", " ".join(line.strip() for line in lines[at:]))

    def test_colors_are_for_terminals_that_want_them(self):
        cases = (
            (on_terminal(ROWS), True),
            (on_terminal(ROWS, NO_COLOR="1"), False),
            (on_terminal(ROWS, TERM="dumb"), False),
            (on_terminal(ROWS, "--benchmark_color=false"), False),
            (on_terminal(ROWS, "--benchmark_color=yes", NO_COLOR="1"), True),
            (into_pipe(ROWS), False),
            (into_pipe(ROWS, "--benchmark_color=true"), True))
        for shown, colored in cases:
            self.assertEqual(colored, STYLE.search(shown) is not None, shown)

    def test_progress_and_rows_share_a_terminal(self):
        shown = on_terminal("--benchmark_filter=^(Floor/ping|Latency/tcp_threaded/ping)",
                            "--no_pairs", NO_COLOR="1")
        gone = "\r\x1b[K"  # erases the line of progress
        self.assertRegex(shown, re.escape(gone) + r"\[1/2\] Floor/ping/real_time  0:00"
                         + re.escape(gone) + "\nFloor .*\n.*\n  ping .*\n(    .*\n)*"
                         + re.escape(gone) + r"\[2/2\] Latency/tcp_threaded/ping/real_time  0:0"
                         r"\d, about 0:0\d left" + re.escape(gone) + "\nLatency ")

    def test_each_row_is_written_as_it_ends(self):
        # The second row waits for a server that announces nothing, and ends with its stdin.
        with tempfile.TemporaryDirectory(prefix="rpycbench_table_") as folder:
            launcher = pathlib.Path(folder, "launcher")
            launcher.write_text('#!/bin/sh\ncase "$*" in *protocol=rpyc*) exec cat;; esac\n'
                                'exec "$@"\n', encoding="utf-8")
            launcher.chmod(0o755)
            with subprocess.Popen(
                    [BENCH_ALL, *BRIEFLY, f"--server_launcher={launcher}",
                     "--benchmark_filter=^Latency/(tcp|rpyc)_threaded/ping/"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                    stderr=subprocess.DEVNULL, env=environment()) as suite:
                try:
                    for line in suite.stdout:
                        if line.startswith("  tcp_threaded/ping "):
                            break
                    self.assertIsNone(suite.poll())
                finally:
                    suite.kill()


class PipeTest(unittest.TestCase):
    """Outputs other than terminals get everything in full."""

    def test_is_as_wide_as_columns_says(self):
        for columns in ("60", "150"):
            heading = next(line for line in into_pipe(ROWS, COLUMNS=columns).splitlines()
                           if line.startswith("BinaryTransfer "))
            self.assertEqual(columns == "150", "client CPU" in heading, heading)

    def test_rows_in_random_order_are_told_alike(self):
        shown = into_pipe(ROWS, "--benchmark_enable_random_interleaving",
                          "--benchmark_repetitions=3")
        self.assertEqual(1, shown.count("\nLatency "), shown)
        self.assertEqual(1, len(re.findall(r"\n  rpyc_threaded/ping +[\d.]+ .s +[\d.]+ % ", shown)),
                         shown)

    def test_ratios_are_those_of_the_report(self):
        filters = ("--benchmark_filter=^(Floor/ping|Latency/(tcp|rpyc|http)_threaded"
                   "|Connection/(tcp|rpyc)_threaded|BinaryTransfer/(tcp|rpyc)_threaded"
                   "|(Concurrent|Compute)/(tcp|rpyc|http)_threaded|SocketPolicy/rpyc_threaded)")
        with tempfile.TemporaryDirectory(prefix="rpycbench_table_") as folder:
            path = str(pathlib.Path(folder, "results.json"))
            shown = into_pipe(filters, "--preset=default", "--file_bytes=65536", "--clients=2",
                              f"--benchmark_out={path}", pairs=True, COLUMNS="120")
            [result] = load_results([path])
            self.assertGreater(len(json.loads(pathlib.Path(path).read_bytes())["benchmarks"]), 20)
        kind, compared, without = "", set(), set()
        for line in shown.splitlines():
            if re.search(r" p50  .* server CPU$", line):
                kind = line.split()[0]
            row = next((row for row in result.of(kind) if line.startswith(
                f"  {row.name.partition('/')[2]} ")), None)
            if row is None:
                continue
            ratio = re.search(r" ([\d,.]+)× ", line)
            if ratio is None:
                self.assertIsNone(row.get("floor_ratio"), line)
                without.add(kind)
            else:
                expected = row.get("floor_ratio")  # to two decimals or three digits
                self.assertAlmostEqual(expected, float(ratio[1].replace(",", "")),
                                       delta=0.00501 * max(1, expected), msg=line)
                compared.update((kind, row.op.partition("/")[0]))
        self.assertEqual({"Floor", "SocketPolicy"}, without)
        self.assertLessEqual({"ping_bound", "ping_callattr", "echo_reference", "python_opening",
                              "upload_chunked_by_value", "download_chunked_buffiter", "pool:10",
                              "echo", "Connection", "Compute"}, compared)


if __name__ == "__main__":
    unittest.main()
