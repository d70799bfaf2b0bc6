#include "servers/net/log.h"

#include <unistd.h>

#include <algorithm>
#include <string>

namespace rpycbench::net {

void LogLine(std::string_view text) {
  constexpr std::size_t kLongest = 1000;
  std::string line = "bench_server: ";
  for (const char c : text.substr(0, kLongest)) {
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  line += '\n';
  // A full or closed stderr must not stop a server; there is nowhere left to report it.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace rpycbench::net
