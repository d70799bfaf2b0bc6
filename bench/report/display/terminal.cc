#include "bench/report/display/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "servers/net/text.h"

namespace rpycbench {
namespace {

std::string_view FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

constexpr EnumNames<Style, 5> kSequences{{"", "\033[1m", "\033[2m", "\033[31m", "\033[33m"}};

}  // namespace

bool IsTerminal(int descriptor) { return ::isatty(descriptor) != 0; }

std::size_t TerminalColumns(int descriptor, std::size_t otherwise) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::size_t columns = ParseWhole<std::size_t>(FromEnvironment("COLUMNS")).value_or(0);
  return columns > 0 ? columns : otherwise;
}

bool SuitsColors(int descriptor) {
  return IsTerminal(descriptor) && FromEnvironment("NO_COLOR").empty() &&
         FromEnvironment("TERM") != "dumb";
}

std::string Painted(std::string_view text, Style style) {
  const std::string_view sequence = kSequences[style];
  if (sequence.empty() || text.empty()) return std::string(text);
  return std::string(sequence) + std::string(text) + "\033[0m";
}

}  // namespace rpycbench
