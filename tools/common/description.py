"""Describes the suite's types, modes, counters and floor, as `bench_all --describe` prints them.

A result file carries the description of the program that wrote it. description.json describes this
revision: for files without a description (version 0.1.0), and for tools that read no result.
`bench/tests/golden_test.py --write` writes it.
"""

import fnmatch
import functools
import json
import pathlib
import re


class Description:
    """Answers questions about one description.

    A family is the first part of a mode's name: rpyc for the native server of a protocol, pyrpyc or
    flask for a Python original of it.
    """

    def __init__(self, document):
        self.types = {kind["name"]: kind for kind in document["types"]}
        self.modes = {mode["name"]: mode for mode in document["modes"]}
        self.counters = {counter["name"]: counter for counter in document["counters"]}
        self.families = tuple(dict.fromkeys(mode["family"] for mode in self.modes.values()))
        self.models = tuple(dict.fromkeys(mode["model"] for mode in self.modes.values()))
        self.native_models = tuple(dict.fromkeys(
            mode["model"] for mode in self.modes.values() if not mode["python"]))
        self.rates = self._types_that("is_rate")
        self.with_calls = self._types_that("has_calls")
        self.with_tail = self._types_that("has_tail")
        self.doubts = {kind["name"]: f"{kind['meaning']}; {kind['remedy']}"
                       for kind in document.get("doubts", [])}
        self._environment = tuple(document.get("environment", ()))
        self.floor_mode = document["floor"]["mode"]
        self._substitutes = document["floor"]["substitutes"]
        self._mode = re.compile(rf"({'|'.join(self.families)})_[a-z0-9_]+$")

    def _types_that(self, fact):
        return tuple(name for name, kind in self.types.items() if kind[fact])

    def is_recorded(self, variable):
        """Returns whether the context of a run has this environment variable if it is set."""
        return any(fnmatch.fnmatchcase(variable, pattern) for pattern in self._environment)

    def is_mode(self, name):
        """Returns whether this can be the name of a mode, even of one that is not listed."""
        return bool(self._mode.match(name))

    @functools.cached_property
    def protocol_of(self):
        """The protocol of each family, {family: protocol}."""
        return {mode["family"]: mode["protocol"] for mode in self.modes.values()}

    @functools.cached_property
    def python_of(self):
        """The family of each protocol's Python original, {protocol: family}."""
        return {mode["protocol"]: mode["family"] for mode in self.modes.values() if mode["python"]}

    def order(self, mode):
        """Returns a key that sorts modes by family, then model; unknown modes come last."""
        family, _, model = mode.partition("_")
        return tuple(known.index(part) if part in known else len(known) for known, part in (
            (self.families, family), (self.models, model))) + (mode,)

    def at_the_floor(self, operation):
        """Returns what the floor does in place of an operation that only a protocol has."""
        for pattern, instead in self._substitutes:
            if match := re.search(pattern, operation):
                group = match[1] if match.re.groups else ""
                return instead.replace("{1}", group) + operation[match.end():]
        return operation

    def counters_better(self, direction):
        """Returns the names of the counters where `direction` ("lower" or "higher") is better.

        None asks for the counters where neither is.
        """
        return frozenset(name for name, counter in self.counters.items()
                         if counter["better"] == direction)


@functools.cache
def own():
    """Returns the description of this revision."""
    path = pathlib.Path(__file__).with_name("description.json")
    return Description(json.loads(path.read_text(encoding="utf-8")))


def of(report):
    """Returns the description of the program that wrote this result file."""
    document = report["context"].get("description")
    return Description(document) if document else own()
