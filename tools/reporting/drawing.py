"""Draws charts and tinted tables with matplotlib; turns drawings into SVG for the page.

The same results give the same bytes: pictures have no date and their ids are fixed. SVG keeps text
as text in the page's font, and takes ink and colours from the page (palette.py).
"""

import io
import math
import re
from html import escape

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from . import units
from .blocks import BarPanel
from .palette import COLD, GRID, HOT, INK, PAPER, VARIABLES, colour, marker

matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "rpycbench", "font.size": 9, "text.color": INK,
    "axes.labelcolor": INK, "axes.edgecolor": GRID, "xtick.color": GRID, "ytick.color": GRID,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.titlesize": 10,
    "axes.titlelocation": "left", "axes.titley": 1.0, "axes.titleweight": "bold",
    "axes.spines.top": False, "axes.spines.right": False, "grid.color": GRID,
    "grid.linewidth": 0.6, "axes.axisbelow": True,
    "lines.linewidth": 1.6, "lines.markersize": 4, "figure.dpi": 100})

READ = {"micros": units.micros, "bytes": units.size, "count": units.number, "rate": units.rate}
PANEL = (3.6, 2.7)  # width and height in inches, as all sizes below
BAR_WIDTH, BAR_HEIGHT, BAR_FRAME = 4.4, 0.21, 0.55


def limits(values):
    """Returns a logarithmic axis's limits: a factor of 3 or more, so that noise looks small."""
    low, high = min(values), max(values)
    if high < 3 * low:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(3), middle * math.sqrt(3)
    margin = (high / low) ** 0.06
    return low / margin, high * margin


def spaced(values, share=0.13):
    """Returns the values that can be labelled on a logarithmic axis without touching.

    `share` is the space that a label takes, as a share of the axis.
    """
    values = sorted(set(values))
    step = share * math.log(values[-1] / values[0]) if len(values) > 1 else 0
    kept = values[:1]
    for value in values[1:]:
        if math.log(value / kept[-1]) >= step:
            kept.append(value)
    return kept


def set_title(axes, title):
    """Sets a title; a long one is smaller, so that it does not reach into the next panel."""
    axes.set_title(title, fontsize=min(10, 340 / max(1, len(title))))


def scale_y(axes, values, read):
    """Makes the y axis logarithmic, with limits that fit the values; `read` writes its ticks."""
    axes.set_yscale("log")
    low, high = limits(values)
    axes.set_ylim(low, high)
    decades = math.log10(high / low)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else
                                            (1, 3) if decades < 3 else (1,), numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: read(y)))


def draw_lines(axes, panel, chart):
    """Draws the lines of a panel, with the axes of its chart."""
    points = [point for each in chart.scale or chart.panels for series in each.series
              for point in series.points]
    for series in panel.series:
        xs, ys = zip(*series.points)
        is_floor = series.key == "floor"
        axes.plot(xs, ys, color=colour(series.key, chart.keys),
                  marker=marker(series.key, chart.keys) if series.marked else "",
                  linestyle="" if not series.joined else "--" if series.dashed else "-", zorder=1 if is_floor else 2,
                  linewidth=2.4 if is_floor else 1.6, alpha=0.6 if is_floor else 1.0)
    set_title(axes, panel.title)
    scale_y(axes, [y for _, y in points], READ[chart.y.ticks])
    axes.set_ylabel(chart.y.label)
    if chart.x.names:
        axes.set_xlim(-0.2, len(chart.x.names) - 0.8)
        axes.set_xticks(range(len(chart.x.names)), chart.x.names)
    else:
        axes.set_xscale("log")
        axes.set_xlim(*limits([x for x, _ in points]))
        axes.xaxis.set_major_locator(FixedLocator(spaced([x for x, _ in points])))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: READ[chart.x.ticks](x)))
        axes.set_xlabel(chart.x.label)
    axes.grid(True)
    axes.tick_params(length=0)


def draw_bars(axes, panel, chart):
    """Draws the stacked bars of a panel."""
    for at, bar in enumerate(panel.bars):
        left = 0.0
        for key, share in bar.shares.items():
            axes.barh(at, share, 0.72, left=left, color=colour(key, chart.keys), linewidth=0)
            if share >= 0.1:
                axes.text(left + share / 2, at, f"{share * 100:.0f}", ha="center", va="center",
                          fontsize=7.5, color=PAPER, weight="bold")
            left += share
        axes.text(1.02, at, bar.note, va="center", fontsize=8)
    set_title(axes, panel.title)
    axes.set_yticks(range(len(panel.bars)), [bar.label for bar in panel.bars], fontsize=8)
    axes.set_ylim(len(panel.bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.28)
    axes.set_xticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)


def draw_panel(axes, panel, chart):
    (draw_bars if isinstance(panel, BarPanel) else draw_lines)(axes, panel, chart)


def panel_figure(panel, chart):
    """Returns a figure of one panel, for SVG; fixed margins make panels line up."""
    if isinstance(panel, BarPanel):
        height = BAR_FRAME + BAR_HEIGHT * len(panel.bars)
        figure = Figure((BAR_WIDTH, height))
        axes = figure.add_axes((0.41, 0.1 / height, 0.59, (height - BAR_FRAME + 0.1) / height))
    else:
        figure = Figure(PANEL)
        axes = figure.add_axes((0.19, 0.17, 0.78, 0.72))
    draw_panel(axes, panel, chart)
    return figure


def svg(figure, prefix, label, tips=()):
    """Returns the figure as an SVG element whose ids begin with `prefix`, unique in the page.

    `label` describes it to screen readers. What has the id "tip-0" gets the first of `tips` as its
    tooltip, and so on.
    """
    output = io.StringIO()
    figure.savefig(output, format="svg", transparent=True,
                   metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = output.getvalue()
    text = text[text.index("<svg"):]
    for pattern, replacement in (
            (r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>|<defs>\s*</defs>", ""),
            (r' xmlns(:\w+)?="[^"]*"', ""), (r"xlink:href", "href"),
            (r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{label}">'),
            (r'id="(text|patch|line2d|axes|figure|xtick|ytick|matplotlib\.axis)_\d+"', ""),
            (r'id="', f'id="{prefix}-'), (r"url\(#", f"url(#{prefix}-"),
            (r'href="#', f'href="#{prefix}-'),
            (r"font: (?:(?:bold|700) )([\d.]+)px [^;\"]*", r"font-weight: 700; font-size: \1px"),
            (r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px"), (r"\s*\n\s*", "\n")):
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    for light, variable in VARIABLES.items():
        text = text.replace(light, variable)
    text = re.sub(rf'<g id="{prefix}-tip-(\d+)">',
                  lambda found: f"<g><title>{escape(tips[int(found[1])])}</title>", text)
    return text.strip()


def handles(chart):
    """Returns the entries of the legend."""
    bars = isinstance(chart.panels[0], BarPanel)
    keys = chart.keys
    return [Patch(color=colour(key, keys), label=key) if bars else
            Line2D([], [], color=colour(key, keys), marker=marker(key, keys), label=key)
            for key in keys]


def chart_figure(chart):
    """Returns all panels and the legend in one figure, for PNG."""
    count = len(chart.panels)
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    if isinstance(chart.panels[0], BarPanel):
        height = BAR_FRAME + BAR_HEIGHT * max(len(panel.bars) for panel in chart.panels)
        size = (BAR_WIDTH * columns, height * rows)
    else:
        size = (PANEL[0] * columns, PANEL[1] * rows)
    figure = Figure((size[0], size[1] + 0.9), layout="constrained")
    for at, panel in enumerate(chart.panels, 1):
        draw_panel(figure.add_subplot(rows, columns, at), panel, chart)
    figure.suptitle(chart.title, x=0.01, ha="left", weight="bold", fontsize=12)
    figure.legend(handles=handles(chart), loc="lower left",
                  ncol=len(chart.keys), frameon=False)
    figure.get_layout_engine().set(rect=(0, 0.35 / figure.get_figheight(), 1,
                                         1 - 0.35 / figure.get_figheight()))
    return figure


def mixed(base, share):
    """Mixes `share` of the base colour with white."""
    return tuple(1 - share * (1 - value) for value in matplotlib.colors.to_rgb(base))


def table_figure(table):
    """Returns a tinted table as a figure, for PNG."""
    first = max(len(row[0].text) for row in table.rows) * 0.075 + 0.2
    widths = [max(0.62, 0.075 * max(len(row[at].text) for row in table.rows) + 0.12)
              for at in range(1, len(table.head))]
    start = table.groups[0][1] - 1 if table.groups else 0  # the first group has no name
    at = start
    for name, columns in table.groups[1:]:  # widen the group until its name fits
        lacking = 0.08 * len(name) + 0.1 - sum(widths[at:at + columns])
        widths[at + columns - 1] += max(0, lacking)
        at += columns
    upright = all(0.085 * len(name) < width for name, width in zip(table.head[1:], widths))
    lengths = 0.25 if upright else max(len(name) for name in table.head[1:]) * 0.075 + 0.2
    height, left = 0.24, [first + sum(widths[:at]) for at in range(len(widths))]
    top = lengths + (0.3 if table.groups else 0) + 0.4
    size = (first + sum(widths) + 0.5, top + height * len(table.rows) + 0.1)
    figure = Figure(size)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, size[0]), ylim=(size[1], 0))
    axes.axis("off")
    axes.text(0.1, 0.22, table.title, weight="bold", fontsize=12, va="center")
    at = start
    for name, columns in table.groups[1:]:
        axes.text(left[at] + 0.03, 0.55, name, weight="bold", fontsize=8, va="center")
        axes.plot([left[at]] * 2, [0.45, size[1] - 0.1], color=GRID, linewidth=0.8)
        at += columns
    for x, width, name in zip(left, widths, table.head[1:]):
        axes.text(x + (width - 0.06 if upright else width / 2), top - 0.05, name, fontsize=8,
                  rotation=0 if upright else 90, ha="right" if upright else "center", va="bottom")
    for line, row in enumerate(table.rows):
        y = top + height * (line + 0.5)
        axes.text(0.1, y, row[0].text, va="center")
        for x, width, cell in zip(left, widths, row[1:]):
            if cell.heat:
                axes.barh(y, width, height, left=x, linewidth=0, color=mixed(
                    HOT if cell.heat > 0 else COLD, 0.1 + 0.6 * abs(cell.heat)))
            axes.text(x + width - 0.06, y, cell.text, ha="right", va="center", fontsize=8)
    return figure
