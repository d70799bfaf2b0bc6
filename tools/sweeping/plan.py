"""Reads what a sweep measures: the declaration in a TOML file, its points, and their order.

A grid crosses its axes with its modes. bench_all takes some axes as a list that appears in the
names of rows (sizes, clients); these stay within one run. Each combination of the others is a
point, with a run of its own.
"""

import itertools
import random
import re
import tomllib
from typing import NamedTuple

from common.result_rows import Unusable

# Flags that appear in names or labels of rows, so that different conditions never look alike.
NUMBERS_IN_NAMES = ("payload_bytes", "file_bytes", "clients", "rate")
IN_NAMES = (*NUMBERS_IN_NAMES, "rtt")
IN_LABELS = ("payload", "compression", "dialect", "placement", "chunk_bytes",
             "requests_per_client", "arrivals", "open_loop_connections", "slo", "link_rate", "inject")
OF_RPYC = ("compression", "dialect")  # axes that only RPyC has
OWN = ("benchmark_", "self", "rows_on_request")  # beginnings of flags that no sweep may set
ROWS = re.compile(r"[A-Z]\w*(/[\w:/]+)?")
MODE = re.compile(r"[a-z0-9_]+")
DEFAULTS = {"repetitions": 1, "min_time": 0.1, "seed": 1, "flags": {}}


class Point(NamedTuple):
    """A run of bench_all that every round repeats."""
    mode: str
    rows: tuple  # Type/operation, as declared
    values: dict  # flags with one value each
    lists: dict  # flags with a list of values each, in the declared order
    grid: int  # its number, from 1
    names: tuple = ()  # names of the rows, in the declared order

    @property
    def filter(self):
        return filter_of(self.mode, self.rows)

    def __str__(self):
        return " ".join([self.mode, *self.rows,
                         *(f"{key}={value}" for key, value in self.values.items())])


def filter_of(mode, rows):
    """Returns a regular expression for these rows of a mode; the mode may be one itself."""
    names = (f"{kind}/{mode}{slash}{operation}"
             for kind, slash, operation in (row.partition("/") for row in rows))
    return f"^({'|'.join(names)})([/:]|$)"


def flag_value(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(condition, message):
    """Raises Unusable with this message unless the condition holds."""
    if not condition:
        raise Unusable(message)


def is_list_of(kind, values):
    return (isinstance(values, list) and bool(values)
            and all(isinstance(value, kind) and not isinstance(value, bool) for value in values)
            and len(set(values)) == len(values))


def check_selection(where, table):
    """Checks the keys that select rows: modes and rows. Raises Unusable."""
    for key, pattern in (("modes", MODE), ("rows", ROWS)):
        values = table.get(key)
        check(is_list_of(str, values) and all(map(pattern.fullmatch, values)),
              f"{where}: {key} must be a list of different names, such as "
              + ('["rpyc_threaded"]' if key == "modes" else '["Bandwidth/upload", "Connection"]'))


def load_plan(path):
    """Returns the declaration with all defaults. Raises Unusable."""
    try:
        with open(path, "rb") as file:
            plan = DEFAULTS | tomllib.load(file)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: not TOML: {error}") from error
    unknown = sorted(set(plan) - set(DEFAULTS) - {"modes", "grid"})
    check(not unknown, f"{path}: unknown key {', '.join(unknown)}; valid are "
          f"{', '.join(('modes', *DEFAULTS))} and [[grid]]")
    for key, kinds, least in (("repetitions", int, 1), ("min_time", (int, float), 0),
                              ("seed", int, 0)):
        value = plan[key]
        check(isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= 10**9,
              f"{path}: {key} must be a number of at least {least}, not {value!r}")
    flags, grids = plan["flags"], plan.get("grid")
    check(isinstance(flags, dict) and all(isinstance(value, (str, int, float))
                                          for value in flags.values()),
          f"{path}: [flags] holds one value for each flag")
    check(not any(key.startswith(OWN) for key in flags),
          f"{path}: [flags]: a sweep sets {', '.join(key for key in flags if key.startswith(OWN))}"
          " by itself, or not at all")
    check(isinstance(grids, list) and grids and all(isinstance(grid, dict) for grid in grids),
          f"{path}: no [[grid]]")
    plan["grid"] = [{"modes": plan.get("modes"), **grid} for grid in grids]
    for number, grid in enumerate(plan["grid"], 1):
        where = f"{path}: grid {number}"
        check_selection(where, grid)
        for key in grid.keys() - {"modes", "rows"}:
            check(key in IN_NAMES + IN_LABELS, f"{where}: unknown key {key}; axes are "
                  f"{', '.join(IN_NAMES + IN_LABELS)}")
            check(is_list_of(int if key in NUMBERS_IN_NAMES else (str, int), grid[key]),
                  f"{where}: {key} must be a list of different values")
            check(key not in flags, f"{where}: {key} is also in [flags]; remove one")
    return plan


def points_of(plan):
    """Returns all points in the order of the declaration: the last axis of a grid varies first."""
    found = []
    for number, grid in enumerate(plan["grid"], 1):
        for mode in grid["modes"]:
            axes = [key for key in grid if key in IN_LABELS
                    and (key not in OF_RPYC or re.match("(py)?rpyc_", mode))]
            lists = {key: grid[key] for key in grid if key in IN_NAMES}
            for values in itertools.product(*(grid[key] for key in axes)):
                found.append(Point(mode, tuple(grid["rows"]), dict(zip(axes, values)), lists,
                                   number))
    return found


def shuffled(values, *seed):
    """Returns a copy in an order that depends only on the seed."""
    return random.Random("/".join(map(str, seed))).sample(values, len(values))


def runs_of(plan, points):
    """Returns (round from 0, number of the point) in the order of measuring.

    Each round has all points in its own order, so that no axis coincides with a drift over time.
    """
    return [(each, number) for each in range(plan["repetitions"])
            for number in shuffled(range(len(points)), plan["seed"], each)]


def flags_of(plan, point, each=None):
    """Returns the flags of bench_all for a point; lists are shuffled for round `each`."""
    lists = {key: values if each is None else
             shuffled(values, plan["seed"], each, point, key)
             for key, values in point.lists.items()}
    flags = {**plan["flags"], **point.values,
             **{key: ",".join(map(str, values)) for key, values in lists.items()}}
    return [f"--benchmark_filter={point.filter}", f"--benchmark_min_time={plan['min_time']}",
            *(f"--{key}={flag_value(value)}" for key, value in flags.items())]


def difference(before, after, where=""):
    """Returns the first difference of two plans in words, or None."""
    if before == after:
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(key, before.get(key), after.get(key)) for key in {**before, **after}]
    elif where == "grid" and len(before) == len(after):
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(before, after), 1)]
    else:
        pairs = []
    for key, *pair in pairs:
        if found := difference(*pair, f"{where} {key}".strip()):
            return found
    if where == "grid":
        return f"grids were {len(before)}, are {len(after)}"
    return f"{where} was {before}, is {after}"
