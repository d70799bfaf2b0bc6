"""Writes numbers as people read them: three significant digits, with a unit that fits."""

import math
import re


def number(value, digits=3):
    """Writes a number: 1234.5 → 1,230; 0.01234 → 0.0123; None → an en dash."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{rounded:,.{decimals}f}"
    if value == int(value) and decimals:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def _scaled(value, steps):
    if value is None:
        return "–"
    factor, unit = next((step for step in steps if abs(value) >= 0.9995 * step[0]), steps[-1])
    return f"{number(value / factor)} {unit}".strip()


def micros(us):
    """Writes a time given in µs: 13.7 µs, 1.23 ms, 4.5 s."""
    return _scaled(us, ((1e6, "s"), (1e3, "ms"), (1, "µs")))


def size(count):
    """Writes a size given in bytes: 512 B, 64 KiB, 1.5 MiB."""
    text = _scaled(count, ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")))
    return re.sub(r"\.(\d*?)0+ ", r".\1 ", text).replace(". ", " ")


def rate(per_s):
    """Writes a rate per second: 950, 72.7 k, 1.2 M."""
    return _scaled(per_s, ((1e6, "M"), (1e3, "k"), (1, "")))


def ratio(value):
    """0.82 ×, 1.05 ×, 27 ×."""
    if value is None:
        return "–"
    return f"{value:.2f} ×" if 0.1 <= value < 10 else f"{number(value, 2)} ×"


def percent(share):
    """Writes a relative change: 0.051 → +5.1 %."""
    return f"{share * 100:+.1f} %".replace("-", "−")


def exact(value):
    """Writes an exact counter as a whole number, or a mean with one decimal."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def operation(name):
    """Writes a row's operation with its size in units: upload/102400 → upload 100 KiB."""
    return re.sub(r"/(\d+)$", lambda match: f" {size(int(match[1]))}", name)
