// Rows on request: another program decides what this one measures next, and when. This program
// keeps running with its servers warm, so that a short run of one row costs no start:
//
//   → Latency/tcp_threaded/ping/real_time            a line on stdin: a row's name as it is listed,
//   ← {"context": {…}, "benchmarks": [{…}]}          a line on stdout: the framework's JSON of it
//   → Latency/tcp_threaded/ping/real_time spin:500   or with a value of --inject for this run,
//   → Latency/tcp_threaded/ping/real_time iterations:300   and with how many iterations
//
// It ends when stdin does. If a request gives no number of iterations, the framework finds one by
// trials. Each trial is a run of the row, so trials take longer than a short run itself. A row that
// was given a number keeps it for later runs.
#pragma once

#include <string>
#include <vector>

#include "bench/run/run.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

// Runs registered rows until stdin ends, then drops all of them and returns kSuccess. A row that
// ended in an error says so in its answer, where the framework puts it. Rows read `inject` as their
// option of that name; `index` has the rows that accept a number of iterations. Throws UsageError
// for a line that asks for none of `rows`, or for something they cannot have. Throws
// std::runtime_error if stdout can't be written.
int RunRowsOnRequest(const std::vector<std::string>& rows, const RowIndex& index,
                     std::string& inject);

// What a request may contain besides a row's name; part of the context.
inline constexpr char kRequests[] = "inject,iterations";

}  // namespace rpycbench
