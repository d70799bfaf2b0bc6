// Rows on request: this program as the tool of another one, which decides what is measured next and
// when. It stays, with its servers warm, so that a short run of one row costs no start:
//
//   → Latency/tcp_threaded/ping/real_time            a line on stdin: a row's name as it is listed,
//   ← {"context": {…}, "benchmarks": [{…}]}          a line on stdout: the framework's JSON of it
//   → Latency/tcp_threaded/ping/real_time spin:500   or with what --inject is to be for this run
//
// It ends when stdin does. Trials by which the framework finds its number of iterations warm up.
#pragma once

#include <string>
#include <vector>

#include "bench/run.h"

namespace rpycbench {

// Runs registered rows until stdin ends, then drops all of them and returns kSuccess; a row that
// ended in an error says so in its answer, where the framework puts it. `inject` is what rows read
// as their option of that name. Throws UsageError for a line that asks for none of `rows`,
// std::runtime_error if stdout can't be written.
int RunRowsOnRequest(const std::vector<std::string>& rows, std::string& inject);

}  // namespace rpycbench
