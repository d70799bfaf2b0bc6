"""Tests what OpenLoop and MaxRate promise, and what a wrong known delay costs.

Makes short runs with servers whose times are known: `open_loop_test.py bench_all`. A
busy machine makes no difference.
"""

import time
import unittest

from testing.delayed_servers import DelayedServer, measure, report


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

    def test_a_server_that_can_not_keep_up_ends_the_row_in_bounded_time(self):
        slow = DelayedServer(self, "sleep:constant:20000")
        start = time.monotonic()
        # Four connections with 20 ms for each call serve 200 of 5,000 calls a second.
        status, rows = report("OpenLoop/tcp_threaded/rate:5000", "--rate=5000",
                              f"--server={slow.path}", "--open_loop_connections=4",
                              "--window_ms=1000")
        self.assertLess(time.monotonic() - start, 30)
        row = rows["OpenLoop/tcp_threaded/rate:5000"]
        self.assertEqual((1, True), (status, row["error_occurred"]))
        self.assertRegex(row["error_message"],
                         r"does not keep up with 5000 calls/s over 4 connections: it answered "
                         r"\d+/s; of \d+ calls \d+ were given up")

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
                         r"a 128th of it \(14 probes\)")


if __name__ == "__main__":
    unittest.main()
