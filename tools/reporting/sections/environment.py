"""Shows where and how the rows were measured, the machine's state meanwhile, and suspect rows."""

from common import description
from common.result_rows import split_name

from ..blocks import Cell, Folded, Lane, Span, Table, Text, Timeline
from ..units import exact, micros, number

ID = "environment"
TITLE = "Environment, placement and validity"
LEAD = ("A row whose measurement is suspect has doubts; one that failed has no figures "
        "at all.")
NEEDS = "There is no row."
LEADING = ("host_name", "date", "preset", "git_revision", "suite_version", "suite_build_type",
           "cpu_model", "num_cpus", "cpus_allowed", "mhz_per_cpu", "cpu_governor",
           "cpu_steal_percent", "cpu_busy_percent", "load_average", "kernel", "compiler")
MEANING = description.own().doubts | {"failed": "some repetitions ended in an error"}


def context(result):
    """Returns the table of facts about the run."""
    facts = {key: value for key, value in result.context.items()
             if isinstance(value, (str, int, float))}
    keys = [key for key in LEADING if key in facts]
    keys += sorted(key for key in facts if key not in LEADING)
    return Table(["fact", "value"], [[Cell(key), Cell(str(facts[key]))] for key in keys],
                 words=(1,))


def hosts(result):
    keys = dict.fromkeys(key for facts in result.hosts.values() for key in facts)
    return Table(["fact", *result.hosts],
                 [[Cell(key), *(Cell(str(facts.get(key, "–"))) for facts in result.hosts.values())]
                  for key in keys], title="Hosts", words=tuple(range(1, len(result.hosts) + 1)))


def doubts(result):
    """Returns the table of doubts, with the number of rows that carry each."""
    rows_of = {}
    for row in result.rows:
        for doubt in row.doubts:
            rows_of.setdefault(doubt.partition(":")[0], []).append(f"{row.name} ({doubt})")
    lines = [[Cell(doubt), Cell(exact(len(rows))), Cell(MEANING.get(doubt, "")),
              Cell(rows[0] + (f" and {len(rows) - 1} more" if len(rows) > 1 else ""))]
             for doubt, rows in sorted(rows_of.items(), key=lambda item: -len(item[1]))]
    return Table(["doubt", "rows", "meaning", "such as"], lines, words=(2, 3))


def spread(row):
    value = row.get("spread_percent")
    return "" if value is None else f"{value:.0f} %"


def every(result):
    """Returns the table of placement and validity of all rows."""
    lines = [[Cell(row.name), Cell(micros(row.get("p50_us"))), Cell(exact(row.get("samples"))),
              Cell(exact(row.runs)),
              Cell(spread(row)),
              Cell(row.labels.get("placement", "")),
              Cell(" ".join(f"{key}={value}" for key, value in row.labels.items()
                            if key != "placement")),
              Cell(", ".join(row.doubts) or "–", mark="doubt" if row.doubts else "")]
             for row in result.rows]
    return Table(["row", "p50", "samples", "runs", "spread", "placement", "conditions", "doubts"],
                 lines, words=(5, 6, 7))


def spans(times):
    """Returns the spans of these (name, (begin, end)), without the framework's part of the names.

    Times that overlap become one span.
    """
    found = []
    for name, (begin, end) in sorted(times, key=lambda each: each[1]):
        name = "/".join(filter(None, split_name(name)))
        if found and begin < found[-1].end:
            names = found[-1].names + [name] * (name not in found[-1].names)
            found[-1] = Span(found[-1].begin, max(end, found[-1].end), names)
        else:
            found.append(Span(begin, end, [name]))
    return found


def lanes(rows):
    """Returns a lane for each type, in the order in which they began."""
    of_type = {}
    for row in sorted(rows, key=lambda row: row.loop):
        of_type.setdefault(split_name(row.name)[0], []).append(row)
    return [Lane(kind, spans((row.name, row.loop) for row in group),
                 spans((row.name, row.pairs) for row in group if row.pairs))
            for kind, group in of_type.items()]


def courses(result):
    """Yields what the probe showed of the machine during the run."""
    for at, course in enumerate(result.courses, 1):
        limit = micros(course.quiet_us)
        yield Text(f"The machine was quiet in {100 * course.quiet_share:.0f} % of the run's "
                   f"{number(len(course.us) * course.step_s)} s, as far as the probe saw them. "
                   f"Quiet means that a ping of the probe took at most {limit}, which is 5 % more "
                   "than the fastest fiftieth of all pings.")
        yield Timeline(f"machine-{at}" if at > 1 else "machine", "The machine during the run",
                       course.step_s, course.us, course.quiet_us, "median ping of the probe",
                       f"quiet up to {limit}", lanes(course.rows))


def blocks(result):
    doubtful = sum(bool(row.doubts) for row in result.rows)
    found = [Text(f"{len(result.rows)} rows, {doubtful} with doubts, {len(result.failed)} failed.")]
    if result.failed:
        found.append(Table(["failed row", "error"],
                           [[Cell(row.name), Cell(row.error, mark="worse")]
                            for row in result.failed], words=(1,)))
    if doubtful:
        found.append(doubts(result))
    found += courses(result)
    machines = [hosts(result)] if result.hosts else []
    return [*found, Folded("Environment", [context(result), *machines]),
            Folded(f"Placement and validity of all rows: {len(result.rows)}", [every(result)])]
