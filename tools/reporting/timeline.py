"""Draws a curve over the seconds of a run, and below it when its rows were measured.

Readers of the page see the names of a span's rows as its tooltip.
"""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from . import units
from .drawing import scale_y
from .palette import INK, LIGHT

CURVE, LIMIT, LOOPS, PAIRS = LIGHT[0], INK, LIGHT[1], LIGHT[2]
LEGEND = (("ping of the probe", CURVE, "━"), ("quiet up to here", LIMIT, "╌"),
          ("loops of rows", LOOPS, "■"), ("pairs of rows", PAIRS, "■"))
WIDTH, CURVE_HEIGHT, LANE_HEIGHT = 8.6, 1.7, 0.2  # inches, as all sizes below
LEFT, RIGHT, ABOVE, BELOW = 1.5, 0.1, 0.1, 0.5


def tipped(artist, tips, text):
    """Gives the artist an id by which drawing.svg finds its tooltip."""
    artist.set_gid(f"tip-{len(tips)}")
    tips.append(text)


def draw_curve(axes, timeline, tips):
    """Draws the steps of the curve, with its gaps, and the limit."""
    edges = [at * timeline.step for at in range(len(timeline.values) + 1)]
    values = [float("nan") if value is None else value for value in timeline.values]
    # Its ends project, so that a value between two gaps can be seen.
    tipped(axes.stairs(values, edges, baseline=None, color=CURVE, linewidth=1.2,
                       capstyle="projecting"), tips, timeline.curve_text)
    tipped(axes.axhline(timeline.limit, color=LIMIT, linewidth=1, linestyle="--"), tips,
           timeline.limit_text)
    scale_y(axes, [timeline.limit, *filter(None, timeline.values)], units.micros)
    axes.tick_params(length=0, labelbottom=False)


def draw_lanes(axes, timeline, tips):
    """Draws one lane below the other: its loops above its pairs."""
    for at, lane in enumerate(timeline.lanes):
        for spans, top, colour in ((lane.loops, at - 0.4, LOOPS), (lane.pairs, at, PAIRS)):
            for span in spans:
                # The line makes a short span visible.
                tipped(axes.add_patch(Rectangle(
                    (span.begin, top), span.end - span.begin, 0.4, color=colour, linewidth=0.4,
                    clip_on=False)), tips, "\n".join(span.names))
    axes.set_ylim(max(1, len(timeline.lanes)) - 0.4, -0.6)
    axes.set_yticks(range(len(timeline.lanes)), [lane.label for lane in timeline.lanes],
                    fontsize=8, parse_math=False)
    axes.set_xlabel("seconds of the run")
    axes.tick_params(length=0)


def timeline_figure(timeline, with_legend=False):
    """Returns the drawing, and the texts of its tooltips in the order of their ids.

    The legend and the title are for PNG; the page has its own.
    """
    lanes = LANE_HEIGHT * max(1, len(timeline.lanes)) + 0.05
    top = ABOVE + (0.6 if with_legend else 0)
    height = BELOW + lanes + CURVE_HEIGHT + top
    figure, tips = Figure((WIDTH, height)), []
    share = (WIDTH - LEFT - RIGHT) / WIDTH
    below = figure.add_axes((LEFT / WIDTH, BELOW / height, share, lanes / height))
    above = figure.add_axes((LEFT / WIDTH, (BELOW + lanes) / height, share, CURVE_HEIGHT / height),
                            sharex=below)
    draw_curve(above, timeline, tips)
    draw_lanes(below, timeline, tips)
    times = [time for lane in timeline.lanes for span in lane.loops + lane.pairs
             for time in (span.begin, span.end)]
    above.set_xlim(min([0, *times]), max([len(timeline.values) * timeline.step, *times]))
    for axes in (above, below):
        axes.grid(True, axis="x")
    above.grid(True, axis="y")
    if with_legend:
        figure.suptitle(timeline.title, x=0.01, y=1 - 0.05 / height, ha="left", va="top",
                        weight="bold", fontsize=12)
        figure.legend(handles=[
            Patch(color=colour, label=text) if glyph == "■" else
            Line2D([], [], color=colour, linestyle="-" if glyph == "━" else "--", label=text)
            for text, colour, glyph in LEGEND], loc="upper right", ncol=len(LEGEND),
            frameon=False, fontsize=8, bbox_to_anchor=(1, 1 - 0.3 / height))
    return figure, tips
