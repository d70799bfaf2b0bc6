#include "servers/net/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "servers/net/descriptor.h"
#include "servers/net/text.h"

namespace rpycbench::net {
namespace {

// Writes to stderr without waiting for a reader that has stopped or gone. O_NONBLOCK belongs to the
// open file description, which the parent process shares. A pipe is therefore opened once more.
void WriteWithoutWaiting(std::string_view text) {
  struct stat what {};
  if (::fstat(STDERR_FILENO, &what) != 0) return;
  [[maybe_unused]] ssize_t written = 0;
  if (S_ISSOCK(what.st_mode)) {
    written = ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } else if (S_ISFIFO(what.st_mode) || S_ISCHR(what.st_mode)) {
    const Descriptor own(::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    // The open fails without /proc, a free descriptor or permission. Then poll() decides.
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (own.is_open()) {
      written = ::write(own.get(), text.data(), text.size());
    } else if (::poll(&ready, 1, 0) == 1 && ready.revents == POLLOUT) {
      written = ::write(STDERR_FILENO, text.data(), text.size());
    }
  } else {
    written = ::write(STDERR_FILENO, text.data(), text.size());
  }
}

}  // namespace

void LogLine(std::string_view text) {
  constexpr std::size_t kLongest = 1000;
  const std::string line = "bench_server: " + OneLine(text.substr(0, kLongest)) + '\n';
  // A full or closed stderr must not stop a server, and no other place to report it remains.
  WriteWithoutWaiting(line);
}

}  // namespace rpycbench::net
