"""Shows what each part of a call costs: tools/explain's subtractions, as shares of their total."""

from common.explaining import explain, micros, operations

from ..blocks import Bar, BarPanel, Cell, Chart, Folded, Table
from ..units import micros as readable
from ..units import operation as readable_name
from ..units import percent

ID = "decomposition"
TITLE = "Wire, protocol, model, interpreter"
LEAD = ("Each part is the difference of two rows of this run. Rows that were measured in pairs count as "
        "their ratio to the probe × the median probe, which is what they take at one speed of the "
        "machine; ± follows from their intervals of 99 %. The floor is plain TCP. The protocol is "
        "what RPyC or HTTP adds natively, the interpreter what Python's server and client add. Models "
        "are listed separately, as the change that another one would make. Grey figures are within "
        "noise; a negative part appears only in the table.")
NEEDS = "No floor row together with a row of RPyC or HTTP."
DRAWN = ("Connection", "Latency", "Bandwidth")  # types whose bars are in the chart
PROTOCOL_NAMES = {"rpyc": "RPyC", "http": "HTTP"}


def shares(adding):
    """Returns the positive parts by component, as shares of their sum; the table has negative ones."""
    positive = {line.name: line.us for line in adding if line.us is not None and line.us > 0}
    whole = sum(positive.values())
    return {name: us / whole for name, us in positive.items()}


def plus_minus(line):
    """Returns how far the figure is from the farther end of its interval; empty without one."""
    return f"± {micros(line.distance)}" if line.interval else ""


def cell(line):
    """Returns the cell of a line of the explanation; empty if it was not measured."""
    if line is None or line.us is None:
        return Cell("", title=line.text if line else "")
    return Cell(("+" if line.name.startswith("model") and line.us > 0 else "")
                + readable(line.us).replace("-", "−"), title=f"{line.text} {plus_minus(line)}".strip(),
                mark="faint" if line.within_noise else "")


def summary(explained):
    """Returns the table of operations × components, without components that were never measured."""
    names = dict.fromkeys(line.name for _, (adding, total, instead) in explained if total
                          for line in [*adding, *instead] if line.us is not None)
    adding = [name for name in names if not name.startswith(("model", "Python"))]
    instead = [name for name in names if name.startswith(("model", "Python"))]
    rows = []
    for operation, (parts, total, others) in explained:
        if total is None:
            continue
        by_name = {line.name: line for line in [*parts, *others]}
        rows.append([Cell(f"{operation.row_name('{type}/{op}')} by "
                          f"{PROTOCOL_NAMES.get(operation.native, operation.native)}"),
                     *(cell(by_name.get(name)) for name in adding), cell(total),
                     *(cell(by_name.get(name)) for name in instead)])
    return Table(["operation", *adding, "total", *instead], rows,
                 [("", 1), ("adds up", len(adding) + 1), ("instead", len(instead))])


def arithmetic(explained, in_pairs):
    """Returns the table of all subtractions, with their intervals if rows were measured in pairs."""
    rows = []
    for operation, (adding, total, instead) in explained:
        title = f"{operation.row_name('{type}/{op}')} by {PROTOCOL_NAMES.get(operation.native, operation.native)}"
        for line in [*adding, *([total] if total else []), *instead]:
            for depth, part in [("", line), *(("· ", part) for part in line.parts)]:
                share = part.us / total.us if total and part.us is not None else None
                rows.append([Cell(title), Cell(depth + part.name),
                             Cell("" if part.us is None else micros(part.us)),
                             *([Cell(plus_minus(part))] if in_pairs else []),
                             Cell("" if share is None else percent(share).lstrip("+")),
                             Cell(part.text)])
    head = ["operation", "component", "µs", *(["±"] if in_pairs else []), "of total", "arithmetic"]
    return Table(head, rows, words=(1, len(head) - 1))


def blocks(result):
    explained = [(operation, explain(result.costs, operation))
                 for operation in operations(result.costs)]
    explained = [(operation, parts) for operation, parts in explained
                 if parts[1] is not None and parts[0][0].us is not None]
    panels = []
    for native, name in PROTOCOL_NAMES.items():
        bars = [Bar(readable_name(operation.row_name("{type}/{op}")), shares(adding),
                    readable(total.us))
                for operation, (adding, total, _) in explained
                if operation.native == native and operation.type in DRAWN]
        if bars:
            panels.append(BarPanel(name, bars))
    if not explained:
        return []
    charts = [Chart("decomposition", "Shares of a call, in percent of its median", panels)] if panels else []
    drawn = [pair for pair in explained if pair[0].type in DRAWN]
    tables = [summary(drawn or explained)]
    if 0 < len(drawn) < len(explained):
        tables.append(Folded(f"All operations: {len(explained)}", [summary(explained)]))
    return [*charts, *tables, Folded("The arithmetic", [arithmetic(explained, bool(result.probes))])]
