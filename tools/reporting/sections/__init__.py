"""Lists the sections of a report in their order, one file each.

A section is a module with ID, TITLE, LEAD (how to read it) and NEEDS (shown if no row fits). Its
blocks(result) chooses what to show of one result; `changes` looks at all results. For a sweep, the
sections in EVERY_CONDITION see all rows, and the others see one row of each name.
"""

from typing import NamedTuple

from ..blocks import Text, share_scales
from . import (changes, compression, concurrency, decomposition, ends, environment, ledger, link,
               matrix, percentiles, sweep, throughput)

OF_ONE = (matrix, percentiles, throughput, concurrency, decomposition, ends, link, ledger, sweep,
          compression, environment)
EVERY_CONDITION = (sweep, compression, environment)


class Section(NamedTuple):
    id: str
    title: str
    lead: str
    parts: list  # (title of the result, or "" if it is the only one; its blocks)
    is_empty: bool = False  # no result has a row for it


def _section(module, results, several):
    """Returns the section about these results."""
    found = [(result.title if several else "", module.blocks(result)) for result in results]
    return Section(module.ID, module.TITLE, module.LEAD,
                   [(title, blocks or [Text(module.NEEDS)]) for title, blocks in found],
                   not any(blocks for _, blocks in found))


def build(results):
    """Returns all sections; one without rows has a line that says what it needs."""
    several = len(results) > 1
    first = [result.of_first_conditions() for result in results]
    sections = [_section(module, results if module in EVERY_CONDITION else first, several)
                for module in OF_ONE]
    for section in sections:
        share_scales(block for _, blocks in section.parts for block in blocks)
    if several:
        blocks = changes.blocks(results) or [Text(changes.NEEDS)]
        sections.insert(0, Section(changes.ID, changes.TITLE, changes.LEAD, [("", blocks)]))
    return sections
