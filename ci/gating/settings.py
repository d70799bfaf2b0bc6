"""Reads the gate's configuration, a TOML file (ci/gate.toml is the default), and applies it to rows."""

import os
import re
import tomllib
from dataclasses import dataclass, fields, replace
from typing import ClassVar

from common import description

from .errors import GateError

LOWER_IS_BETTER = description.own().counters_better("lower")
HIGHER_IS_BETTER = description.own().counters_better("higher")


@dataclass(frozen=True)
class TimingRule:
    """Selects rows of the timing tier and says how far a statistic may move. Shares: 0.05 is 5 %."""
    rows: str  # regular expression, searched in a row's name
    statistic: str = "p10_us"  # a counter of which less or more is better
    tolerated: float = 0.02  # up to this change, an alarm has at most the probability false_alarms
    caught: float = 0.05  # from this change on, a pass has at most the probability missed
    of_slots: str = "best"  # a side's figure of a block: its "best" slot, or the "mean" of all

    @property
    def higher_is_better(self):
        return self.statistic in HIGHER_IS_BETTER


@dataclass(frozen=True)
class StoredRule:
    """Selects rows of two stored results and says how far their ratio to the probe may move. Shares: 0.05 is 5 %."""
    rows: str  # regular expression, searched in a row's name
    tolerated: float = 0.02  # what two runs of one build may differ by though their repetitions do not show it
    limit: float = 0.05  # from this change on, a pass has at most the probability missed
    statistic: ClassVar[str] = "probe_ratio"  # the cost of a call, also of rows about a rate: less is better


OF_SLOTS = ("best", "mean")
DIALECTS = ("5", "6")
OLD_DIALECT = "5"  # default dialect of builds whose context names none


@dataclass(frozen=True)
class Settings:
    """The gate's configuration; the keys of the TOML file have the same names."""
    preset: str = "default"
    timing: tuple = ()  # TimingRules; if several match a row, the last one for each statistic counts
    without_timing: str = ""  # rows that no timing rule applies to
    exact: str = ""  # rows of the exact tier; none if empty
    without_ledger: str = ""  # rows where only what goes over the wire is exact
    instructions: tuple = ()  # names of rows whose instructions are counted as well
    instructions_tolerated: float = 0.01
    acknowledged: str = ""  # file of intended changes; a relative path starts at the configuration's folder
    control: str = "Latency/tcp_threaded/ping/real_time"
    flags: tuple = ()  # flags of bench_all for both sides, such as ("--payload=text",)
    false_alarms: float = 0.001  # probability for a whole gate
    missed: float = 0.05  # probability for each row
    max_blocks: int = 48
    slots: int = 6  # slots of each build in a block
    slot_seconds: float = 0.005  # measured time of a slot that the framework is asked for
    timing_seconds: float = 240.0
    exact_seconds: float = 120.0
    stored: tuple = ()  # StoredRules; if several match a row, the last one counts
    stored_tolerated: float = StoredRule.tolerated  # of rows without a StoredRule, and of all native rows together
    stored_limit: float = StoredRule.limit  # likewise
    stored_false_alarms: float = 0.01  # probability for the rows of two stored results, apart from all together
    min_repetitions: int = 9  # in stored results

    def bench_flags(self):
        """Returns the flags of bench_all for both sides, except those that a tier chooses."""
        return [f"--preset={self.preset}", *self.flags]

    def pinned(self, context):
        """Returns these settings with RPyC's dialect in `flags`: their own, or else that of a build's context.

        Otherwise each side would speak its own default, which changed after 0.1.0.
        """
        if any(flag.startswith("--dialect") for flag in self.flags):
            return self
        dialect = context.get("dialect")
        return replace(self, flags=(*self.flags, f"--dialect={dialect if dialect in DIALECTS else OLD_DIALECT}"))

    def rules_of(self, row):
        """Returns the row's TimingRules, one for each statistic, in the order of the configuration."""
        if self.leaves_out(row):
            return []
        return list({rule.statistic: rule for rule in self.timing if re.search(rule.rows, row)}.values())

    def stored_rule(self, row=""):
        """Returns the StoredRule of the row, or of all native rows together if none is given."""
        own = [rule for rule in self.stored if row and re.search(rule.rows, row)]
        return own[-1] if own else StoredRule("", self.stored_tolerated, self.stored_limit)

    def leaves_out(self, row):
        return bool(self.without_timing) and re.search(self.without_timing, row) is not None

    def is_exact(self, row):
        return bool(self.exact) and re.search(self.exact, row) is not None

    def idle_stored_rules(self, rows):
        """Returns a note about each part of the configuration that applies to none of the rows of stored results.

        Results may well lack rows that the configuration is also for.
        """
        notes = [f"[[stored]] rows = {rule.rows!r} matches no row" for rule in self.stored
                 if not any(self.stored_rule(row) is rule for row in rows)]
        if self.exact and not any(map(self.is_exact, rows)):
            notes.append(f"exact = {self.exact!r} matches no row: no exact figure was compared")
        return notes

    def check_rows(self, rows):
        """Raises GateError if a part of the configuration applies to none of `rows`, all that the builds have.

        A rule that judges nothing would let everything pass.
        """
        for number, rule in enumerate(self.timing, 1):
            if not any(rule is judged for row in rows for judged in self.rules_of(row)):
                matching = [row for row in rows if re.search(rule.rows, row)]
                raise GateError(f"[[timing]] number {number}: rows = {rule.rows!r} " +
                                ("matches no row" if not matching else
                                 f"is without effect: later rules for {rule.statistic}, or without_timing, apply "
                                 f"to all its rows, like {matching[0]}"))
        exact_rows = [row for row in rows if self.is_exact(row)]
        timed_rows = [row for row in rows if any(re.search(rule.rows, row) for rule in self.timing)]
        for key, pattern, among in (("exact", self.exact, rows), ("without_ledger", self.without_ledger, exact_rows),
                                    ("without_timing", self.without_timing, timed_rows)):
            if pattern and not any(re.search(pattern, row) for row in among):
                raise GateError(f"{key} = {pattern!r} matches no row" +
                                ("" if among is rows else " that it could exclude"))
        for key, names in (("instructions", self.instructions), ("control", (self.control,))):
            for name in names:
                if name not in rows:
                    raise GateError(f"{key}: there is no row {name!r}")
                if key == "instructions" and name not in exact_rows:
                    raise GateError(f"{key}: {name} is not a row of the exact tier (exact = {self.exact!r})")


_LISTS = {"instructions", "flags"}
_PATTERNS = {"rows", "exact", "without_ledger", "without_timing"}
_SHARES = {"tolerated", "caught", "limit", "instructions_tolerated", "false_alarms", "missed", "stored_tolerated",
           "stored_limit", "stored_false_alarms"}


def _checked(cls, table, where):
    """Returns the table's values, checked for the type and range of their fields. Raises GateError."""
    known = {item.name: str if item.name == "rows" else type(item.default) for item in fields(cls)}
    for key, value in table.items():
        if key not in known:
            raise GateError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}")
        if key in _LISTS:
            good = isinstance(value, list) and all(isinstance(item, str) for item in value)
            wanted = "a list of texts"
        elif known[key] is str:
            good, wanted = isinstance(value, str), "a text"
        elif known[key] is int:
            good, wanted = type(value) is int and value > 0, "a whole number above 0"
        else:
            good = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
            good = good and value < (1 if key in _SHARES else float("inf"))
            wanted = "a share between 0 and 1" if key in _SHARES else "a number above 0"
        if not good:
            raise GateError(f"{where}: {key} is {value!r} and must be {wanted}")
        if key in _PATTERNS:
            try:
                re.compile(value)
            except re.error as error:
                raise GateError(f"{where}: {key}: {value!r} is not a regular expression: {error}") from error
    return {key: tuple(value) if key in _LISTS else value for key, value in table.items()}


def _rules(cls, tables, name, path):
    """Returns (where, rule) of each of these tables. Raises GateError."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise GateError(f"{path}: {name} must be written as [[{name}]] tables")
    found = []
    for number, table in enumerate(tables, 1):
        where = f"{path}: [[{name}]] number {number}"
        values = _checked(cls, table, where)
        if "rows" not in values:
            raise GateError(f"{where}: lacks rows")
        found.append((where, cls(**values)))
    return found


def load(path):
    """Returns the settings in a file. Raises GateError with the file's name and what is wrong in it."""
    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GateError(f"{path}: not TOML: {error}") from error
    timing = _rules(TimingRule, document.pop("timing", []), "timing", path)
    for where, rule in timing:
        if rule.statistic not in LOWER_IS_BETTER | HIGHER_IS_BETTER:
            raise GateError(f"{where}: statistic = {rule.statistic!r} cannot be judged; use one of "
                            f"{', '.join(sorted(LOWER_IS_BETTER | HIGHER_IS_BETTER))}")
        if rule.of_slots not in OF_SLOTS:
            raise GateError(f"{where}: of_slots is {rule.of_slots!r} and must be {' or '.join(map(repr, OF_SLOTS))}")
        if rule.tolerated >= rule.caught:
            raise GateError(f"{where}: tolerated ({rule.tolerated}) must be below caught ({rule.caught})")
    stored = _rules(StoredRule, document.pop("stored", []), "stored", path)
    values = _checked(Settings, document, path)
    if values.get("acknowledged"):
        values["acknowledged"] = os.path.join(os.path.dirname(path), values["acknowledged"])
    settings = Settings(timing=tuple(rule for _, rule in timing), stored=tuple(rule for _, rule in stored), **values)
    for where, rule in [*stored, (path, settings.stored_rule())]:
        if (1 + rule.tolerated) ** 2 >= 1 + rule.limit:  # otherwise a change between them would never be decided
            raise GateError(f"{where}: what is tolerated ({rule.tolerated}) must be below half of the limit "
                            f"({rule.limit})")
    return settings
