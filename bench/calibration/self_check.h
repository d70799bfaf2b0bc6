// `bench_all --self-check` reports in 15 to 30 seconds whether this machine is fit to measure. It
// looks at the clock, the timers, the cost of waking the other side and how certain a ratio of two
// ping-pongs is. It also checks whether known times come out right. self_check_facts.h has the
// judgement.
#pragma once

#include "fixtures/options.h"
#include "fixtures/process/server_pool.h"

namespace rpycbench {

// Runs the check and writes the findings to stdout. Returns 0 if the calibration holds, 1 if not.
// Throws ServerError and std::runtime_error.
int RunSelfCheck(const Options& options, ServerPool& servers);

}  // namespace rpycbench
