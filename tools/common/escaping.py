"""Escapes texts of results for Markdown, HTML included, because summaries are posted elsewhere."""

import html


def escaped(text):
    """Returns the text as it may stand in a title, a sentence or the cell of a table."""
    return html.escape(str(text), quote=False).replace("|", "\\|")
