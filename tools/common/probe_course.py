"""Reads the course of the probe in a result file: the machine's state over the run.

bench/report/results/result_file.h describes the file's entry "probe". Times of the run are seconds
from the probe's first ping on, so the first row's loop begins before 0.
"""

import math
from typing import NamedTuple, Optional

LONGEST = 1e9  # seconds of a run, or µs of a ping; more is no course


class CourseRow(NamedTuple):
    """When a row's loop ran and when its pairs did: (begin, end); None without pairs."""
    name: str
    loop: tuple
    pairs: Optional[tuple]


class Course(NamedTuple):
    """The median ping in each stretch of `step_s` seconds, in µs, or None if the probe did not run.

    `quiet_us` is the longest ping that counts as quiet.
    """
    quiet_us: float
    step_s: float
    us: tuple
    rows: tuple

    @property
    def quiet_share(self):
        """The share of the stretches with a ping whose median is quiet."""
        known = [us for us in self.us if us is not None]
        return sum(us <= self.quiet_us for us in known) / len(known)


def _number(value, lowest):
    if isinstance(value, bool) or not lowest <= value <= LONGEST:  # NaN is not, either
        raise ValueError(f"{value!r} is no such time")
    return float(value)


def _span(value):
    begin, end = (_number(each, -LONGEST) for each in value)
    if begin > end:
        raise ValueError(f"{value} ends before it begins")
    return begin, end


def _row(entry):
    if not isinstance(entry["name"], str):
        raise TypeError(f"{entry['name']!r} is no name")
    return CourseRow(entry["name"], _span(entry["loop_s"]),
                     _span(entry["pairs_s"]) if "pairs_s" in entry else None)


def of(report):
    """Returns the course in a result document; None if it has none.

    Raises KeyError, TypeError or ValueError if the document's "probe" is not one of bench_all's.
    """
    if "probe" not in report:
        return None
    probe, shortest = report["probe"], math.ulp(0)
    course = Course(
        _number(probe["quiet_us"], shortest), _number(probe["step_s"], shortest),
        tuple(None if us is None else _number(us, shortest) for us in probe["us"]),
        tuple(map(_row, probe["rows"])))
    if not any(course.us):
        raise ValueError("the probe never ran")
    _number(len(course.us) * course.step_s, shortest)
    return course
