"""Tests that tools follow the description of the program that wrote a result, not that of this revision."""

import copy
import json
import pathlib
import unittest

from common import description
from common.explaining import operations
from common.result_rows import Results, Unusable, load
from testing.results_test_case import ResultsTestCase

OWN = json.loads(pathlib.Path(description.__file__).with_name("description.json").read_text())


def row(name, us):
    return {"name": f"{name}/real_time", "run_type": "iteration", "real_time": us, "time_unit": "us",
            "p50_us": us, "round_trips": 1, "label": "placement=shared"}


class DescriptionTest(ResultsTestCase):
    def of_a_later_program(self):
        """Returns a description with one more protocol in Python, and another type of rates."""
        later = copy.deepcopy(OWN)
        for name, family, python in (("lines_threaded", "lines", False),
                                     ("pylines_threaded", "pylines", True)):
            later["modes"].append({**later["modes"][0], "name": name, "family": family,
                                   "protocol": "lines", "model": "threaded", "python": python})
        later["types"].append({**later["types"][0], "name": "Swarm", "is_rate": True})
        later["floor"]["substitutes"].append(["^shout/", "echo/"])
        return later

    def load(self, **context):
        return load(self.file([row("Latency/lines_threaded/shout/64", 20),
                               row("Latency/tcp_threaded/echo/64", 10)], context=context))

    def test_a_file_is_read_as_its_program_describes_it(self):
        results = Results([self.load(description=self.of_a_later_program())], "p50_us")
        known = results.description
        self.assertIn("Swarm", known.rates)
        self.assertEqual(("lines", "pylines"), known.families[-2:])
        self.assertEqual("echo/64", known.at_the_floor("shout/64"))
        operation, = operations(results)
        self.assertEqual(("lines", "Latency/tcp_threaded/echo/64"),
                         (operation.native, operation.row_name("{type}/tcp_threaded/{floor}")))

    def test_a_file_without_one_is_read_as_this_revision_describes_it(self):
        known = Results([self.load()], "p50_us").description
        self.assertIs(description.own(), known)
        self.assertEqual([], operations(Results([self.load()], "p50_us")))
        self.assertLess(known.order("tcp_forking"), known.order("rpyc_threaded"))
        self.assertLess(known.order("flask_waitress"), known.order("unknown_threaded"))

    def test_a_broken_one_is_refused(self):
        for broken in ("text", {"types": []}, {**OWN, "modes": [{}]}, {**OWN, "floor": None}):
            with self.assertRaisesRegex(Unusable, "its description is not one of bench_all"):
                self.load(description=broken)

    def test_variables_are_recorded_by_name_or_beginning(self):
        own = description.own()
        for name in ("LD_PRELOAD", "LD_AUDIT", "GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MIMALLOC_ALLOW_LARGE_OS_PAGES",
                     "TCMALLOC_SAMPLE_PARAMETER", "PYTHONOPTIMIZE"):
            self.assertTrue(own.is_recorded(name), name)
        for name in ("LD_PRELOADS", "XMALLOC_ARENA_MAX", "malloc_arena_max", "PATH"):
            self.assertFalse(own.is_recorded(name), name)

    def test_every_counter_has_one_direction(self):
        kinds = [description.own().counters_better(direction) for direction in ("lower", "higher", None)]
        self.assertEqual(len(OWN["counters"]), sum(map(len, kinds)))
        self.assertIn("p50_us", kinds[0])
        self.assertIn("items_per_second", kinds[1])


if __name__ == "__main__":
    unittest.main()
