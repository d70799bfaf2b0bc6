"""Shows payload kind × compression setting: the price in time and the gain in bytes."""

from ..blocks import Cell, Table
from ..units import micros, size
from .changes import in_pairs
from .matrix import heat
from .sweep import said, swept

ID = "compression"
TITLE = "Payload kind × compression"
LEAD = ("One upload by RPyC: its median time and its bytes on the wire, tinted by comparison with "
        "random bytes without compression (times in pairs by their ratio to the probe). python "
        "compresses messages over 3,000 bytes, threshold_65536 those over 65,536.")
NEEDS = ("No row of Compression, and no uploads by RPyC that vary both --payload and "
         "--compression.")
KINDS = ("zeros", "text", "random")
SETTINGS = ("off", "python", "threshold_65536")


def order(known, names):
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known),
                                           name))


def surface(row):
    """Returns (payload, setting, bytes) of an upload that has all three, or None."""
    names = row.op.split("/")
    if row.kind != "Compression" and names[0] == "upload":
        names = [row.labels.get("payload"), row.labels.get("compression"), *names[1:]]
    return names if len(names) == 3 and all(names) and names[2].isdigit() else None


def compared(row, reference, counter):
    """Returns a row's figure as a multiple of the reference's; of times in pairs, by the probe."""
    if row is None or reference is None:
        return None
    key = "probe_ratio" if counter == "p50_us" and in_pairs((row, reference)) else counter
    value, usual = row.get(key), reference.get(key)
    return value / usual if min(value or 0, usual or 0) > 0 else None


def blocks(result):
    uploads = result.of("Compression", "Bandwidth", "BinaryTransfer")
    others = swept(uploads).keys() - {"payload", "compression"}
    groups = {}
    for row in uploads:
        if names := surface(row):
            payload, setting, count = names
            where = f"{row.mode} {said(row, sorted(others))}".strip()
            groups.setdefault((row.kind, where, int(count)), {})[payload, setting] = row
    found = []
    for (of, where, count), rows in groups.items():
        if of != "Compression" and any(len(set(names)) < 2 for names in zip(*rows)):
            continue  # not swept
        settings = order(SETTINGS, {setting for _, setting in rows})
        reference = rows.get(("random", "off"))
        lines = []
        for kind in order(KINDS, {kind for kind, _ in rows}):
            line = [Cell(kind)]
            for counter, read in (("p50_us", micros), ("wire_bytes_out", size)):
                for setting in settings:
                    row = rows.get((kind, setting))
                    line.append(Cell(read(row.get(counter)) if row else "",
                                     heat(compared(row, reference, counter), full=10),
                                     row.name if row else ""))
            lines.append(line)
        found.append(Table(["payload", *settings, *settings], lines,
                           [("", 1), ("time", len(settings)), ("on the wire", len(settings))],
                           picture=f"{of.lower()}-{where}-{count}",
                           title=f"{of}: {where}, {size(count)} up"))
    return found
