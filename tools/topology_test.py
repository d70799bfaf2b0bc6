"""Tests the choice of two CPUs on machines made of files, as the kernel describes them in /sys/devices."""

import unittest

from common.topology import choose_pair
from testing.folder_test_case import FolderTestCase


class TopologyTest(FolderTestCase):
    def machine(self, cpus, efficient=""):
        """Describes a machine. `cpus` has a tuple for each: socket, core_id, siblings and perhaps its capacity."""
        if efficient:
            self.describe("cpu_atom/cpus", efficient)
        for number, (socket, core, siblings, *capacity) in enumerate(cpus):
            cpu = f"system/cpu/cpu{number}"
            self.describe(f"{cpu}/topology/physical_package_id", socket)
            self.describe(f"{cpu}/topology/core_id", core)
            self.describe(f"{cpu}/topology/thread_siblings_list", siblings)
            for value in capacity:
                self.describe(f"{cpu}/cpu_capacity", value)

    def describe(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n", encoding="ascii")

    def expect(self, client, server, cpus):
        for order in (sorted(cpus), set(cpus), sorted(cpus, reverse=True)):
            self.assertEqual((client, server), choose_pair(order, self.folder))

    def test_what_is_not_described_is_alike(self):
        self.expect(3, 2, range(4))
        self.expect(7, None, [7])

    def test_not_two_threads_of_a_core(self):
        self.machine([(0, 0, "0-1"), (0, 0, "0-1"), (0, 1, "2-3"), (0, 1, "2-3")])
        self.expect(3, 1, range(4))
        self.expect(3, 2, [2, 3])  # there is no other core

    def test_threads_that_are_numbered_apart(self):
        self.machine([(0, 0, "0,2"), (0, 1, "1,3"), (0, 0, "0,2"), (0, 1, "1,3")])
        self.expect(3, 2, range(4))
        self.expect(3, 0, [0, 1, 3])

    def test_core_numbers_repeat_on_each_socket(self):
        self.machine([(0, 0, "0"), (1, 0, "1")])
        self.expect(1, 0, range(2))
        self.machine([(0, 0, "0-1"), (0, 0, "0-1"), (1, 0, "2-3"), (1, 0, "2-3")])
        self.expect(3, 1, range(4))  # the other socket rather than the other thread

    def test_both_are_on_one_socket(self):
        # Numbered in turns, as many machines with two sockets do.
        self.machine([(0, 0, "0"), (1, 0, "1"), (0, 1, "2"), (1, 1, "3")])
        self.expect(3, 1, range(4))
        self.expect(2, 0, [0, 1, 2])  # though the first would be left alone on the last one's socket
        self.expect(2, 1, [1, 2])

    def test_sockets_with_two_threads_a_core(self):
        self.machine([(0, 0, "0,4"), (0, 1, "1,5"), (1, 0, "2,6"), (1, 1, "3,7"),
                      (0, 0, "0,4"), (0, 1, "1,5"), (1, 0, "2,6"), (1, 1, "3,7")])
        self.expect(7, 6, range(8))
        self.expect(5, 4, [0, 1, 3, 4, 5, 7])  # 3 and 7 are one core

    def test_two_of_the_fastest_type(self):
        self.machine([(0, 0, "0-1"), (0, 0, "0-1"), (0, 1, "2-3"), (0, 1, "2-3"), (0, 2, "4"), (0, 3, "5")],
                     efficient="4-5")
        self.expect(3, 1, range(6))
        self.expect(3, 5, [3, 4, 5])
        self.machine([(0, 0, "0", 1024), (0, 1, "1", 512), (0, 2, "2", 512), (0, 3, "3", 1024)])
        self.expect(3, 0, range(4))

    def test_the_type_counts_more_than_the_socket(self):
        self.machine([(0, 0, "0", 1024), (1, 0, "1", 512), (1, 1, "2", 1024)])
        self.expect(2, 0, range(3))


if __name__ == "__main__":
    unittest.main()
