"""Tests what OpenLoop and MaxRate promise, and what a wrong known delay costs.

Makes short runs with servers whose times are known: `open_loop_test.py bench_all`. A
busy machine makes no difference.
"""

import pathlib
import sys
import time
import unittest

from testing.delayed_servers import DelayedServer, FlaggedServer, measure, report
from testing.runs import BENCH_SERVER

LYING_SERVER = pathlib.Path(__file__).with_name("testing") / "lying_server.py"


class OpenLoopTest(unittest.TestCase):
    def test_loads_are_shares_of_one_maximum(self):
        rows = measure("OpenLoop/rpyc_threaded/load:.*", "--window_ms=200")
        self.assertEqual({f"OpenLoop/rpyc_threaded/load:{load}" for load in (50, 80, 95)},
                         set(rows))
        self.assertEqual(1, len({row["max_per_s"] for row in rows.values()}))
        for name, row in rows.items():
            load = int(name.rpartition(":")[2])
            self.assertAlmostEqual(row["max_per_s"] * load / 100, row["rate_per_s"], delta=1)
            self.assertEqual(2, row["round_trips"])
            self.assertRegex(row["label"], r"arrivals=poisson connections=64( doubts=|$)")
            # The response time begins before the service time, or with it.
            self.assertLessEqual(row["service_p50_us"], row["p50_us"])
            self.assertGreater(row.get("late_p99_us", 1), 0)
            self.assertLessEqual(row["min_us"], row["real_time"])
        # At a high load nearly all calls wait for a connection, and few wait for the generator.
        self.assertTrue(any("late_p99_us" in row for row in rows.values()), rows)

    def test_a_rate_may_be_given(self):
        row, = measure("OpenLoop/tcp_async/rate:500", "--rate=500", "--arrivals=constant",
                       "--open_loop_connections=3", "--window_ms=300").values()
        self.assertEqual(500, row["rate_per_s"])
        self.assertRegex(row["label"], "arrivals=constant connections=3( doubts=|$)")
        self.assertAlmostEqual(500, row["achieved_per_s"], delta=250)
        self.assertNotIn("max_per_s", row)

    def test_a_shared_cpu_is_left_between_calls(self):
        row, = measure("OpenLoop/tcp_threaded/rate:500", "--rate=500", "--placement=shared",
                       "--window_ms=200").values()
        self.assertLess(row["p50_us"], 5_000)
        self.assertIn("placement=shared", row["label"])

    def check_unanswered(self, row):
        """Checks what holds for each row with more than 1 % of calls without an answer."""
        missing = row["refused"] + row["timed_out"] + row["given_up"]
        self.assertAlmostEqual(100 * missing / row["samples"], row["unanswered_percent"], places=3)
        self.assertGreater(row["unanswered_percent"], 1)
        for absent in ("p99_us", "p999_us", "max_us", "service_p99_us"):
            self.assertNotIn(absent, row)
        self.assertRegex(row["label"], r"doubts=\S*unanswered:[\d.]+%")
        self.assertNotIn("reconnects", row["label"])

    def test_a_server_that_can_not_keep_up_is_a_result_in_bounded_time(self):
        slow = DelayedServer(self, "sleep:constant:20000")
        start = time.monotonic()
        # Four connections with 20 ms for each call serve 200 of 5,000 calls a second.
        status, rows = report("OpenLoop/tcp_threaded/rate:5000", "--rate=5000",
                              f"--server={slow.path}", "--open_loop_connections=4",
                              "--window_ms=1000")
        self.assertLess(time.monotonic() - start, 30)
        self.assertEqual(0, status)
        row = rows["OpenLoop/tcp_threaded/rate:5000"]
        self.check_unanswered(row)
        self.assertEqual((0, 0), (row["refused"], row["timed_out"]))
        self.assertGreater(row["given_up"], 2500)
        self.assertNotIn("p50_us", row)
        self.assertLessEqual(row["achieved_per_s"], 200)
        # A lower bound of the mean: most waited until they were given up, longer than the window.
        self.assertGreater(row["real_time"], 500_000)

    def test_calls_that_the_server_refuses_are_counted(self):
        few = FlaggedServer(self, "--max_connections=32")  # of 64
        for mode in ("tcp_threaded", "rpyc_forking", "http_async"):
            with self.subTest(mode):
                row, = measure(f"OpenLoop/{mode}/rate:500", "--rate=500", "--window_ms=500",
                               f"--server={few.path}").values()
                self.check_unanswered(row)
                self.assertEqual(300, row["samples"])  # as few as a window has
                self.assertGreater(row["refused"], 50)
                self.assertEqual(0, row["timed_out"])

    def test_calls_that_time_out_are_counted(self):
        # A tenth of the calls takes a second, and no client waits for that.
        slow = DelayedServer(self, "sleep:bimodal:100:1000000:10")
        row, = measure("OpenLoop/tcp_threaded/rate:500", "--rate=500", "--window_ms=1000",
                       f"--server={slow.path}", "--call_timeout_ms=300").values()
        self.check_unanswered(row)
        self.assertGreater(row["timed_out"], 10)
        self.assertEqual(0, row["refused"])
        self.assertLess(row["p50_us"], 300_000)

    def test_a_wrong_reply_is_an_error(self):
        liar = FlaggedServer(self, "--lie=content", "--lie_from=200",
                             command=f'"{sys.executable}" "{LYING_SERVER}"')
        status, rows = report("OpenLoop/tcp_threaded/rate:500", "--rate=500", f"--server={liar.path}")
        self.assertEqual(1, status)
        self.assertRegex(rows["OpenLoop/tcp_threaded/rate:500"]["error_message"],
                         "clients failed, one of them: wrong reply to ping")

    def test_a_server_that_dies_is_an_error(self):
        killed = FlaggedServer(self, command=f'timeout --signal=KILL 1 "{BENCH_SERVER}"')
        status, rows = report("OpenLoop/tcp_threaded/rate:500", "--rate=500", "--window_ms=3000",
                              f"--server={killed.path}")
        self.assertEqual(1, status)
        self.assertRegex(rows["OpenLoop/tcp_threaded/rate:500"]["error_message"],
                         "the server has ended")

    def test_a_wait_for_a_connection_counts_as_response_and_not_as_service(self):
        slow = DelayedServer(self, "sleep:constant:5000")
        # Two connections serve 400 calls a second; 350 arrive, and wait for each other.
        row, = measure("OpenLoop/tcp_threaded/rate:350", "--rate=350", f"--server={slow.path}",
                       "--open_loop_connections=2", "--window_ms=1000").values()
        self.assertGreater(row["backlog_max"], 0)
        self.assertGreaterEqual(row["service_p50_us"], 5_000)
        self.assertGreater(row["p50_us"], row["service_p50_us"])


class MaxRateTest(unittest.TestCase):
    def test_the_rate_meets_the_objective_and_is_searched_once_a_repetition(self):
        # A busy machine meets this objective as well.
        row, = measure("MaxRate/tcp_threaded", "--slo=50000", "--benchmark_min_time=0.2").values()
        self.assertEqual(50_000, row["slo_us"])
        self.assertLessEqual(row["p99_us"], 50_000)
        self.assertLessEqual(row["max_rate_per_s"], row["max_per_s"])
        self.assertGreater(row["max_rate_per_s"], 0)
        self.assertAlmostEqual(1e6 / row["max_rate_per_s"], row["real_time"],
                               delta=row["real_time"] / 1000)
        self.assertGreaterEqual(row["probes"], 8)
        self.assertLessEqual(row["probes"], 19)
        self.assertIn("slo_us=50000", row["label"])

    def test_an_objective_out_of_reach_is_told(self):
        slow = DelayedServer(self, "sleep:constant:5000")
        status, rows = report("MaxRate/tcp_threaded", "--slo=1000", f"--server={slow.path}")
        self.assertEqual(1, status)
        self.assertRegex(rows["MaxRate/tcp_threaded"]["error_message"],
                         r"no rate keeps p99 within 1000 us, from \d+ calls/s, the maximum, down to "
                         r"a 128th of it \(14 probes, \d+ calls without an answer\)")

    def test_a_rate_with_refused_calls_is_not_kept_up(self):
        few = FlaggedServer(self, "--max_connections=32")  # of 64
        status, rows = report("MaxRate/tcp_threaded", "--slo=1000000", f"--server={few.path}")
        self.assertEqual(1, status)
        self.assertRegex(rows["MaxRate/tcp_threaded"]["error_message"],
                         r"no rate keeps p99 .*14 probes, [1-9]\d+ calls without an answer")


if __name__ == "__main__":
    unittest.main()
