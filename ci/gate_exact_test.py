"""Tests how ci/gate judges exact figures, and the dialect in which it counts and times: `gate_exact_test.py`."""

import os
import re
import unittest

from gate_test_case import ECHO, PING, QUICK, GateTest


class Exact(GateTest):
    CHANGED = {ECHO: {"more": {"server_syscalls": 3.0}}}

    def test_one_system_call_more(self):
        code, out, err = self.gate_trees(self.fake("a"), self.fake("b", self.CHANGED), "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls 2.0 → 3.0", out)
        self.assertEqual(self.document()["exact"]["changes"],
                         [{"row": ECHO, "figure": "server_syscalls", "old": 2.0, "new": 3.0, "why": ""}])

    def test_one_less_is_a_change_as_well(self):
        less = {ECHO: {"more": {"server_syscalls": 1.0}}}
        self.assertEqual(self.gate_trees(self.fake("a"), self.fake("b", less), "--tier=exact")[0], 1)

    def test_the_summary_prints_the_entry_that_acknowledges_it(self):
        base, head = self.fake("a"), self.fake("b", self.CHANGED)
        self.gate_trees(base, head, "--tier=exact")
        entry = re.search(r"```toml\n(.*?)```", (self.out / "SUMMARY.md").read_text(), re.DOTALL)[1]
        self.write("acknowledged.toml", entry)
        result = self.gate_trees(base, head, "--tier=exact")
        self.assert_broken(result, "acknowledged.toml", "number 1", "why")
        self.write("acknowledged.toml", entry.replace('why = ""', 'why = "a log of calls"'))
        self.assertEqual(self.gate_trees(base, head)[0], 0)
        summary = (self.out / "SUMMARY.md").read_text()
        self.assertIn("a log of calls", summary)
        self.assertNotIn("no longer needed", summary)
        self.assertEqual(self.gate_trees(base, self.fake("c"), "--tier=exact")[0], 0)
        self.assertIn("no longer needed", (self.out / "SUMMARY.md").read_text())
        done = self.gate_trees(base, self.fake("d"), "--tier=exact", "--rows=ping")  # the base does not know it
        self.assertEqual(done[0], 0)
        self.assertNotIn("no longer needed", (self.out / "SUMMARY.md").read_text())

    def test_an_entry_of_no_values(self):
        base = self.fake("a")
        for values in ("old = []\nnew = 1", "old = 1", "old ="):
            self.write("acknowledged.toml",
                       f'[[change]]\nrow = "x"\nfigure = "server_instructions"\n{values}\nwhy = "y"\n')
            self.assert_broken(self.gate_trees(base, base), "acknowledged.toml")

    def test_an_entry_covers_its_figures_only(self):
        self.write("acknowledged.toml", f'[[change]]\nrow = "{ECHO}"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = 4\nwhy = "two more"\n')
        result = self.gate_trees(self.fake("a"), self.fake("b", self.CHANGED), "--tier=exact")
        self.assertEqual(result[0], 1)

    def test_a_pattern_covers_several_rows(self):
        self.write("acknowledged.toml", '[[change]]\nrow = "Latency/*"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = 3\nwhy = "one more"\n')
        head = self.fake("b", {row: {"more": {"server_syscalls": 3.0}} for row in (PING, ECHO)})
        self.assertEqual(self.gate_trees(self.fake("a"), head, "--tier=exact")[0], 0)

    def test_a_figure_that_never_repeats_is_not_judged(self):
        rows = {ECHO: {"flutters": "server_syscalls"}}
        self.assertEqual(self.gate_trees(self.fake("a", rows), self.fake("b", rows), "--tier=exact")[0], 0)
        self.assertEqual(self.document()["exact"]["unsettled"], [{"row": ECHO, "figure": "server_syscalls"}])
        self.assertIn("1 did not repeat", (self.out / "SUMMARY.md").read_text())

    def test_a_figure_that_repeats_in_base_alone_became_irregular(self):
        head = self.fake("b", {ECHO: {"flutters": "server_syscalls"}})
        code, out, err = self.gate_trees(self.fake("a"), head, "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls 2.0 → irregular", out)
        self.write("acknowledged.toml", f'[[change]]\nrow = "{ECHO}"\nfigure = "server_syscalls"\n'
                   'old = 2\nnew = "irregular"\nwhy = "it retries"\n')
        self.assertEqual(self.gate_trees(self.fake("c"), head, "--tier=exact")[0], 0)

    def test_calls_that_cost_now_this_now_that(self):
        """First each call has four system calls, then four or five in turn: the mean and the regularity change."""
        head = self.fake("b", {ECHO: {"more": {"server_syscalls": 2.5, "ledger_exact": 0.0}}})
        code, out, err = self.gate_trees(self.fake("a"), head, "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls 2.0 → 2.5", out)
        self.assertIn("ledger_exact 1.0 → 0.0", out)

    def test_a_figure_that_varies_in_base_and_by_far_more_in_head(self):
        base = self.fake("a", {ECHO: {"flutters": "server_syscalls"}})  # below 2^32
        code, out, err = self.gate_trees(base, self.fake("b", {ECHO: {"more": {"server_syscalls": 2.0**40}}}),
                                         "--tier=exact")
        self.assertEqual(code, 1, err)
        self.assertIn("server_syscalls irregular → ", out)

    def test_a_ledger_that_one_side_lacks(self):
        whole = self.fake("a")
        part = self.fake("b", {ECHO: {"lacks": ["server_syscalls", "ledger_exact"]}})
        self.assert_broken(self.gate_trees(whole, part, "--tier=exact"), ECHO, "server_syscalls", "head has no")
        self.assert_broken(self.gate_trees(part, whole, "--tier=exact"), ECHO, "server_syscalls", "base has no")

    def test_a_row_that_only_one_side_has(self):
        base, head = self.fake("a"), self.fake("b", {ECHO: None})
        for first, second, entry in ((base, head, '"present"\nnew = "absent"'),
                                     (head, base, '"absent"\nnew = "present"')):
            self.write("acknowledged.toml", "")
            result = self.gate_trees(first, second)
            self.assert_broken(result, ECHO, "only one side")
            self.write("acknowledged.toml", f'[[change]]\nrow = "{ECHO}"\nfigure = "row"\nold = {entry}\n'
                       'why = "it says nothing"\n')
            self.assertEqual(self.gate_trees(first, second)[0], 0)

    def test_a_figure_that_is_gone(self):
        head = self.fake("b", {ECHO: {"lacks": ["wire_bytes_in"]}})
        self.assert_broken(self.gate_trees(self.fake("a"), head), ECHO, "wire_bytes_in", "head")


class Dialect(GateTest):
    """Tests that both builds speak one dialect of RPyC, whatever each would speak by itself."""

    def spoken(self, base, head, config=QUICK):
        """Returns the flags --dialect that the rows of both builds were measured with, in both tiers."""
        self.config = self.write("dialect.toml", config)
        log = self.folder / f"log{len(os.listdir(self.folder))}"
        trees = [self.fake(f"{side}{log.name}", context=context, log=str(log))
                 for side, context in (("base", base), ("head", head))]
        code, _, err = self.gate_trees(*trees, "--rows=ping")
        self.assertEqual(code, 0, err)
        calls = [line.split() for line in log.read_text().splitlines()]
        found = set()
        for tree in trees:
            for tier in ("--ledger=true", "--ledger=false"):
                measured = [call[1:] for call in calls if call[0] == tree.name and tier in call
                            and not any("Floor/" in flag for flag in call)]  # that call only asks for the context
                self.assertTrue(measured)
                found |= {tuple(flag for flag in call if flag.startswith("--dialect")) for call in measured}
        return found

    def test_the_head_s_is_spoken_by_both(self):
        for base, head, spoken in (("5", "6", "6"), ("6", "5", "5"), ("6", "by mode", "5")):
            with self.subTest(base=base, head=head):
                self.assertEqual(self.spoken({"dialect": base}, {"dialect": head}), {(f"--dialect={spoken}",)})

    def test_a_head_that_names_none_speaks_the_old_one(self):
        self.assertEqual(self.spoken({"dialect": "6"}, {}), {("--dialect=5",)})

    def test_the_configuration_s_wins(self):
        config = 'flags = ["--dialect=6"]\n' + QUICK
        self.assertEqual(self.spoken({"dialect": "5"}, {"dialect": "5"}, config), {("--dialect=6",)})


if __name__ == "__main__":
    unittest.main()
