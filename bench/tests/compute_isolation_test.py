"""Tests what Compute and Isolation promise, in short runs: `compute_isolation_test.py bench_all`.

A crash in one session costs the others their connections if they share its process, and nothing if
each has its own. The counters of the row must show the difference. Compute must report the rate of
all clients and of each.
"""

import os
import resource
import tempfile
import unittest

from testing import runs

BYSTANDERS = 4


def measure(rows, *flags, **how):
    return runs.measure("--preset=default", f"--benchmark_filter=^({rows})/real_time$",
                        "--benchmark_min_time=0.01", *flags, **how)


def allow_core_files():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


class IsolationTest(unittest.TestCase):
    def check(self, row, lost, restarts):
        self.assertEqual((lost, restarts), (row["bystanders_lost"], row["server_restarts"]), row)
        self.assertIn(f"bystanders={BYSTANDERS}", row["label"])
        self.assertGreater(row["bystander_p50_us"], 0)
        self.assertGreater(row["longest_gap_us"], 0)
        # The row's time is the mean of the outages plus the time to notice the last recovery.
        self.assertLessEqual(row["min_us"], row["real_time"])

    def test_a_crash_in_a_process_of_its_own_is_not_noticed(self):
        modes = ("tcp_forking", "rpyc_forking", "http_forking", "pyrpyc_forking")
        rows = measure(f"Isolation/({'|'.join(modes)})")
        for mode in modes:
            with self.subTest(mode=mode):
                self.check(rows[f"Isolation/{mode}"], lost=0, restarts=0)

    def test_a_crash_in_a_shared_process_costs_all_their_connections_and_a_restart(self):
        modes = ("tcp_threaded", "rpyc_threaded", "http_threaded", "rpyc_async", "pyrpyc_threaded",
                 "flask_threaded", "flask_waitress")
        rows = measure(f"Isolation/({'|'.join(modes)})")
        for mode in modes:
            with self.subTest(mode=mode):
                row = rows[f"Isolation/{mode}"]
                self.check(row, lost=BYSTANDERS, restarts=1)
                # Each waited for the new server, starting at the end of the old one.
                self.assertGreater(row["longest_gap_us"], row["bystander_p50_us"])

    def test_the_shared_server_of_other_rows_cannot_be_crashed_and_lives_on(self):
        rows = measure("(Latency|Isolation)/tcp_threaded(/ping)?", "--placement=free",
                       "--benchmark_enable_random_interleaving", "--benchmark_repetitions=2")
        self.assertEqual({"Latency/tcp_threaded/ping", "Isolation/tcp_threaded"}, set(rows))

    def test_no_core_file_is_left(self):
        with tempfile.TemporaryDirectory(prefix="rpycbench_isolation_") as folder:
            measure("Isolation/(tcp_threaded|rpyc_forking|pyrpyc_threaded)", cwd=folder,
                    preexec_fn=allow_core_files)
            self.assertEqual([], os.listdir(folder))


class ComputeTest(unittest.TestCase):
    def test_the_rate_is_told_for_all_clients_and_for_each(self):
        rows = measure("Compute/(rpyc_threaded|pyrpyc_threaded)/clients:[14]")
        self.assertEqual(4, len(rows), list(rows))
        for name, row in rows.items():
            with self.subTest(row=name):
                clients = int(name.rpartition(":")[2])
                rate = row["items_per_second"]
                self.assertAlmostEqual(rate, row["calls_per_s_per_client"] * clients,
                                       delta=rate / 1000)
                # The whole lasts at least as long as its slowest client.
                self.assertLessEqual(row["slowest_client_per_s"], row["fastest_client_per_s"])
                self.assertLessEqual(row["calls_per_s_per_client"], row["fastest_client_per_s"])
                self.assertGreater(row["p50_us"], 0)
                self.assertRegex(row["label"], r"compute_n=\d+ requests_per_client=\d+( doubts=|$)")

    def test_python_takes_longer_than_native_code(self):
        rows = measure("Compute/(pyrpyc|rpyc)_threaded/clients:1")
        self.assertGreater(rows["Compute/pyrpyc_threaded/clients:1"]["p50_us"],
                           10 * rows["Compute/rpyc_threaded/clients:1"]["p50_us"])


if __name__ == "__main__":
    unittest.main()
