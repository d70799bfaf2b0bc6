"""Defines the errors that end a gate without a verdict; each is one line, with the operation."""


class GateError(Exception):
    """Says that a tool, a build, a benchmark or an input is broken: exit status 2."""


class Unfit(Exception):
    """Says that the results were not measured on the same machine: exit status 4."""
