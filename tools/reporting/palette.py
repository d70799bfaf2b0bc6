"""Defines colours from Okabe and Ito's palette for colour-blind readers, for light and dark pages.

A key (a concurrency model, a part of a call) always has the same colour and marker. Any other key
gets those of its place among the chart's keys. SVG refers to the page's CSS variables, so that the
page's colour scheme decides.
"""

from common import description

INK, PAPER, GRID, FLOOR = "#1f2328", "#fefefe", "#d4d8dd", "#868d96"
HOT, COLD = "#d55e00", "#0072b2"  # costs more, costs less
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#c2619a", "#b57a00", "#3a9bd9")
DARK = ("#5cb3f0", "#ff9a4d", "#3fcf9f", "#eb9dcb", "#f2bd3f", "#a5d8ff")
MARKERS = ("o", "s", "^", "D", "v", "P")
GLYPHS = ("●", "■", "▲", "◆", "▼", "✚")
KEYS = {**{model: index for index, model in enumerate(description.own().models)},
        "protocol": 0, "interpreter (server)": 1, "interpreter (client)": 2, "not explained": 3}


def place(key, keys):
    """Returns the index of the key's colour in a chart with these keys."""
    return (KEYS[key] if key in KEYS else keys.index(key)) % len(LIGHT)


def colour(key, keys):
    return FLOOR if key == "floor" else LIGHT[place(key, keys)]


def marker(key, keys):
    return "" if key == "floor" else MARKERS[place(key, keys)]


def glyph(key, keys):
    return "━" if key == "floor" else GLYPHS[place(key, keys)]


def variable(key, keys):
    return "var(--floor)" if key == "floor" else f"var(--c{place(key, keys)})"


VARIABLES = {INK: "currentColor", PAPER: "var(--paper)", GRID: "var(--grid)", FLOOR: "var(--floor)",
             **{light: f"var(--c{index})" for index, light in enumerate(LIGHT)}}


def declarations(colours, grid, floor):
    """Returns the CSS that sets the variables."""
    named = "".join(f"--c{index}:{value};" for index, value in enumerate(colours))
    return f"{named}--grid:{grid};--floor:{floor};"
