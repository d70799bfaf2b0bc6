"""Tests what reporting.crossing says of two calls across a link, on results made by hand."""

import unittest

from common.links import calls
from reporting.crossing import comparison
from testing.link_rows import link_rows


def measured(name, local_us, exchanges, **more):
    """Returns the call of rows made by link_rows()."""
    context = {"host_name": "here"}
    return calls([{"context": context, "benchmarks": link_rows(name, local_us, exchanges, **more)}])[0]


class CrossingTest(unittest.TestCase):
    def says(self, words, first, second):
        """Expects this about two calls (local time, exchanges, more) of RPyC and of HTTP."""
        def call(mode, figures):
            return measured(f"PyLink/{mode}_threaded/ping", *figures[:2], **dict(figures[2:]))

        sentence = comparison(call("pyrpyc", first), call("flask", second))
        self.assertEqual(words.format("pyrpyc_threaded/ping", "flask_threaded/ping"), sentence)

    def test_the_call_with_less_of_both_is_faster_at_every_rtt(self):
        self.says("{} is faster than {} at every RTT.", (100, 1), (800, 2))
        self.says("{} is slower than {} at every RTT.", (800, 2), (100, 1))

    def test_lines_cross_where_the_times_are_equal(self):
        """100 + 3 × RTT = 700 + 1 × RTT at an RTT of 300 µs.

        With local times ± 2 % and exchanges ± 0.01 the ends are 584 / 2.02 and 616 / 1.98.
        """
        self.says("{} is faster than {} up to an RTT of 300 µs (interval 289 µs to 311 µs).",
                  (100, 3), (700, 1))
        self.says("{} is faster than {} from an RTT of 300 µs on (interval 289 µs to 311 µs).",
                  (700, 1), (100, 3))

    def test_the_interval_follows_from_those_of_the_exchanges(self):
        self.says("{} is faster than {} up to an RTT of 300 µs (interval 243 µs to 385 µs).",
                  (100, 3, ("within", 0.2)), (700, 1, ("within", 0.2)))

    def test_a_crossing_beyond_the_measured_rtts_is_extrapolated(self):
        self.says("{} is faster than {} up to an RTT of 30 ms (interval 28.9 ms to 31.1 ms, "
                  "extrapolated: measured up to 20 ms).", (10000, 3), (70000, 1))
        self.says("{} is faster than {} up to an RTT of 300 µs (interval 289 µs to 311 µs, "
                  "extrapolated: measured up to 200 µs).", (100, 3, ("rtts", (0, 200))), (700, 1))

    def test_intervals_that_meet_decide_nothing(self):
        self.says("{} is faster than {} up to an RTT of 29.2 ms (extrapolated: measured up to 20 ms); "
                  "above it the intervals meet, so it is undecided.", (100, 1), (700, 1))
        self.says("{} is faster than {} from an RTT of 200 µs on; below it the intervals meet, so it "
                  "is undecided.", (1000, 1, ("within", 0.1)), (1000, 1.4, ("within", 0.1)))
        self.says("{} is slower than {} from an RTT of 200 µs on; below it the intervals meet, so it "
                  "is undecided.", (1000, 1.4, ("within", 0.1)), (1000, 1, ("within", 0.1)))
        self.says("Whether {} is faster than {} is undecided at every RTT: the intervals meet.",
                  (100, 1), (101, 1))

    def test_a_line_that_times_are_not_on_is_not_compared(self):
        self.says("{0} and {1} are not compared: the times of {0} are not on a straight line.",
                  (100, 2, ("more_us", 40_000)), (700, 1))
        self.says("{} is faster than {} up to an RTT of 600 µs (interval 573 µs to 629 µs).",
                  (100, 2, ("more_us", 40)), (700, 1))

    def test_the_longest_delay_shows_the_exchanges(self):
        call = measured("Link/tcp_threaded/ping", 100, 2, more_us=40)
        self.assertEqual((20000, 2), (call.rtt_us, call.exchanges.us))
        self.assertEqual({0: 100, 1000: 2140, 20000: 40100}, call.times)


if __name__ == "__main__":
    unittest.main()
