// One line on stderr for what went wrong with one connection. Lines of concurrent sessions do not
// mix, and bytes that came from a peer cannot forge a line or a terminal sequence.
#pragma once

#include <string_view>

namespace rpycbench::net {

// Writes "bench_server: <text>\n" as a whole, with the text as OneLine makes it and without what is
// beyond 1,000 bytes. It never waits: a line for a reader who has gone, or has not read enough, is
// lost.
void LogLine(std::string_view text);

}  // namespace rpycbench::net
