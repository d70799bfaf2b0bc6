// Reports what went wrong with one connection, in one line on stderr. Lines of concurrent sessions
// do not mix. Bytes from a peer can forge neither a line nor a terminal sequence.
#pragma once

#include <string_view>

namespace rpycbench::net {

// Writes "bench_server: <text>\n" to stderr in one piece. The text is cut after 1,000 bytes and
// then made printable by OneLine. The call never waits: the line is lost if its reader has gone or
// has not read enough.
void LogLine(std::string_view text);

}  // namespace rpycbench::net
