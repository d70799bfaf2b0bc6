"""Checks that code includes only headers of the C++ standard, POSIX, Boost and the other libraries.

What only Linux has is kept in the files that LINUX lists, so that a port to another system knows
where to look. A file that is listed without need fails as well.
"""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("bench", "fixtures", "servers", "tools", "ci")
INCLUDE = re.compile(r"^ *# *include *<([^>]+)>", re.MULTILINE)

STANDARD = set("""
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine
    csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque
    exception execution filesystem format forward_list fstream functional future initializer_list
    iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource
    mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf
    string string_view syncstream system_error thread tuple type_traits typeindex typeinfo
    unordered_map unordered_set utility valarray variant vector version
""".split())
# IEEE Std 1003.1, and the headers of C that it takes over.
POSIX = set("""
    aio.h arpa/inet.h assert.h complex.h cpio.h ctype.h dirent.h dlfcn.h errno.h fcntl.h fenv.h
    float.h fmtmsg.h fnmatch.h ftw.h glob.h grp.h iconv.h inttypes.h iso646.h langinfo.h libgen.h
    limits.h locale.h math.h monetary.h mqueue.h ndbm.h net/if.h netdb.h netinet/in.h netinet/tcp.h
    nl_types.h poll.h pthread.h pwd.h regex.h sched.h search.h semaphore.h setjmp.h signal.h spawn.h
    stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h stropts.h sys/ipc.h
    sys/mman.h sys/msg.h sys/resource.h sys/select.h sys/sem.h sys/shm.h sys/socket.h sys/stat.h
    sys/statvfs.h sys/time.h sys/times.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/wait.h
    syslog.h tar.h termios.h tgmath.h time.h trace.h ulimit.h unistd.h utime.h utmpx.h wchar.h
    wctype.h wordexp.h
""".split())
LIBRARIES = re.compile(r"boost/|benchmark/|gtest/|gmock/|CLI/|isa-l/|openssl/|zlib\.h$")

# What includes other headers, each with the reason. A folder ends with a slash.
LINUX = {
    "bench/report/display/terminal.cc": "the width of a terminal",
    "fixtures/call_costs/": "the ledger of system calls, by ptrace",
    "fixtures/link/": "links, by network namespaces and TUN devices",
    "fixtures/pairs/probe.cc": "the probe, which shares no code with the servers",
    "fixtures/process/": "child processes, by their file descriptors",
    "fixtures/testing/traced_program.cc": "a program for the tests of the ledger",
    "servers/net/linux_process.cc": "what only Linux does for a process",
    "servers/net/system_calls.cc": "counters of TCP segments",
    "servers/net/tls/tls_test.cc": "what the kernel holds back of a message",
}


def listed(path):
    """Returns the entry of LINUX that covers the path, or None."""
    return next((entry for entry in LINUX
                 if path == entry or (entry.endswith("/") and path.startswith(entry))), None)


def other_headers(text):
    """Returns the headers of a source text that belong to none of the groups, in order."""
    return [name for name in INCLUDE.findall(text)
            if name not in STANDARD and name not in POSIX and not LIBRARIES.match(name)]


class HeadersTest(unittest.TestCase):
    def test_only_the_listed_files_depend_on_linux(self):
        needed = set()
        sources = [path for folder in FOLDERS for ending in ("*.h", "*.cc", "*.in")
                   for path in (ROOT / folder).rglob(ending)]
        self.assertGreater(len(sources), 300)
        for source in sources:
            path = source.relative_to(ROOT).as_posix()
            others = other_headers(source.read_text(encoding="utf-8"))
            entry = listed(path)
            if others and entry:
                needed.add(entry)
            with self.subTest(file=path):
                self.assertEqual([], [] if entry else others)
        self.assertEqual(set(LINUX), needed, "listed without need")

    def test_a_header_of_another_group_is_found(self):
        text = '#include <vector>\n#include <sys/epoll.h>\n  # include <linux/tcp.h>\n#include "a.h"\n'
        self.assertEqual(["sys/epoll.h", "linux/tcp.h"], other_headers(text))


if __name__ == "__main__":
    unittest.main()
