"""Makes the pictures of a report as PNG."""

import io
import re

from matplotlib.backends.backend_agg import FigureCanvasAgg

from .blocks import Chart, Table, Timeline, flat
from .drawing import chart_figure, table_figure
from .timeline import timeline_figure

PNG_DPI = 160


def file_name(text):
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")


def drawn(block):
    """Returns the figure of a block and its name, or None if it gets no picture."""
    if isinstance(block, Chart):
        return chart_figure(block), block.slug
    if isinstance(block, Timeline):
        return timeline_figure(block, with_legend=True)[0], block.slug
    if isinstance(block, Table) and block.picture:
        return table_figure(block), block.picture
    return None


def pictures(sections):
    """Yields (name, PNG) for all charts, timelines and tinted tables.

    If there are several results, a result's title leads the name.
    """
    for section in sections:
        for title, blocks in section.parts:
            for figure, slug in filter(None, map(drawn, flat(blocks))):
                output = io.BytesIO()
                FigureCanvasAgg(figure)
                figure.savefig(output, format="png", dpi=PNG_DPI, facecolor="white",
                               metadata={"Software": None})
                yield file_name(f"{title}-{slug}" if title else slug), output.getvalue()
