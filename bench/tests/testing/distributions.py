"""Reads the files that have whole distributions, independently of the code that writes them.

The histogram's encoding is HdrHistogram's V2: https://github.com/HdrHistogram/HdrHistogram
"""

import array
import base64
import json
import re
import struct
import zlib

COMPRESSED_COOKIE, COOKIE = 0x1C849314, 0x1C849313
LINE = re.compile(r"Tag=([^, ]+),(\d+\.\d{3}),(\d+\.\d{3}),(\d+\.\d{3}),([A-Za-z0-9+/]+=*)")


def numbers_in(data):
    """Yields the numbers of ZigZag LEB128, whose ninth byte has eight bits."""
    value = shift = 0
    for byte in data:
        last = byte < 0x80 or shift == 56
        value |= (byte if shift == 56 else byte & 0x7F) << shift
        shift += 7
        if last:
            yield (value >> 1) ^ -(value & 1)
            value = shift = 0


def decode(text):
    """Returns the counts of an encoded histogram, by the lowest and highest value of each bucket."""
    packed = base64.b64decode(text, validate=True)
    cookie, size = struct.unpack_from(">ii", packed)
    if cookie != COMPRESSED_COOKIE or size != len(packed) - 8:
        raise ValueError(f"cookie {cookie:x}, {size} of {len(packed)} bytes")
    data = zlib.decompress(packed[8:])
    cookie, size, offset, digits, lowest, highest, ratio = struct.unpack_from(">iiiiqqd", data)
    if (cookie, size, offset, digits, lowest, ratio) != (COOKIE, len(data) - 40, 0, 3, 1, 1.0):
        raise ValueError(f"header {(cookie, size, offset, digits, lowest, ratio)}")
    counts, index = {}, 0
    for number in numbers_in(data[40:]):
        if number < 0:
            index -= number
            continue
        if number > 0:
            # 2,048 buckets of one unit, then 1,024 for each further power of two.
            doublings = max(0, index // 1024 - 1)
            low = (index - 1024 * doublings) << doublings
            counts[low, low + (1 << doublings) - 1] = number
        index += 1
    if not list(counts)[-1][0] <= max(2, highest) <= max(2, list(counts)[-1][1]):
        raise ValueError(f"the highest value is {highest}, the last bucket {list(counts)[-1]}")
    return counts


def read_log(path):
    """Returns the entries of a log: tag, begin and length in s, longest time in ms, and counts."""
    comments, entries = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", '"')):
            comments.append(line)
            continue
        tag, begin, length, longest, text = LINE.fullmatch(line).groups()
        entries.append((tag, float(begin), float(length), float(longest), decode(text)))
    if comments[1] != "#[Histogram log format version 1.3]":
        raise ValueError(comments)
    return entries


def percentile(counts, percent):
    """Returns the bucket that has this percentile by nearest rank."""
    total, below = sum(counts.values()), 0
    for bucket, count in counts.items():
        below += count
        if below >= total * percent / 100 - 1e-9:
            return bucket
    raise ValueError("no counts")


def read_samples(path):
    """Yields the header, starts and durations in ns of each entry of a file of samples."""
    with path.open("rb") as file:
        while line := file.readline():
            row = json.loads(line)
            starts, times = array.array("q"), array.array("q")
            starts.fromfile(file, row["calls"])
            times.fromfile(file, row["calls"])
            yield row, starts, times


def read_percentiles(path):
    """Returns the rows of a table of percentiles, as numbers, and its lines of summary."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    if head.split() != ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]:
        raise ValueError(head)
    rows = [[float(field) for field in line.split()] for line in lines if line and line[0] != "#"]
    return rows, [line for line in lines if line.startswith("#")]
