"""Tests bench_all where a kernel or container refuses system calls: `refused_calls_test.py bench_all`.

A seccomp filter answers a system call with an error, as Docker's profile or a kernel without the call does.
"""

import ctypes
import errno
import platform
import struct
import unittest

from testing.runs import needs_ledger, report_of

NUMBERS = {"x86_64": {"close_range": 436, "personality": 135, "pidfd_open": 434},
           "aarch64": {"close_range": 436, "personality": 92, "pidfd_open": 434}}[platform.machine()]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF: a word of the call's data, a comparison, a verdict
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
ADDR_NO_RANDOMIZE = 0x0040000


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


def refuse(call, error, argument=None):
    """Makes a call of this process fail with `error`, if its first argument is `argument` or that is None."""
    program = [instruction(LOAD, 0), instruction(EQUAL, NUMBERS[call], 0, 1 if argument is None else 3)]
    if argument is not None:
        program += [instruction(LOAD, 16), instruction(EQUAL, argument, 0, 1)]
    program += [instruction(RETURN, ERRNO | error), instruction(RETURN, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(program))
    header = struct.pack("HP", len(program), ctypes.addressof(code))
    libc, zero = ctypes.CDLL(None, use_errno=True), ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) or libc.prctl(
            PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), header, zero, zero):
        raise OSError(ctypes.get_errno(), "seccomp")


class RefusedCalls(unittest.TestCase):
    def measure(self, refusal, *flags):
        """Returns (exit status, rows, stderr) of a short run in which a call is refused."""
        done, report = report_of("--benchmark_filter=^Latency/tcp_threaded/ping/",
                                 "--benchmark_min_time=0.01", *flags,
                                 preexec_fn=lambda: refuse(*refusal))
        self.assertIsNotNone(report, done.stderr)
        return done.returncode, report["benchmarks"] + report["errors"], done.stderr

    @needs_ledger
    def test_descriptors_are_closed_one_by_one_where_no_range_is(self):
        """Linux has no close_range before 5.9 and lacks the flag before 5.11, and profiles may refuse it."""
        for error in (errno.ENOSYS, errno.EINVAL, errno.EPERM):
            with self.subTest(errno.errorcode[error]):
                status, rows, err = self.measure(("close_range", error), "--ledger")
                self.assertEqual(0, status, err)
                self.assertEqual(2, rows[0]["server_syscalls"])

    @needs_ledger
    def test_random_addresses_are_told_once(self):
        status, rows, err = self.measure(("personality", errno.EPERM, ADDR_NO_RANDOMIZE), "--ledger",
                                         "--benchmark_filter=^Latency/tcp_threaded/(ping|echo/64)/")
        self.assertEqual(0, status, err)
        self.assertEqual([2, 2], [row["server_syscalls"] for row in rows])
        self.assertEqual(1, err.count("addresses stay random here"), err)

    def test_a_handle_that_is_refused_is_told_and_leaves_no_process(self):
        status, rows, err = self.measure(("pidfd_open", errno.ENOSYS), "--ledger=false")
        self.assertEqual(1, status, err)
        self.assertIn("pidfd_open, which needs Linux 5.3", rows[0]["message"])
        self.assertIn("Function not implemented", rows[0]["message"])


if __name__ == "__main__":
    unittest.main()
