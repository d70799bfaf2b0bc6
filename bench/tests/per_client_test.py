"""Tests the file of --per_client_file: `per_client_test.py bench_all`.

Every client must have its line, those of failed rows as well.
"""

import json
import pathlib
import sys
import tempfile
import unittest

from testing.delayed_servers import FlaggedServer
from testing.runs import rows_of, run

LYING_SERVER = pathlib.Path(__file__).with_name("testing") / "lying_server.py"
ALWAYS = {"row", "run", "iteration", "client", "requests", "requests_per_s", "errors"}
SERVED = ALWAYS | {"connect_us", "start_s", "end_s", "min_us", "p50_us", "p95_us", "p99_us", "max_us"}


class PerClientTest(unittest.TestCase):
    def measure(self, row, *flags, status=0):
        """Returns the row of a short run, and the lines of its file."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = pathlib.Path(folder, "clients.jsonl")
        done = run("--preset=full", f"--benchmark_filter=^{row}/(real|manual)_time$",
                   "--benchmark_format=json", "--benchmark_min_time=0.001",
                   f"--per_client_file={path}", *flags)
        found, = rows_of(done, status).values()
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.assertEqual({row}, {line["row"] for line in lines})
        return found, lines

    def check_served(self, row, clients):
        found, lines = self.measure(f"{row}:{clients}")
        last = max(line["run"] for line in lines)
        reported = [line for line in lines if line["run"] == last]
        self.assertEqual([*range(clients)] * found["iterations"], [line["client"] for line in reported])
        self.assertEqual(found["samples"], sum(line["requests"] for line in reported))
        self.assertAlmostEqual(found["max_us"], max(line["max_us"] for line in reported), places=3)
        self.assertAlmostEqual(found["min_us"], min(line["min_us"] for line in reported), places=3)
        for line in reported:
            self.assertEqual(SERVED, set(line))
            self.assertEqual((100, 0), (line["requests"], line["errors"]))
            self.assertLessEqual(0, line["start_s"])
            self.assertAlmostEqual(100 / line["requests_per_s"], line["end_s"] - line["start_s"], places=6)
            order = [line[f"{name}_us"] for name in ("min", "p50", "p95", "p99", "max")]
            self.assertEqual(sorted(order), order)
        for iteration in range(1, found["iterations"] + 1):
            self.assertEqual(0, min(line["start_s"] for line in reported if line["iteration"] == iteration))

    def test_each_client_has_its_line(self):
        for row in ("Concurrent/tcp_threaded/clients", "Concurrent/tcp_async/event_driven/clients",
                    "PyConcurrent/rpyc_threaded/clients", "SharedConnection/rpyc_threaded/threads"):
            with self.subTest(row):
                self.check_served(row, 10)

    def test_clients_that_were_refused_have_lines_and_the_row_an_error(self):
        # One more connection is that of the check that the server has started, and closes in time.
        server = FlaggedServer(self, "--max_connections=7")
        for row in ("Concurrent/tcp_threaded/clients:10", "Concurrent/tcp_async/event_driven/clients:10",
                    "PyConcurrent/rpyc_threaded/clients:10"):
            with self.subTest(row):
                found, lines = self.measure(row, f"--server={server.path}", status=1)
                self.assertIn("of 10 clients failed", found["error_message"])
                self.assertEqual([*range(10)], [line["client"] for line in lines])
                failed = [line for line in lines if line["errors"]]
                self.assertGreaterEqual(len(failed), 3)
                for line in failed:
                    self.assertEqual(ALWAYS | {"error"}, set(line))
                    self.assertEqual(0, line["requests"])
                    self.assertTrue(line["error"])
                for line in lines:
                    if line not in failed:
                        self.assertEqual((SERVED, 100), (set(line), line["requests"]))

    def test_a_client_that_fails_in_the_middle_has_what_it_did_before(self):
        liar = FlaggedServer(self, "--lie=content", "--lie_from=60",
                             command=f'"{sys.executable}" "{LYING_SERVER}"')
        found, (line,) = self.measure("Concurrent/tcp_threaded/clients:1", f"--server={liar.path}",
                                      status=1)
        self.assertIn("1 of 1 clients failed", found["error_message"])
        self.assertEqual(SERVED - {"p99_us"} | {"error"}, set(line))
        self.assertEqual((1, "wrong reply to ping"), (line["errors"], line["error"]))
        self.assertLess(50, line["requests"])
        self.assertLess(line["requests"], 60)
        self.assertLess(0, line["end_s"])


if __name__ == "__main__":
    unittest.main()
