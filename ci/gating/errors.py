"""What ends a gate without a verdict, each with one line that says what and where."""


class GateError(Exception):
    """A tool, a build, a benchmark or an input is broken: exit status 2."""


class Unfit(Exception):
    """What was to be compared was not measured in one place and kind: exit status 4."""
