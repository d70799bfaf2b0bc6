"""Reads and writes the file of a sweep.

It has Google Benchmark's form, with rows in the order of the declaration, and two entries next to
"context", "benchmarks" and "errors". "hosts" has the facts of each machine by its name. "sweep" has
the plan and what was run when. It is a whole document after every run.
"""

import json
import pathlib

from common.command import write_whole
from common.result_rows import Unusable, load, number

from .plan import check, difference


def counted(entry, *keys):
    """Returns whether the entry has a whole number of at least 0 under each key."""
    return all(isinstance(number(entry, key), int) and entry[key] >= 0 for key in keys)


class SweepResults:
    """Holds what a sweep has measured so far.

    `runs` are {point, round, started, seconds, failed, load, context}. A row's `point` and
    `repetition_index` identify its run, `place` its position there.
    """

    def __init__(self, path, plan, program, hosts, total):
        self.path, self.plan, self.program, self.hosts = pathlib.Path(path), plan, program, hosts
        self.total = total  # number of runs of the whole sweep
        self.runs, self.rows, self.errors = [], [], []

    @classmethod
    def read(cls, path):
        """Returns the results in a file. Raises Unusable."""
        document = load(path)
        check("sweep" in document, f"{path}: not the results of a sweep; --fresh overwrites it")
        try:
            sweep, context = document["sweep"], document["context"]
            context.pop("sweep_runs")
            found = cls(path, sweep["plan"], sweep["program"], document["hosts"],
                        sweep["total"])
            found.runs = [run | {"context": context | run["context"]} for run in sweep["runs"]]
            found.rows, found.errors = document["benchmarks"], document["errors"]
            valid = (isinstance(found.plan["grid"], list) and isinstance(found.program, dict)
                     and all(isinstance(facts, dict) for facts in found.hosts.values())
                     and found.runs and counted(sweep, "total")
                     and all(counted(run, "point", "round", "failed")
                             and run["point"] * found.plan["repetitions"] < found.total
                             and number(run, "seconds") is not None for run in found.runs)
                     and all(counted(row, "point", "place", "repetition_index")
                             for row in found.rows + found.errors))
        except (AttributeError, KeyError, TypeError) as error:
            raise Unusable(f"{path}: not the results of a sweep") from error
        check(valid, f"{path}: not the results of a sweep")
        return found

    def check_same(self, other):
        """Raises Unusable unless both have the same plan, program and machines."""
        check(not self.merged, f"{self.path} is merged from several hosts and cannot be continued")
        found = (difference(self.plan, other.plan)
                 or difference(self.program, other.program, "the program")
                 or difference(" and ".join(self.hosts), " and ".join(other.hosts), "the host")
                 or difference(self.hosts, other.hosts, "host"))
        check(not found, f"{self.path} is of another sweep: {found}; --fresh starts over")

    @property
    def merged(self):
        return any("host" in run for run in self.runs)

    def done(self):
        """Returns {(round, point): run}."""
        return {(run["round"], run["point"]): run for run in self.runs}

    def failed(self):
        return [run for run in self.runs if run["failed"]]

    def forget_failed(self):
        """Drops everything from runs in which a row failed."""
        again = {(run["round"], run["point"]) for run in self.failed()}
        self.runs = [run for run in self.runs if (run["round"], run["point"]) not in again]
        self.rows, self.errors = ([row for row in rows if (row["repetition_index"], row["point"])
                                   not in again] for rows in (self.rows, self.errors))

    def add(self, run, rows, errors):
        """Adds a finished run with its rows and errors."""
        own = {"point": run["point"], "repetition_index": run["round"],
               "repetitions": self.plan["repetitions"]}
        self.runs.append(run)
        self.rows += [row | own for row in rows]
        self.errors += [row | own for row in errors]

    def document(self):
        """Returns the whole document; entries that all contexts share appear only once."""
        contexts = [run["context"] for run in self.runs if run["context"]] or [{}]
        first = contexts[0]
        common = {key: value for key, value in first.items() if key == "date" or all(
            key in context and context[key] == value for context in contexts)}
        runs = [run | {"context": {key: value for key, value in run["context"].items()
                                   if key not in common or common[key] != value}}
                for run in self.runs]

        def place(row):
            return row["point"], row["place"], row["repetition_index"]

        return {"context": common | {"sweep_runs": f"{len(runs)} of {self.total}"},
                "benchmarks": sorted(self.rows, key=place),
                "errors": sorted(self.errors, key=place), "hosts": self.hosts,
                "sweep": {"plan": self.plan, "program": self.program, "total": self.total,
                          "runs": runs}}

    def write(self):
        """Replaces the file by the whole document. Raises Unusable."""
        text = json.dumps(self.document(), indent=1, ensure_ascii=False)
        write_whole(self.path, text.encode(errors="backslashreplace"))  # which JSON reads as what it was


def merge(paths, out):
    """Merges sweeps of several hosts by one plan; adds the host to each row's label.

    Raises Unusable if they differ in plan, revision or environment, or have a host in common.
    """
    parts = [SweepResults.read(path) for path in paths]
    merged = SweepResults(out, parts[0].plan, parts[0].program, {},
                          sum(part.total for part in parts))
    titles = []
    for part in parts:
        context = part.runs[0]["context"]
        name = context.get("host_name")
        check(isinstance(name, str), f"{part.path}: no host_name")
        check(not part.merged, f"{part.path} is merged already")
        check(name not in titles, f"{part.path} and another file are of the same host, {name}")
        if found := difference(parts[0].plan, part.plan):
            raise Unusable(f"{part.path} is of another sweep than {parts[0].path}: {found}")
        revision = parts[0].runs[0]["context"].get("git_revision")
        check(context.get("git_revision") == revision, f"{part.path} is of revision "
              f"{context.get('git_revision')}, {parts[0].path} of {revision}")
        environment = parts[0].runs[0]["context"].get("environment")
        check(context.get("environment") == environment, f"{part.path} was run with "
              f"{context.get('environment')} in the environment, {parts[0].path} with {environment}")
        titles.append(name)
        merged.hosts |= part.hosts
        merged.runs += [run | {"host": name} for run in part.runs]
        for own, rows in ((merged.rows, part.rows), (merged.errors, part.errors)):
            own += [row | {"label": f"{row.get('label', '')} host={name}".strip()}
                    for row in rows]
    for run in merged.runs:
        run["context"] = run["context"] | {"host_name": " + ".join(titles)}
    return merged
