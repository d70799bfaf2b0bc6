// Rows on request: this program as the tool of another one, which decides what is measured next and
// when. It stays, with its servers warm, so that a short run of one row costs no start:
//
//   → Latency/tcp_threaded/ping/real_time            a line on stdin: a row's name as it is listed,
//   ← {"context": {…}, "benchmarks": [{…}]}          a line on stdout: the framework's JSON of it
//   → Latency/tcp_threaded/ping/real_time spin:500   or with what --inject is to be for this run,
//   → Latency/tcp_threaded/ping/real_time iterations:300   and with how many iterations
//
// It ends when stdin does. Where no number of iterations is asked for, the framework finds one by
// trials, each a run of the row, which take longer than a short run itself; later runs of a row
// that was given one keep it.
#pragma once

#include <string>
#include <vector>

#include "bench/run/run.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

// Runs registered rows until stdin ends, then drops all of them and returns kSuccess; a row that
// ended in an error says so in its answer, where the framework puts it. `inject` is what rows read
// as their option of that name; `index` has those rows that can be given a number of iterations.
// Throws UsageError for a line that asks for none of `rows`, or for what they cannot have,
// std::runtime_error if stdout can't be written.
int RunRowsOnRequest(const std::vector<std::string>& rows, const RowIndex& index,
                     std::string& inject);

// For the context: what may be asked for beside a row's name.
inline constexpr char kRequests[] = "inject,iterations";

}  // namespace rpycbench
