"""Tests tools/explain on small results made by hand, whose arithmetic needs no computer."""

import json
import os
import pathlib
import subprocess
import unittest
from unittest import mock

from common.command import run
from testing.in_process import module_of, run_in_process
from testing.link_rows import link_rows
from testing.results_test_case import ResultsTestCase, no_results

EXPLAIN = pathlib.Path(__file__).resolve().parent / "explain"
MAIN = module_of(EXPLAIN).main
SHARED = "placement=shared payload=random"
RPYC = SHARED + " compression=python dialect=5"
CONTEXT = {"host_name": "here", "git_revision": "abc", "preset": "quick"}


def row(name, us, round_trips=1, label=None, **more):
    label = label or (RPYC if "rpyc" in name else SHARED)
    return {"name": name + "/real_time", "run_type": "iteration", "real_time": us * 2,
            "time_unit": "us", "p50_us": us, "p10_us": us / 2, "round_trips": round_trips,
            "label": label, **more}


PING = (row("Floor/ping", 9.5), row("Latency/tcp_threaded/ping", 10),
        row("Latency/tcp_forking/ping", 11), row("Latency/rpyc_threaded/ping", 24, 2),
        row("Latency/rpyc_forking/ping", 28, 2), row("Latency/rpyc_threadpool/ping", 24.3, 2),
        row("Latency/pyrpyc_threaded/ping", 104, 2), row("PyLatency/pyrpyc_threaded/ping", 200, 2))


def paired(name, us, low=None, high=None, slower=1, **more):
    """Returns a row in pairs. Its probe took 5 µs, and more on a machine that was `slower`."""
    ends = {f"probe_ratio_{end}": us / 5 * bound
            for end, bound in (("low", low), ("high", high)) if bound}
    return row(name, us * slower, probe_ratio=us / 5, **ends, **more)


# Most probes take 5 µs. The floor and one row of RPyC met a machine that was a quarter slower.
IN_PAIRS = (paired("Floor/ping", 9.5, 0.99, 1.01),
            paired("Latency/tcp_threaded/ping", 10, 0.99, 1.02, 1.25),
            paired("Latency/tcp_forking/ping", 10.1, 0.99, 1.01),
            paired("Latency/rpyc_threaded/ping", 20, 0.98, 1.02, round_trips=2),
            paired("Latency/rpyc_forking/ping", 20.3, 0.98, 1.02, 1.25, round_trips=2),
            paired("Latency/rpyc_async/ping", 40, round_trips=2),
            paired("Latency/pyrpyc_threaded/ping", 100, 0.9, 1.1, round_trips=2),
            row("PyLatency/pyrpyc_threaded/ping", 200, 2))


ACROSS = (*link_rows("PyLink/pyrpyc_threaded/ping", 360, 3.01),
          *link_rows("Link/rpyc_threaded/ping", 50, 2.02))


class ExplainTest(ResultsTestCase):
    CONTEXT = CONTEXT
    PROGRAM = "explain"

    def explain(self, *arguments, columns="0"):
        with mock.patch.dict(os.environ, COLUMNS=columns):
            return run_in_process(lambda: run("explain", MAIN), *arguments)

    def text(self, rows, *flags, **more):
        """Returns the lines of an explanation without those at its head."""
        result = self.explain(self.file(rows, **more), *flags)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        return result.stdout.partition("\n\n")[2].splitlines()

    def section(self, rows, *flags, **more):
        """Returns {component: other columns of its line} for the only operation in `rows`."""
        result = {}
        for line in self.text(rows, *flags, **more)[1:]:
            name, _, columns = line.strip().partition("  ")
            result.setdefault(name, []).append(" ".join(columns.split()))
        return {name: found[0] if len(found) == 1 else found for name, found in result.items()}

    def refuses(self, words, *files):
        self.assert_refused(self.explain(*files), words)

    def test_every_component_with_its_share_and_arithmetic(self):
        self.assertEqual(f"""\
Latency/ping by rpyc: {RPYC}
  floor                         10.0 µs    5 %  tcp_threaded/ping 10.0
    bare loop                    9.5 µs    5 %  Floor/ping 9.5
    the rest                     0.5 µs    0 %  10.0 − 9.5
  protocol                      14.0 µs    7 %  rpyc_threaded/ping 24.0 − tcp_threaded/ping 10.0
    extra round trips           10.0 µs    5 %  (2 − 1) × tcp_threaded/ping 10.0
    the rest                     4.0 µs    2 %  14.0 − 10.0
  interpreter (server)          80.0 µs   40 %  pyrpyc_threaded/ping 104.0 − rpyc_threaded/ping 24.0
  interpreter (client)          96.0 µs   48 %  PyLatency/pyrpyc_threaded/ping 200.0 − \
Latency/pyrpyc_threaded/ping 104.0
  total                        200.0 µs  100 %  PyLatency/pyrpyc_threaded/ping
  other models and clients, not part of the total:
  model: forking                 4.0 µs    2 %  rpyc_forking/ping 28.0 − rpyc_threaded/ping 24.0
    the same at the floor        1.0 µs    0 %  tcp_forking/ping 11.0 − tcp_threaded/ping 10.0
    the rest                     3.0 µs    2 %  4.0 − 1.0
  model: threadpool              0.3 µs    0 %  rpyc_threadpool/ping 24.3 − rpyc_threaded/ping \
24.0  (within noise)
  model: async            not measured: needs Latency/rpyc_async/ping \
(bench_all --benchmark_filter='^Latency/rpyc_async/ping/')""".splitlines(), self.text(PING))

    def test_the_same_in_json(self):
        result = self.explain(self.file(PING), "--json")
        [operation] = json.loads(result.stdout)["operations"]
        self.assertEqual(("Latency", "ping", "rpyc", 200), tuple(
            operation[key] for key in ("type", "operation", "protocol", "total_us")))
        self.assertEqual("shared", operation["conditions"]["placement"])
        self.assertEqual([10, 14, 80, 96], [part["us"] for part in operation["components"]])
        self.assertEqual(200, sum(part["us"] for part in operation["components"]))
        self.assertEqual(0.4, operation["components"][2]["share"])
        self.assertEqual({"Latency/rpyc_threaded/ping": 24, "Latency/tcp_threaded/ping": 10},
                         operation["components"][1]["rows"])
        self.assertEqual([10, 4], [part["us"] for part in operation["components"][1]["parts"]])
        self.assertEqual([False, True], [part["within_noise"] for part in operation["instead"][:2]])
        self.assertIn("Latency/rpyc_async/ping", operation["instead"][2]["not_measured"])

    def test_rows_in_pairs_are_subtracted_at_one_speed_of_the_machine(self):
        self.assertEqual("""\
  floor                         10.0 µs ± 0.2      5 %  tcp_threaded/ping 10.0
    bare loop                    9.5 µs ± 0.1      5 %  Floor/ping 9.5
    the rest                     0.5 µs ± 0.3      0 %  10.0 − 9.5
  protocol                      10.0 µs ± 0.6      5 %  rpyc_threaded/ping 20.0 − \
tcp_threaded/ping 10.0
    extra round trips           10.0 µs ± 0.2      5 %  (2 − 1) × tcp_threaded/ping 10.0
    the rest                     0.0 µs ± 0.8      0 %  10.0 − 10.0  (within noise)
  interpreter (server)          80.0 µs ± 10.4    40 %  pyrpyc_threaded/ping 100.0 − \
rpyc_threaded/ping 20.0
  interpreter (client)         100.0 µs           50 %  PyLatency/pyrpyc_threaded/ping 200.0 − \
Latency/pyrpyc_threaded/ping 100.0  (measured apart)
  total                        200.0 µs          100 %  PyLatency/pyrpyc_threaded/ping  \
(measured apart)
  other models and clients, not part of the total:
  model: forking                 0.3 µs ± 0.8      0 %  rpyc_forking/ping 20.3 − \
rpyc_threaded/ping 20.0  \
(within noise)
    the same at the floor        0.1 µs ± 0.3      0 %  tcp_forking/ping 10.1 − \
tcp_threaded/ping 10.0  \
(within noise)
    the rest                     0.2 µs ± 1.1      0 %  0.3 − 0.1  (within noise)\
""".splitlines(), self.text(IN_PAIRS)[1:-2])
        self.assertEqual("  model: async                  20.0 µs           10 %  rpyc_async/ping "
                         "40.0 − rpyc_threaded/ping 20.0", self.text(IN_PAIRS)[-1])

    def test_the_first_lines_say_what_the_figures_are(self):
        def first(rows, *flags):
            output = self.explain(self.file(rows), *flags).stdout
            return " ".join(output.partition("\n\n")[0].split())
        whole = first(IN_PAIRS)
        for words in ("probe, times its median of 5 µs", "± reaches",
                      "without ± have too few pairs", "Measured apart means"):
            self.assertIn(words, whole)
        few = first(IN_PAIRS[:5])
        self.assertNotIn("without ±", few)
        self.assertNotIn("easured apart", few)
        for apart in (first(PING), first(IN_PAIRS, "--statistic=p50_us")):
            self.assertIn("p50_us on here, revision abc, preset quick. The rows were measured "
                          "apart, so differences include what the machine changed", apart)
            self.assertNotIn("±", apart)

    def test_times_as_they_were_measured_on_request(self):
        found = self.section(IN_PAIRS, "--statistic=p50_us")
        self.assertEqual("7.5 µs 4 % rpyc_threaded/ping 20.0 − tcp_threaded/ping 12.5",
                         found["protocol"])

    def test_intervals_in_json(self):
        output = json.loads(self.explain(self.file(IN_PAIRS), "--json").stdout)
        self.assertEqual(("cost_us", {"": 5}), (output["statistic"], output["probe_us"]))
        _, protocol, *_, client = output["operations"][0]["components"]
        self.assertEqual([9.4, 10.5], [round(end, 6) for end in protocol["interval"]])
        self.assertEqual((True, False), (protocol["in_pairs"], client["in_pairs"]))

    def test_repetitions_in_pairs_have_the_interval_of_their_median(self):
        def protocol(*ratios):
            rows = [paired("Latency/tcp_threaded/ping", 10, 1, 1)] + [
                paired("Latency/http_threaded/ping", us, 0.99, 1.01) for us in ratios]
            return self.section(rows)["protocol"].split(" http")[0]
        self.assertEqual("20.0 µs ± 3.0 67 %", protocol(29, 30, 33))  # all repetitions
        self.assertEqual("20.0 µs ± 0.3 67 %", protocol(30, 30, 30))  # their intervals
        self.assertEqual("20.0 µs ± 1.2 67 %", protocol(*[30] * 10, *[29, 31] * 3))  # sign test
        self.assertEqual("20.0 µs ± 0.1 67 %", protocol(*[30] * 12, *[29, 31] * 2))

    def test_each_host_of_a_merged_sweep_has_its_own_probe(self):
        rows = [paired(f"Latency/{mode}_threaded/ping", us, 1, 1, slower,
                       label=f"{SHARED} host={host}")
                for host, slower in (("a", 1), ("b", 3))
                for mode, us in (("tcp", 10), ("http", 15))]
        self.assertIn("median of 5 µs on a, 15 µs on b:",
                      " ".join(self.explain(self.file(rows)).stdout.split()))
        protocols = [line.split()[1] for line in self.text(rows) if "protocol" in line]
        self.assertEqual(["5.0", "15.0"], protocols)

    def test_rows_about_a_rate_cost_the_time_per_answer(self):
        rows = [row(f"Concurrent/{mode}_threaded/clients:8", 8 * us, items_per_second=1e6 / us,
                    probe_ratio=us / 5) for mode, us in (("tcp", 10), ("http", 12))]
        lines = self.text(rows)
        self.assertIn("Concurrent/clients:8 by http, time per answer: ", lines[0])
        self.assertIn("2.0 µs           17 %  http_threaded/clients:8 12.0 − "
                      "tcp_threaded/clients:8 10.0", lines[2])

    def test_other_statistics(self):
        found = self.section(PING, "--statistic=p10_us")
        self.assertTrue(found["protocol"].startswith("7.0 µs 7 % "), found)
        rows = [row("Latency/tcp_threaded/ping", 10),
                row("Latency/rpyc_threaded/ping_bound", 12_000, time_unit="ns")]
        found = self.section(rows, "--statistic=real_time")
        self.assertEqual("4.0 µs 17 % rpyc_threaded/ping_bound 24.0 − tcp_threaded/ping 20.0",
                         found["protocol"])

    def test_repetitions_count_by_median_and_their_spread_is_noise(self):
        floor = [row("Latency/tcp_threaded/ping", us) for us in (9, 10, 30)]
        mean = row("Latency/tcp_threaded/ping", 1, run_type="aggregate")
        found = self.section([*floor, mean, row("Latency/http_threaded/ping", 30)])
        self.assertEqual("20.0 µs 67 % http_threaded/ping 30.0 − tcp_threaded/ping 10.0 "
                         "(within noise)", found["protocol"])
        found = self.section([*floor, row("Latency/http_threaded/ping", 31.1)])
        self.assertNotIn("noise", found["protocol"])

    def test_a_difference_of_two_percent_is_no_noise(self):
        for us, noise in ((100.0, True), (102.0, True), (102.1, False), (98.1, True), (97, False)):
            found = self.section([row("Latency/tcp_threaded/ping", 100),
                                  row("Latency/http_threaded/ping", us)])
            self.assertEqual(noise, "(within noise)" in found["protocol"], (us, found))

    def test_variants_of_a_protocol_stand_on_what_the_floor_has(self):
        for variant, floor in (
                ("Latency/rpyc_threaded/ping_bound", "Latency/tcp_threaded/ping"),
                ("Latency/rpyc_threaded/ping_callattr", "Latency/tcp_threaded/ping"),
                ("Latency/rpyc_threaded/echo/64", "Latency/tcp_threaded/echo/64"),
                ("Connection/rpyc_threaded/python_opening", "Connection/tcp_threaded"),
                ("Concurrent/rpyc_threaded/ping_callattr/clients:8",
                 "Concurrent/tcp_threaded/clients:8"),
                ("Concurrent/http_threaded/pool:10/clients:8", "Concurrent/tcp_threaded/clients:8"),
                ("BinaryTransfer/http_threaded/upload/9", "BinaryTransfer/tcp_threaded/upload/9")):
            found = self.section([row(floor, 10), row(variant, 15)])
            (_, short), (_, own) = floor.split("/", 1), variant.split("/", 1)
            self.assertEqual(f"5.0 µs 33 % {own} 15.0 − {short} 10.0", found["protocol"])
            self.assertEqual(floor.endswith("/ping"), "bare loop" in found, floor)

    def test_what_the_framework_adds_to_names_is_left_out(self):
        rows = [row("Latency/tcp_threaded/ping/iterations:10", 10),
                row("Latency/http_threaded/ping/iterations:10/repeats:3", 15)]
        self.assertEqual("15.0 µs 100 % Latency/http_threaded/ping", self.section(rows)["total"])

    def test_extra_round_trips_of_a_concurrent_row_cost_a_call_under_load(self):
        found = self.section([
            row("Latency/tcp_threaded/ping", 10), row("Concurrent/tcp_threaded/clients:8", 50),
            row("Concurrent/rpyc_threaded/clients:8", 120, 2.01)])
        self.assertEqual("50.0 µs 42 % (2 − 1) × tcp_threaded/clients:8 50.0",
                         found["extra round trips"])
        self.assertEqual("20.0 µs 17 % 70.0 − 50.0", found["the rest"])

    def test_missing_rows_are_named_with_the_way_to_them(self):
        found = self.section(PING[1:4:2])
        self.assertEqual(
            "not measured: needs PyLatency/pyrpyc_threaded/ping and Latency/pyrpyc_threaded/ping "
            "(bench_all --benchmark_filter='^(PyLatency|Latency)/pyrpyc_threaded/ping/')",
            found["interpreter (client)"])
        self.assertTrue(found["bare loop"].startswith("not measured: needs Floor/ping "), found)
        self.assertEqual("24.0 µs 100 % Latency/rpyc_threaded/ping", found["total"])

    def test_a_row_missing_in_the_middle_leaves_a_rest_unexplained(self):
        found = self.section([PING[1], *PING[6:]])
        self.assertIn("not measured: needs Latency/rpyc_threaded/ping", found["protocol"])
        self.assertEqual("96.0 µs 48 % PyLatency/pyrpyc_threaded/ping 200.0 − "
                         "Latency/pyrpyc_threaded/ping 104.0", found["interpreter (client)"])
        self.assertEqual("94.0 µs 47 % 200.0 − 106.0", found["not explained"])

    def test_rows_without_the_statistic_and_failed_rows_say_so(self):
        for value in ("fast", True, None, 0, -1, float("nan"), float("inf")):
            rows = [*PING[:4], row("Latency/pyrpyc_threaded/ping", 104, p50_us=value)]
            found = self.section(rows, errors=[{"name": "Latency/rpyc_forking/ping/real_time",
                                                "message": "died"}])
            self.assertEqual("not measured: Latency/pyrpyc_threaded/ping has no p50_us",
                             found["interpreter (server)"], value)
        self.assertEqual("not measured: Latency/rpyc_forking/ping ended in an error",
                         found["model: forking"])

    def test_rows_with_other_labels_are_not_mixed(self):
        split = RPYC.replace("shared", "split")
        lines = self.text([*PING[:4], row("Latency/pyrpyc_threaded/ping", 99, label=split)])
        self.assertIn(f"Latency/ping by rpyc: {RPYC}", lines)
        self.assertIn("  interpreter (server)    not mixed: Latency/pyrpyc_threaded/ping was "
                      "measured with placement=split", lines)
        self.assertIn(f"Latency/ping by rpyc: {split}", lines)
        self.assertIn("  floor                   not mixed: Latency/tcp_threaded/ping was measured "
                      "with placement=shared", lines)

    def test_doubts_are_no_conditions(self):
        doubtful = row("Latency/pyrpyc_threaded/ping", 104, 2, RPYC + " doubts=spread:60%")
        self.assertEqual(self.text(PING), self.text([*PING[:6], doubtful, PING[7]]))

    def test_compressions_are_explained_apart_on_the_same_floor(self):
        off = row("Latency/rpyc_threaded/ping", 15, 2, RPYC.replace("python", "off"))
        protocols = [line for line in self.text([*PING[:4], off]) if "protocol" in line]
        self.assertEqual(["24.0", "15.0"], [line.split(" − ")[0].split()[-1] for line in protocols])

    def test_pythons_other_models_and_clients_are_told_where_measured(self):
        http = [row("Latency/tcp_threaded/ping", 10), row("Latency/http_threaded/ping", 15),
                row("Latency/flask_threaded/ping", 900)]
        self.assertFalse([name for name in self.section(http) if name.startswith("Python")])
        found = self.section([*http, row("Latency/flask_waitress/ping", 300),
                              row("PyLatency/http_threaded/ping", 400)])
        self.assertEqual("885.0 µs 98 % flask_threaded/ping 900.0 − http_threaded/ping 15.0",
                         found["interpreter (server)"])
        self.assertEqual("−600.0 µs −67 % flask_waitress/ping 300.0 − flask_threaded/ping 900.0",
                         found["Python: waitress"])
        self.assertEqual("385.0 µs 43 % PyLatency/http_threaded/ping 400.0 − "
                         "Latency/http_threaded/ping 15.0", found["Python client alone"])

    def test_what_reconnecting_to_flask_costs_is_told_apart(self):
        rows = [row("Latency/tcp_threaded/ping", 10), row("Latency/http_threaded/ping", 15),
                row("Connection/http_threaded", 95), row("Latency/flask_threaded/ping", 900)]
        lines = self.text(rows)
        at = next(i for i, line in enumerate(lines) if "interpreter (server)" in line)
        self.assertEqual(["interpreter (server) 885.0 µs 98 % flask_threaded/ping 900.0 − "
                          "http_threaded/ping 15.0",
                          "a connection a call 80.0 µs 9 % Connection/http_threaded 95.0 − "
                          "Latency/http_threaded/ping 15.0",
                          "the rest 805.0 µs 89 % 885.0 − 80.0"],
                         [" ".join(line.split()) for line in lines[at:at + 3]])
        self.assertNotIn("a connection a call", self.section(PING))

    def test_what_is_no_call_is_not_explained(self):
        isolation = row("Isolation/rpyc_threaded", 5000)
        self.assertEqual(self.text(PING), self.text([*PING, isolation]))

    def test_a_narrow_terminal_gets_the_arithmetic_below(self):
        result = self.explain(self.file(PING), columns="60")
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 60, result.stdout)
        self.assertIn("    the rest                     0.5 µs    0 %  10.0 − 9.5\n"
                      "  protocol                      14.0 µs    7 %\n"
                      "      rpyc_threaded/ping 24.0 − tcp_threaded/ping 10.0\n", result.stdout)

    def wires(self, rows, *flags):
        """Returns {component: figure, share and arithmetic} of the lines about the wire."""
        return {name: columns for name, columns in self.section(rows, *flags).items()
                if " at rtt " in name}

    def test_the_wire_adds_the_exchanges_that_were_measured_across_a_link(self):
        self.assertEqual({
            "the wire at rtt 20 ms":
                "60,200.0 µs 100 % 3.01 exchanges × 20 ms (measured at rtt 20 ms)",
            "total at rtt 20 ms": "60,400.0 µs 100 % 200.0 + 60,200.0",
            "the wire at rtt 100 µs":
                "301.0 µs 60 % 3.01 exchanges × 100 µs (measured at rtt 1 ms)",
            "total at rtt 100 µs": "501.0 µs 100 % 200.0 + 301.0"},
            self.wires([*PING, *ACROSS], "--rtt=20ms,100us"))

    def test_a_native_client_has_the_exchanges_of_its_own(self):
        found = self.wires([*PING[:4], *ACROSS], "--rtt=20ms")
        self.assertEqual("40,400.0 µs 100 % 2.02 exchanges × 20 ms (measured at rtt 20 ms)",
                         found["the wire at rtt 20 ms"])

    def test_without_a_row_across_a_link_the_wire_has_the_round_trips(self):
        """A Python client's row has none, so they are those of the native client."""
        rows = [*PING[:7], row("PyLatency/pyrpyc_threaded/ping", 200, None)]
        self.assertEqual({
            "the wire at rtt 1 ms":
                "2,000.0 µs 91 % 2 round_trips of Latency/pyrpyc_threaded/ping × 1 ms",
            "total at rtt 1 ms": "2,200.0 µs 100 % 200.0 + 2,000.0"}, self.wires(rows, "--rtt=1ms"))
        first = " ".join(self.explain(self.file(rows), "--rtt=1ms").stdout.split("\n\n")[0].split())
        self.assertIn("they are round_trips, which the native client asks for", first)
        self.assertIn("A Python program's root.ping() waits for a third exchange.", first)
        measured = self.explain(self.file([*PING, *ACROSS]), "--rtt=1ms").stdout
        self.assertIn("The wire is exchanges × RTT", measured)
        self.assertNotIn("third exchange", measured)

    def test_exchanges_under_other_conditions_are_not_those_of_the_wire(self):
        other = [{**each, "label": "placement=free dialect=6"} for each in ACROSS]
        self.assertIn("2 round_trips", self.wires([*PING, *other], "--rtt=1ms")["the wire at rtt 1 ms"])
        same = [{**each, "label": "placement=free dialect=5"} for each in ACROSS]
        self.assertIn("3.01", self.wires([*PING, *same], "--rtt=1ms")["the wire at rtt 1 ms"])

    def test_the_same_calls_of_other_types(self):
        for name, across in (("Connection/http_threaded", "connect"),
                             ("Objects/http_threaded/batch/10", "batch/10"),
                             ("Pipelined/http_threaded/depth:10", "pipelined/10"),
                             ("Bandwidth/http_threaded/upload/9", "upload/9")):
            found = self.wires([row(name.replace("http", "tcp"), 10), row(name, 50),
                                *link_rows(f"Link/http_threaded/{across}", 50, 4.25)], "--rtt=1ms")
            self.assertIn("4.25 exchanges", found["the wire at rtt 1 ms"], name)

    def test_a_connection_by_rpyc_is_opened_in_two_ways(self):
        across = link_rows("Link/rpyc_threaded/connect", 50, 5.02)
        for variant, exchanges in (("", "3 round_trips"), ("/python_opening", "5.02 exchanges")):
            found = self.wires([row("Connection/tcp_threaded", 10, 1),
                                row(f"Connection/rpyc_threaded{variant}", 50, 3), *across], "--rtt=1ms")
            self.assertIn(exchanges, found["the wire at rtt 1 ms"], variant)

    def test_the_wire_is_not_added_to_a_rate_and_unknown_without_any_count(self):
        rates = [row(f"Concurrent/{mode}_threaded/clients:8", 80, items_per_second=1e5)
                 for mode in ("tcp", "http")]
        self.assertEqual({"the wire at rtt 1 ms": "not added: its clients wait for the link at the "
                                                  "same time"}, self.wires(rates, "--rtt=1ms"))
        rows = [row(f"Latency/{mode}_threaded/ping", 80, None) for mode in ("tcp", "http")]
        self.assertEqual({"the wire at rtt 1 ms": "unknown: no row has round_trips, and none across "
                                                  "a link has exchanges"}, self.wires(rows, "--rtt=1ms"))

    def test_the_wire_has_the_interval_of_its_exchanges(self):
        rows = [paired("Latency/tcp_threaded/ping", 10, 0.99, 1.01),
                paired("Latency/rpyc_threaded/ping", 20, 0.98, 1.02, round_trips=2), *ACROSS]
        self.assertEqual({
            "the wire at rtt 1 ms":
                "2,020.0 µs ± 10.0 99 % 2.02 exchanges × 1 ms (measured at rtt 1 ms)",
            "total at rtt 1 ms": "2,040.0 µs ± 10.4 100 % 20.0 + 2,020.0"},
            self.wires(rows, "--rtt=1ms"))

    def test_the_wire_in_json(self):
        def wire(rows):
            output = self.explain(self.file(rows), "--json", "--rtt=20ms", "--rtt=1ms").stdout
            [operation] = json.loads(output)["operations"]
            return operation["wire"]

        first, second = wire([*PING, *ACROSS])
        self.assertEqual((20000, 3.01, 20000, 60200, 60400), tuple(
            round(first[key], 6) for key in ("rtt_us", "exchanges", "measured_at_rtt_us", "us", "total_us")))
        self.assertEqual("PyLink/pyrpyc_threaded/ping/rtt_us:20000", first["source"])
        self.assertEqual([60000, 60400], [round(end) for end in first["interval"]])
        self.assertEqual((1000, 1000), (second["rtt_us"], second["measured_at_rtt_us"]))
        self.assertEqual(("round_trips", None, 40000), tuple(
            wire(PING)[0][key] for key in ("source", "measured_at_rtt_us", "us")))

    def test_rows_across_a_link_change_nothing_without_an_rtt(self):
        for flags in ((), ("--json",)):
            self.assertEqual(self.explain(self.file(PING), *flags).stdout,
                             self.explain(self.file([*PING, *ACROSS]), *flags).stdout)
        self.assertNotIn("wire", self.explain(self.file(PING), "--json").stdout)

    def test_round_trip_times_in_every_unit(self):
        for text in ("1500us", "1500µs", "1500\N{GREEK SMALL LETTER MU}s", "1.5ms", "0.0015s"):
            self.assertIn("the wire at rtt 1.50 ms", self.wires(PING, f"--rtt={text}"), text)

    def test_what_is_no_round_trip_time_is_refused(self):
        for text in ("20", "ms", "", "-1ms", "0ms", "1e3ms", "nanms", "1ns", "20ms,", f"{'9' * 400}s"):
            self.assert_refused(self.explain(self.file(PING), f"--rtt={text}"),
                                "is no round-trip time, such as 20ms; units are us, µs, ms and s")

    def test_files_of_one_run_are_read_together(self):
        native, python = self.file(PING[:7]), self.file(PING[7:], "python.json")
        self.assertEqual(self.explain(self.file(PING, "all.json")).stdout,
                         self.explain(native, python).stdout)

    def test_files_of_other_runs_are_refused(self):
        for key in CONTEXT:
            other = self.file(PING, "other.json", context={**CONTEXT, key: "else"})
            self.refuses(f"not of one run: {key} is {CONTEXT[key]} in ", self.file(PING), other)

    def test_what_is_no_result_is_refused(self):
        for content, words in no_results(self.file(PING).read_text()):
            self.refuses(words, self.write("bad.json", content))
        path = self.folder / "bad.json"
        path.write_bytes(b"\xff\xfe\x00")
        self.refuses("not a JSON file", path)
        self.refuses("No such file", self.folder / "none.json")
        self.refuses("Is a directory", self.folder)
        self.refuses("surrogates not allowed", self.file([row("Latency/\ud800", 1), *PING]))

    def test_numbers_beyond_all_floats_are_none(self):
        self.refuses("no row has p50_us", self.file({**entry, "p50_us": 10**400} for entry in PING))
        self.assertEqual(self.text(PING),
                         self.text([{**entry, "spread_percent": 10**400} for entry in PING]))

    def test_the_command_prints_utf_8_in_every_locale(self):
        path = self.file(PING)
        done = subprocess.run(
            [EXPLAIN, path], env={**os.environ, "COLUMNS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", timeout=30,
            check=False)
        self.assertEqual((0, "", self.explain(path).stdout),
                         (done.returncode, done.stderr, done.stdout))
        self.assertFalse(done.stdout.isascii())

    def test_output_that_cannot_be_written_is_told_in_one_line(self):
        for name, flags in (("explain", ()), ("expectations", ()), ("report", ("--markdown",))):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([EXPLAIN.with_name(name), self.file(PING), *flags],
                                      stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual((2, f"{name}: stdout: No space left on device\n"),
                             (done.returncode, done.stderr))

    def test_results_that_explain_nothing_are_refused(self):
        bare = [{key: entry[key] for key in ("name", "real_time", "time_unit")} for entry in PING]
        self.refuses("no row has p50_us", self.file(bare))
        self.refuses("no floor row", self.file(PING[3:]))
        self.refuses("no row of RPyC or HTTP", self.file(PING[:3]))


if __name__ == "__main__":
    unittest.main()
