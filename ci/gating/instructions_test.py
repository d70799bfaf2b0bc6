"""Tests instructions per call, counted by callgrind: `instructions_test.py <build folder>`.

They must repeat to the unit in every model, even when two threads count at once, and must show an
extra allocation. Counting must leave no process and no file, however it ends.
"""

import concurrent.futures
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# pylint: disable=wrong-import-position
from gating import exact, instructions
from gating.instructions import instructions_per_call
from testing.folder_test_case import FolderTestCase
from testing.watching import PATIENCE, await_end, wait_until

BUILD = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None


def count(row, build=BUILD, **settings):
    """Counts on the first CPU, because tests that run at the same time place rows on the last.

    On a busy machine a count may not repeat, so there are up to nine.
    """
    for _ in range(9):
        counted = instructions_per_call(build, row, **{"cpu": min(os.sched_getaffinity(0)), **settings})
        if counted.exact:
            break
    return counted


# The row that several tests compare with.
counted_once = functools.cache(count)


class InstructionsTest(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()
        self.enterContext(mock.patch.object(tempfile, "tempdir", str(self.temporary)))
        self.addCleanup(lambda: self.assertEqual([], list(self.temporary.iterdir())))


class CountTest(InstructionsTest):
    def assert_plausible(self, counted):
        self.assertTrue(counted.exact, counted)
        for side in (counted.client, counted.server):
            self.assertTrue(50 < side < 50_000, counted)

    def test_every_model_repeats_to_the_unit(self):  # async: two threads count it, see below
        for row in ("Latency/tcp_threaded/ping", "Latency/rpyc_forking/ping",
                    "Latency/tcp_threadpool/ping/real_time", "Floor/ping"):
            with self.subTest(row=row):
                self.assert_plausible(counted_once(row))

    def test_neither_how_many_calls_nor_niceness_matters(self):
        row = "Latency/tcp_threaded/ping"
        with mock.patch.object(instructions, "_may_be_real_time", return_value=False):
            self.assertEqual(counted_once(row), count(row, calls=(4, 5, 8)))

    def test_a_forked_session_does_not_count_what_its_parent_did(self):
        self.assertLess(count("Connection/tcp_forking", calls=(1, 2, 3)).server, 50_000)

    def test_two_threads_count_copies_at_once(self):
        elsewhere = self.folder / ("long" * 20)
        elsewhere.mkdir()
        for name in ("bench_all", "bench_server"):
            shutil.copy(BUILD / name, elsewhere)
        cpus = sorted(os.sched_getaffinity(0))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            first, second = pool.map(
                lambda build, cpu: count("Latency/http_async/echo/1024", build, cpu=cpu),
                (BUILD, elsewhere), (cpus[0], cpus[-1]))
        self.assertEqual(first, second)
        self.assert_plausible(first)

    def test_one_allocation_more_is_seen(self):
        row = "Latency/rpyc_forking/ping"
        before = counted_once(row)
        after = count(row, server_flags=["--inject=alloc"])
        self.assertTrue(after.exact)
        self.assertEqual(before.client, after.client)
        # The range of what malloc and free take without a system call.
        self.assertTrue(20 < after.server - before.server < 500, (before, after))

    def test_what_is_not_even_is_counted_anew(self):
        uneven, even = [(10, 10), (20, 20), (30, 31)], [(10, 20), (20, 40), (30, 60)]
        for totals, counted in (
                (uneven + even, instructions.Instructions(1, 2, exact=True)),
                (uneven + uneven, instructions.Instructions(1, 1.05, exact=True)),
                (uneven + [(10, 10), (20, 22), (30, 32)],
                 instructions.Instructions(1, 1.1, exact=False))):
            with mock.patch.object(instructions, "_count", side_effect=totals):
                self.assertEqual(counted, instructions_per_call(BUILD, "Floor/ping"))


class FailureTest(InstructionsTest):
    def fake(self, script, program="bench_server"):
        """Makes a build whose server, or client, is a script."""
        build = self.folder / "build"
        build.mkdir(exist_ok=True)
        for name in ("bench_all", "bench_server"):
            if not (build / name).exists():
                (build / name).symlink_to(BUILD / name)
        (build / program).unlink()
        self.program(build / program, script)
        return build

    def hang(self):
        """Makes a build whose server forks and hangs, and reports that in a file."""
        return self.fake(f'cd "{self.folder}"; sleep 1000 & echo $$ $! > new; mv new pids; wait')

    def processes(self):
        """Waits until a server hangs, and returns its processes."""
        wait_until((self.folder / "pids").exists, "a server that hangs")
        return [int(pid) for pid in (self.folder / "pids").read_text(encoding="ascii").split()]

    def assert_fails(self, build, because, row="Floor/ping", **settings):
        with self.assertRaisesRegex(instructions.CountingError, because):
            instructions_per_call(build, row, **settings)

    def test_a_server_that_hangs_is_ended(self):
        self.assert_fails(self.hang(), "the server did not get ready", timeout=2)
        await_end(*self.processes())

    def test_a_server_that_fails_is_quoted(self):
        self.assert_fails(self.fake("echo lost >&2; exit 3"),
                          "the server did not get ready; its stderr ends with: lost")
        self.assert_fails(BUILD, "the server did not get ready; .*--max_items",
                          server_flags=["--max_items=-1"])

    def test_a_client_that_fails_is_quoted(self):
        self.assert_fails(BUILD, "the client exited with code [0-9]+; .* there is no row",
                          row="Latency/tcp_threaded/dance")

    def test_a_client_that_hangs_is_ended(self):
        self.assert_fails(self.fake("exec sleep 1000", "bench_all"),
                          "the client did not end in time", timeout=2)

    def test_a_client_without_symbols_counts_nothing(self):
        build = self.fake("")
        for name in ("bench_all", "bench_server"):
            (build / name).unlink()
            shutil.copy(BUILD / name, build)
        subprocess.run(["strip", build / "bench_all"], timeout=PATIENCE, check=True)
        self.assert_fails(build, "the client has no symbols")

    def test_what_bench_server_does_not_serve(self):
        with self.assertRaisesRegex(ValueError, "does not serve the row Latency/flask_threaded"):
            instructions_per_call(BUILD, "Latency/flask_threaded/ping")
        with self.assertRaisesRegex(ValueError, "ascending numbers of calls"):
            instructions_per_call(BUILD, "Floor/ping", calls=(10, 20))

    def test_a_machine_without_valgrind(self):
        with mock.patch.dict(os.environ, PATH=str(self.folder)):
            with self.assertRaisesRegex(instructions.Unavailable, "install the package valgrind"):
                instructions_per_call(BUILD, "Floor/ping")

    def test_nothing_outlives_an_interrupt_or_a_kill(self):
        program = ("import sys; from gating import instructions\n"
                   "instructions.instructions_per_call(sys.argv[1], 'Floor/ping', timeout=1000)")
        for number in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(signal=number):
                (self.folder / "pids").unlink(missing_ok=True)
                with tempfile.TemporaryDirectory(dir=self.folder) as temporary, subprocess.Popen(
                        [sys.executable, "-c", program, self.hang()], cwd=ROOT,
                        env={**os.environ, "TMPDIR": temporary}, stdin=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL) as counting:
                    server, forked = self.processes()
                    counting.send_signal(number)
                    counting.wait(timeout=PATIENCE)
                    await_end(server)
                    if number == signal.SIGINT:  # SIGKILL leaves no time for cleaning up
                        await_end(forked)
                        self.assertEqual([], os.listdir(temporary))
                    else:
                        os.kill(forked, signal.SIGKILL)


class JudgeTest(unittest.TestCase):
    def judged(self, old, new, old_exact=True, new_exact=True):
        """Returns which list of the result has the client's count."""
        result = types.SimpleNamespace(figures=0, changes=[], unsettled=[], unsettled_in_head=[])
        exact.judge_instructions("row", types.SimpleNamespace(client=old, server=1000, exact=old_exact),
                                 types.SimpleNamespace(client=new, server=1000, exact=new_exact),
                                 types.SimpleNamespace(instructions_tolerated=0.01), result)
        self.assertEqual(2, result.figures)
        if any(change.figure == "client_instructions" for change in result.changes):
            return "changes"
        return next((name for name in ("unsettled", "unsettled_in_head")
                     if ("row", "client_instructions") in getattr(result, name)), None)

    def test_figures_in_doubt_differ_from_five_times_their_spread_on(self):
        self.assertFalse(exact.far_apart({10, 11}, {15.9, 16}))
        self.assertTrue(exact.far_apart({10, 11}, {16.1, 17}))

    def test_what_is_far_beyond_the_scatter_is_a_change_although_counts_do_not_repeat(self):
        self.assertIsNone(self.judged(10_000, 10_090))
        self.assertEqual("changes", self.judged(10_000, 10_110))
        for exact_sides, where in (((False, True), "unsettled"), ((True, False), "unsettled_in_head")):
            self.assertEqual(where, self.judged(10_000, 10_390, *exact_sides))
            self.assertEqual("changes", self.judged(10_000, 10_410, *exact_sides))


if __name__ == "__main__":
    if BUILD is None:
        sys.exit("usage: instructions_test.py <build folder>")
    unittest.main()
