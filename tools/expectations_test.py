"""Tests tools/expectations on small results made by hand, whose arithmetic needs no computer."""

import json
import pathlib
import unittest

from common.command import run
from testing.in_process import module_of, run_in_process
from testing.results_test_case import ResultsTestCase, no_results

EXPECTATIONS = pathlib.Path(__file__).resolve().parent / "expectations"
MAIN = module_of(EXPECTATIONS).main
SHARED = "placement=shared payload=random"
RPYC = SHARED + " compression=python dialect=5"
CONTEXT = {"host_name": "here", "git_revision": "abc", "preset": "quick", "cpus_allowed": "0,1"}
CONNECTION = "A connection costs much more if it starts a process than a thread"
ALIKE = "Once connected, a process answers about as fast as a thread"
LOST = "Processes are isolated: a crash takes no other session with it"
LOCK = "RPyC's threads share the lock: four clients hardly beat one"
MEMORY = "A process for each connection takes much more memory than a thread"
LOAD = "RPyC's threads degrade: ten clients get fewer answers than one"
BY_ROUND_TRIP = "HTTP's headers and JSON cost more than RPyC's messages, by the round trip"


def row(name, us=10, label=None, doubts="", **more):
    label = label or (RPYC if "rpyc" in name else SHARED)
    return {"name": name + "/real_time", "run_type": "iteration", "real_time": us * 2,
            "time_unit": "us", "p50_us": us, "spread_percent": 2,
            "label": f"{label} doubts={doubts}" if doubts else label, **more}


def connections(forking, threaded, **more):
    """Returns repetitions of the two rows that show what a connection costs."""
    return [row(f"Connection/pyrpyc_{model}", us, **more)
            for model, times in (("forking", forking), ("threaded", threaded)) for us in times]


class ExpectationsTest(ResultsTestCase):
    CONTEXT = CONTEXT
    PROGRAM = "expectations"

    def run_tool(self, *arguments):
        return run_in_process(lambda: run("expectations", MAIN), *arguments)

    def output(self, rows, *flags, **more):
        result = self.run_tool(self.file(rows, **more), *flags)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        return result.stdout

    def finding(self, claim, rows, servers="Python", **more):
        [found] = [entry for entry in json.loads(self.output(rows, "--json", **more))["findings"]
                   if (entry["claim"], entry["servers"]) == (claim, servers)]
        return found

    def assert_verdict(self, verdict, claim, rows, **more):
        found = self.finding(claim, rows, **more)
        self.assertEqual(verdict, found["verdict"], found)
        return found

    def refuses(self, words, *files):
        self.assert_refused(self.run_tool(*files), words)

    def test_a_ratio_is_confirmed_refuted_or_too_close(self):
        for forking, verdict in ((20, "confirmed"), (10, "refuted"), (15, "undecided")):
            found = self.assert_verdict(verdict, CONNECTION, connections([forking], [10]))
            self.assertEqual((forking / 10, [1.5, None]), (found["found"], found["claimed"]))
            self.assertEqual("repetitions=9" in found["why"], verdict == "undecided", found)

    def test_alike_has_two_sides(self):
        for us, verdict in ((10, "confirmed"), (5, "refuted"), (20, "refuted"), (15, "undecided")):
            self.assert_verdict(verdict, ALIKE, [row("Latency/pyrpyc_forking/ping", us),
                                                 row("Latency/pyrpyc_threaded/ping", 10)])

    def test_a_difference_is_in_the_unit_of_its_rows(self):
        for us, verdict in ((20, "confirmed"), (5, "refuted"), (10, "undecided")):
            rows = [row("Latency/flask_threaded/ping", us),
                    row("Latency/pyrpyc_threaded/ping_callattr", 10)]
            found = self.assert_verdict(verdict, BY_ROUND_TRIP, rows)
            self.assertEqual(us - 10, found["found"])
        self.assertIn("0 µs (−0.396 to 0.396), claimed: at least 0\n", self.output(rows))

    def test_rows_in_pairs_are_compared_by_their_ratios_to_the_probe(self):
        """The machine was half as fast when the second row was measured, which its p50 shows."""
        def pair(forking, threaded, half=0.02):
            return [row(f"Connection/pyrpyc_{model}", 10 * ratio * slower, probe_ratio=ratio,
                        probe_ratio_low=ratio * (1 - half), probe_ratio_high=ratio * (1 + half))
                    for model, ratio, slower in (("forking", forking, 1),
                                                 ("threaded", threaded, 2))]
        for forking, verdict in ((4, "confirmed"), (2, "refuted"), (3, "undecided")):
            found = self.assert_verdict(verdict, CONNECTION, pair(forking, 2))
            self.assertAlmostEqual(forking / 2, found["found"])
            self.assertAlmostEqual(forking / 2 * 0.98 / 1.02, found["interval"][0])
            self.assertTrue(found["in_pairs"])
        self.assert_verdict("confirmed", CONNECTION, pair(3.2, 2))
        self.assert_verdict("undecided", CONNECTION, pair(3.2, 2, half=0.04))

    def test_one_row_without_pairs_leaves_both_to_their_times(self):
        rows = [{**each, "probe_ratio": 2, "probe_ratio_low": 1.9, "probe_ratio_high": 2.1}
                if "forking" in each["name"] else each for each in connections([20], [10])]
        found = self.assert_verdict("confirmed", CONNECTION, rows)
        self.assertEqual((2, False), (found["found"], found["in_pairs"]))

    def test_too_few_pairs_for_an_interval_leave_the_usual_noise(self):
        rows = [{**each, "probe_ratio": ratio}
                for each, ratio in zip(connections([20], [20]), (4, 2))]
        found = self.assert_verdict("confirmed", CONNECTION, rows)
        self.assertEqual((2, False), (found["found"], found["in_pairs"]))
        self.assertAlmostEqual(2 / 1.02 ** 2, found["interval"][0])

    def test_a_rate_in_pairs_is_the_inverse_of_the_cost_per_answer(self):
        """Ten clients get 5 % fewer answers; the machine's speed turned that around."""
        rows = [row(f"Concurrent/pyrpyc_threaded/clients:{clients}",
                    items_per_second=1e6 / us / slower, probe_ratio=us / 5,
                    probe_ratio_low=us / 5 * 0.98, probe_ratio_high=us / 5 * 1.02)
                for clients, us, slower in ((1, 95, 1.2), (10, 100, 1))]
        found = self.assert_verdict("confirmed", LOAD, rows)
        self.assertAlmostEqual(0.95, found["found"])
        self.assertAlmostEqual(0.95 * 1.02 / 0.98, found["interval"][1])

    def test_a_difference_in_pairs_is_at_the_median_speed(self):
        rows = [row(name, us * slower, probe_ratio=us / 5, probe_ratio_low=(us - 1) / 5,
                    probe_ratio_high=(us + 1) / 5)
                for name, us, slower in (("Latency/flask_threaded/ping", 30, 1),
                                         ("Latency/pyrpyc_threaded/ping_callattr", 20, 2),
                                         ("Latency/pyrpyc_threaded/ping", 40, 1))]
        found = self.assert_verdict("confirmed", BY_ROUND_TRIP, rows)
        self.assertEqual((10, [8, 12]),
                         (found["found"], [round(end, 6) for end in found["interval"]]))

    def test_a_count_is_exact_and_may_be_zero(self):
        for lost, verdict in ((0, "confirmed"), (1, "refuted")):
            self.assert_verdict(verdict, LOST, [
                row("Isolation/pyrpyc_forking", bystanders_lost=lost)])
        self.assert_verdict("undecided", LOST, [
            row("Isolation/pyrpyc_forking", bystanders_lost=lost) for lost in (0, 1)])

    def test_the_lock_is_told_by_the_rates_of_compute(self):
        for rate, verdict in ((100, "confirmed"), (200, "refuted"), (150, "undecided")):
            rows = [row("Compute/pyrpyc_threaded/clients:1", items_per_second=100),
                    row("Compute/pyrpyc_threaded/clients:4", items_per_second=rate)]
            self.assert_verdict(verdict, LOCK, rows)
        one = {**CONTEXT, "cpus_allowed": "1"}
        found = self.assert_verdict("undecided", LOCK, rows, context=one)
        self.assertEqual("needs 2 CPUs, the run had 1", found["why"])

    def test_the_spread_of_a_row_that_ran_once_widens_its_interval(self):
        self.assert_verdict("confirmed", CONNECTION, connections([20], [10], spread_percent=10))
        self.assert_verdict("undecided", CONNECTION, connections([20], [10], spread_percent=60))
        self.assert_verdict("confirmed", CONNECTION, connections([16], [10], spread_percent=2))
        found = self.assert_verdict("undecided", CONNECTION,
                                    connections([16], [10], spread_percent=None))
        self.assertAlmostEqual(1.6 / 1.1 ** 2, found["interval"][0])

    def test_repetitions_that_agree_decide(self):
        self.assert_verdict("confirmed", CONNECTION, connections([17, 18, 19], [10, 10.5, 11]))
        found = self.assert_verdict("undecided", CONNECTION, connections([15.2, 15.3], [10, 10]))
        self.assertIn("too close", found["why"])

    def test_repetitions_that_contradict_each_other_decide_nothing(self):
        found = self.assert_verdict("undecided", CONNECTION, connections([12, 20, 20], [10] * 3))
        self.assertEqual((2, "the repetitions contradict each other"),
                         (found["found"], found["why"]))
        self.assertAlmostEqual(12 / 10.2, found["interval"][0])

    def test_many_repetitions_give_an_interval_of_their_median(self):
        one_apart = connections([12] + [20] * 14, [10] * 15)  # the sign test drops two of 15
        found = self.assert_verdict("confirmed", CONNECTION, one_apart)
        self.assertAlmostEqual(2 / 1.02 ** 2, found["interval"][0])
        self.assert_verdict("undecided", CONNECTION, connections([12] * 3 + [20] * 12, [10] * 15))

    def test_eight_repetitions_tell_more_than_is_assumed_of_one(self):
        def load(repetitions):
            return [row(f"Concurrent/pyrpyc_threaded/clients:{clients}", items_per_second=rate)
                    for clients, rate in ((1, 100), (10, 95)) for _ in range(repetitions)]
        self.assert_verdict("undecided", LOAD, load(7))
        self.assert_verdict("confirmed", LOAD, load(8))

    def test_missing_rows_leave_a_claim_undecided_with_the_command_that_makes_them(self):
        found = self.assert_verdict("undecided", CONNECTION, connections([20], []))
        self.assertEqual("not measured: needs Connection/pyrpyc_threaded", found["why"])
        self.assertEqual("bench_all --benchmark_filter='^Connection/pyrpyc_(forking|threaded)/'",
                         found["how"])
        self.assertEqual(
            "bench_all --benchmark_filter='^Concurrent/pyrpyc_threaded/clients:(10|1)/'",
            self.finding(LOAD, connections([20], []))["how"])
        text = self.output(connections([20], []))
        self.assertIn(f"    {found['how']}\n", text)
        self.assertIn("    bench_all --benchmark_filter='^PyLatency/(flask|pyrpyc)_threaded/ping/'\n", text)
        self.assertIn("needs Isolation/pyrpyc_forking\n    bench_all "
                      "--benchmark_filter='^Isolation/pyrpyc_forking/'\n", text)

    def test_failed_rows_and_rows_without_the_counter_say_so(self):
        found = self.finding(CONNECTION, connections([20], []), errors=[
            {"name": "Connection/pyrpyc_threaded/real_time", "message": "died"}])
        self.assertEqual("not measured: Connection/pyrpyc_threaded ended in an error", found["why"])
        found = self.finding(CONNECTION, connections([0], [10]))
        self.assertEqual("not measured: Connection/pyrpyc_forking has no p50_us", found["why"])
        found = self.finding(LOST, [row("Isolation/pyrpyc_forking")])
        self.assertEqual("not measured: Isolation/pyrpyc_forking has no bystanders_lost",
                         found["why"])

    def test_nothing_divides_by_zero(self):
        def memory(*kib):
            return [row(f"Concurrent/pyrpyc_{model}/clients:10", server_kib_per_connection=value)
                    for model, values in (("forking", [2000]), ("threaded", kib))
                    for value in values]
        found = self.assert_verdict("undecided", MEMORY, memory(0))
        self.assertIn("Concurrent/pyrpyc_threaded/clients:10 is 0", found["why"])
        found = self.assert_verdict("confirmed", MEMORY, memory(0, 10, 20))
        self.assertEqual((200, None), (found["found"], found["interval"][1]))
        self.assert_verdict("confirmed", MEMORY, memory(20))

    def test_rows_with_other_labels_are_not_mixed(self):
        split = connections([], [10], label=RPYC.replace("shared", "split"))
        found = self.assert_verdict("undecided", CONNECTION, connections([20], []) + split)
        self.assertIn("Connection/pyrpyc_threaded was measured with placement=split", found["why"])
        found = self.assert_verdict("undecided", CONNECTION, connections([20], [10]) + split)
        self.assertIn("was measured under several conditions", found["why"])

    def test_doubtful_rows_are_told(self):
        rows = connections([20], []) + connections([], [10], doubts="steal:4%,samples_for_p99:9")
        self.assert_verdict("confirmed", CONNECTION, rows)
        self.assertEqual({"Connection/pyrpyc_threaded": ["steal:4%"]},
                         self.finding(CONNECTION, rows)["doubts"])
        self.assertIn("  doubtful: Connection/pyrpyc_threaded steal:4%\n", self.output(rows))

    def test_a_doubt_in_one_repetition_does_not_part_it_from_the_others(self):
        rows = connections([20], [10, 10]) + connections([], [10], doubts="others:20%")
        found = self.assert_verdict("confirmed", CONNECTION, rows)
        self.assertEqual([10, 10, 10], found["rows"]["Connection/pyrpyc_threaded"])

    def test_a_rate_that_is_the_generators_decides_nothing(self):
        rates = {"pyrpyc_threaded/clients:1": 100, "pyrpyc_threaded/clients:10": 50}
        rows = [row(f"Concurrent/{name}", items_per_second=rate, doubts="generator_bound:95%")
                for name, rate in rates.items()]
        found = self.assert_verdict("undecided", LOAD, rows)
        self.assertEqual("a doubt makes its items_per_second void", found["why"])

    def test_native_servers_are_held_to_the_same(self):
        rows = connections([20], [10]) + [row("Connection/rpyc_forking", 10),
                                          row("Connection/rpyc_threaded", 10)]
        self.assert_verdict("confirmed", CONNECTION, rows)
        self.assert_verdict("refuted", CONNECTION, rows, servers="native")

    def test_the_text_of_a_claim(self):
        lines = self.output(connections([2000], [10])).splitlines()
        self.assertTrue(lines[0].startswith("1 confirmed, 0 refuted, 56 undecided: on here, "
                                            "revision abc, preset quick."), lines[0])
        at = lines.index("Connection cost")
        self.assertEqual([
            f"  confirmed  Python  {CONNECTION}",
            "                     200 (192 to 208), claimed: at least 1.5",
            "                     Connection/pyrpyc_forking 2,000 µs ÷ Connection/pyrpyc_threaded "
            "10 µs"], lines[at + 1:at + 4])

    def test_the_text_fits_a_hundred_columns(self):
        everything = json.loads(self.output(connections([20], [10]), "--json"))["findings"]
        self.assertEqual(13, len({finding["topic"] for finding in everything}))
        long = [line for line in self.output(connections([20], [10])).splitlines()
                if len(line) > 100 and not line.startswith("    bench_all ")]  # commands are pasted
        self.assertEqual([], long)

    def test_a_table_in_markdown(self):
        lines = self.output(connections([20], [10]), "--markdown").splitlines()
        table = [line for line in lines if line.startswith("|")]
        self.assertEqual(len(table), len(lines) - 2)
        self.assertIn(f"| Connection cost | {CONNECTION} | Python | confirmed | 2 (1.92 to 2.08) | "
                      "at least 1.5 | Connection/pyrpyc_forking 20 µs ÷ "
                      "Connection/pyrpyc_threaded 10 µs |", table)
        for line in table:
            self.assertEqual(8, line.replace("\\|", "").count("|"), line)

    def test_files_of_one_run_are_read_together(self):
        whole, part = connections([20], [10]), self.file(connections([], [10]), "part.json")
        self.assertEqual(self.run_tool(self.file(whole, "all.json")).stdout,
                         self.run_tool(self.file(connections([20], [])), part).stdout)
        other = self.file(whole, "other.json", context={**CONTEXT, "git_revision": "else"})
        self.refuses("not of one run: git_revision is abc in ", part, other)

    def test_what_is_no_result_is_refused(self):
        for content, words in no_results(self.file(connections([20], [10])).read_text()):
            self.refuses(words, self.write("bad.json", content))
        self.refuses("No such file", self.folder / "none.json")
        bare = [{key: entry[key] for key in ("name", "real_time", "time_unit")}
                for entry in connections([20], [10])]
        self.refuses("no row has p50_us", self.file(bare))


if __name__ == "__main__":
    unittest.main()
