"""Writes a summary of the report in Markdown.

It has the matrix, calls across a link if there are any, doubts and failures, and what changed.
"""

from common.escaping import escaped

from .blocks import Table, Text
from .sections import changes, environment, link, matrix

IN_SUMMARY = (changes.ID, matrix.ID, link.ID, environment.ID)


def table_markdown(table):
    """Returns a table in Markdown."""
    groups = [name for name, columns in table.groups for _ in range(columns)]
    head = [" ".join(filter(None, pair)) for pair in zip(groups, table.head)] if groups \
        else table.head
    rows = [head, ["--" if at == 0 or at in table.words else "--:" for at in range(len(head))],
            *([cell.text for cell in row] for row in table.rows)]
    return "\n".join("| " + " | ".join(map(escaped, row)) + " |" for row in rows)


def visible(blocks):
    """Yields texts and tables, without what is folded."""
    for block in blocks:
        if isinstance(block, Table):
            yield table_markdown(block)
        elif isinstance(block, Text):
            yield block.text


def markdown(results, sections):
    """Returns the whole summary."""
    parts = ["# rpycbench: " + ", ".join(escaped(result.title) for result in results)]
    for section in sections:
        if section.id not in IN_SUMMARY or section.id == link.ID and section.is_empty:
            continue
        parts += [f"## {section.title}", section.lead]
        for title, blocks in section.parts:
            parts += [f"### {escaped(title)}"] if title else []
            parts += visible(blocks)
    return "\n\n".join(parts)
