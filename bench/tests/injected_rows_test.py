"""Tests rows of `bench_all --inject`: `injected_rows_test.py bench_all`.

They show a cost of known size, mark it in their labels, and fail if a server cannot have it.
call_ledger_test.py tests injected system calls and allocations.
"""

import unittest

from testing import runs
from testing.runs import rows_of

SPIN_US = 2000  # far above the cost of a call without it


def run(rows, *flags):
    return runs.run(f"--benchmark_filter=^({rows})/real_time$", "--benchmark_format=json",
                    "--benchmark_min_time=0", "--ledger=false", *flags)


def measure(rows, *flags):
    return rows_of(run(rows, *flags))


class CostTest(unittest.TestCase):
    def test_a_spin_is_part_of_each_call_once(self):
        """The quickest call of a row shows it.

        A spin is never shorter than requested, and one undisturbed spin suffices for the upper bound.
        """
        rows = "Latency/(tcp|rpyc|http)_(threaded|async)/(ping|echo/1024)"
        plain, slower = (
            {name: row["min_us"]
             for name, row in measure(rows, "--benchmark_min_time=0.2", *flags).items()}
            for flags in ((), (f"--inject=spin:{SPIN_US * 1000}",)))
        self.assertEqual(12, len(plain))
        self.assertEqual(plain.keys(), slower.keys())
        self.assertEqual({}, {name: us for name, us in plain.items() if us >= SPIN_US})
        self.assertEqual({}, {name: us for name, us in slower.items()
                              if not SPIN_US <= us < 2 * SPIN_US})

    def test_replies_are_a_byte_longer(self):
        rows = "Latency/(rpyc|http)_[a-z]+/(ping.*|echo/.*)"
        for dialect in ("--dialect=5", "--dialect=6"):
            plain, longer = (measure(rows, dialect, *flags) for flags in ((), ("--inject=bytes",)))
            self.assertEqual({name: row["wire_bytes_in"] + 1 for name, row in plain.items()},
                             {name: row["wire_bytes_in"] for name, row in longer.items()})

    def test_the_label_has_it_and_so_has_a_server_with_flags_of_its_own(self):
        row = "SocketPolicy/tcp_threaded/nodelay:none/joined/echo/1024"
        plain, slower = (measure(row, "--preset=full", *flags)[row]
                         for flags in ((), ("--inject=spin:1000000",)))
        self.assertIn(" inject=spin:1000000", slower["label"])
        self.assertNotIn("inject", plain["label"])
        self.assertGreaterEqual(slower["min_us"], 1000)
        self.assertLess(plain["min_us"], 1000)


class FailureTest(unittest.TestCase):
    def assert_error(self, row, inject, words):
        self.assertIn(words, rows_of(run(row, f"--inject={inject}"), 1)[row]["error_message"])

    def test_servers_in_python_cannot_be_slowed_down(self):
        for row in ("Latency/pyrpyc_threaded/ping", "Latency/flask_threaded/ping"):
            self.assert_error(row, "syscall", "--inject: servers in Python cannot be slowed down")

    def test_what_the_server_refuses(self):
        self.assert_error("Latency/tcp_threaded/ping", "bytes",
                          "--inject: replies of the protocol tcp have a fixed length")
        self.assert_error("Floor/ping", "syscall", "--inject: the protocol bare has no place")

    def test_a_bad_value(self):
        done = run("Latency/tcp_threaded/ping", "--inject=spin:5%")
        self.assertEqual((2, ""), (done.returncode, done.stdout))
        [line] = done.stderr.splitlines()
        self.assertIn('--inject: "spin:5%" is not spin:<1..10000000000 ns>[:<percent>], syscall', line)


if __name__ == "__main__":
    unittest.main()
