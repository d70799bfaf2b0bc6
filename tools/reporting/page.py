"""Renders the report as one HTML document: no script, no network, the reader's colour scheme."""

import pathlib
import re
import string
from html import escape

from .blocks import BarPanel, Chart, Folded, Table, Text, Timeline
from .drawing import panel_figure, svg
from .palette import DARK, FLOOR, GRID, LIGHT, VARIABLES, declarations, glyph, variable
from .timeline import LEGEND, timeline_figure

FOLDER = pathlib.Path(__file__).resolve().parent
DARK_GRID, DARK_FLOOR = "#353b43", "#8b949e"


def attribute(name, value):
    """Returns an HTML attribute, or nothing if its value is empty."""
    return f' {name}="{escape(str(value))}"' if value else ""


def breakable(name):
    """Returns a row's name as HTML that may break after a slash on a narrow screen."""
    return escape(name).replace("/", "/<wbr>")


def cell_html(cell, is_words):
    """Returns a cell as HTML; `is_words` aligns it as text."""
    classes = " ".join(filter(None, (cell.mark, "words" if is_words else "",
                                     "cold" if cell.heat < 0 else "")))
    style = f"--heat:{8 + 47 * abs(cell.heat):.0f}" if cell.heat else ""
    return (f'<td{attribute("class", classes)}{attribute("style", style)}'
            f'{attribute("title", cell.title)}>{escape(cell.text)}</td>')


def table_html(table):
    """Returns a table as HTML that scrolls by itself."""
    groups = "".join(f'<th colspan="{columns}">{escape(name)}</th>'
                     for name, columns in table.groups if columns)
    head = "".join(f'<th scope="col"{attribute("class", "words" if at in table.words else "")}>'
                   f'{escape(name)}</th>' for at, name in enumerate(table.head))
    body = "\n".join(f'<tr><th scope="row">{breakable(row[0].text)}</th>' + "".join(
        cell_html(cell, at in table.words) for at, cell in enumerate(row[1:], 1)) + "</tr>"
        for row in table.rows)
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    return (f'{title}<div class="scroll" tabindex="0"><table><thead>'
            + (f'<tr class="groups">{groups}</tr>' if groups else "")
            + f"<tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>")


def id_prefix(prefix, slug):
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{prefix}-{slug}")


def figure_html(title, legend, content):
    """Returns a figure with its title and its legend of (text, CSS colour, glyph)."""
    entries = "".join(f'<li><span style="color:{colour}">{sign}</span> {escape(text)}</li>'
                      for text, colour, sign in legend)
    return (f"<figure><figcaption>{escape(title)}</figcaption>"
            f'<ul class="legend">{entries}</ul>{content}</figure>')


def chart_html(chart, prefix):
    """Returns a chart as a figure with its legend; ids in it begin with `prefix`."""
    name = id_prefix(prefix, chart.slug)
    panels = "\n".join(svg(panel_figure(panel, chart), f"{name}-{at}",
                           escape(f"{chart.title}: {panel.title}"))
                       for at, panel in enumerate(chart.panels))
    kind = "panels bars" if isinstance(chart.panels[0], BarPanel) else "panels"
    return figure_html(chart.title, [(key, variable(key, chart.keys), glyph(key, chart.keys))
                                     for key in chart.keys], f'<div class="{kind}">{panels}</div>')


def timeline_html(timeline, prefix):
    """Returns a timeline as a figure that scrolls by itself."""
    figure, tips = timeline_figure(timeline)
    drawn = svg(figure, id_prefix(prefix, timeline.slug), escape(timeline.title), tips)
    return figure_html(timeline.title, [(text, VARIABLES[colour], sign)
                                        for text, colour, sign in LEGEND],
                       f'<div class="scroll timeline" tabindex="0">{drawn}</div>')


def block_html(block, prefix):
    """Returns a block as HTML; ids in it begin with `prefix`."""
    if isinstance(block, Table):
        return table_html(block)
    if isinstance(block, Chart):
        return chart_html(block, prefix)
    if isinstance(block, Timeline):
        return timeline_html(block, prefix)
    if isinstance(block, Text):
        return f"<p>{escape(block.text)}</p>"
    assert isinstance(block, Folded)
    inner = "\n".join(block_html(each, prefix) for each in block.blocks)
    return f"<details><summary>{escape(block.summary)}</summary>\n{inner}\n</details>"


def section_html(section):
    """Returns a section as HTML, with one part for each result."""
    parts = []
    for at, (title, blocks) in enumerate(section.parts):
        heading = f'<p class="result">{escape(title)}</p>' if title else ""
        parts.append(f"<div>{heading}" + "\n".join(
            block_html(block, f"{section.id}-{at}") for block in blocks) + "</div>")
    several = " several" if len(section.parts) > 1 else ""
    return (f'<section id="{section.id}"><h2>{escape(section.title)}</h2>\n'
            f'<p class="lead">{escape(section.lead)}</p>\n'
            f'<div class="results{several}">{"".join(parts)}</div></section>')


def summary_html(result, several):
    """Returns the lines of facts and counts about a result; its title only if there are several."""
    facts = [result.context.get(key) for key in
             ("host_name", "cpu_model", "kernel", "date", "preset", "git_revision")]
    doubtful = sum(bool(row.doubts) for row in result.rows)
    counts = f"{len(result.rows)} rows, {doubtful} with doubts, {len(result.failed)} failed"
    title = f"<b>{escape(result.title)}</b>: " if several else ""
    return (f'<p class="facts">{title}{escape(" · ".join(str(fact) for fact in facts if fact))}'
            f"<br>{counts}</p>")


def page(results, sections):
    """Returns the whole document."""
    names = ", ".join(result.title for result in results)
    template = string.Template((FOLDER / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"rpycbench: {names}"),
        heading="What does a remote call cost?",
        light=declarations(LIGHT, GRID, FLOOR), dark=declarations(DARK, DARK_GRID, DARK_FLOOR),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        summary="\n".join(summary_html(result, len(results) > 1) for result in results),
        navigation="".join(f'<a href="#{section.id}">{escape(section.title)}</a>'
                           for section in sections),
        sections="\n".join(map(section_html, sections)))
