// `bench_all --self-check`: says in under 20 seconds whether this machine is fit to measure, by its
// clock, its timers, what it takes to wake the other side, how much that differs from run to run,
// and whether known times come out right. See self_check_facts.h for the judgement.
#pragma once

#include "fixtures/options.h"
#include "fixtures/process/server_pool.h"

namespace rpycbench {

// Writes the findings to stdout. Returns 0 if the calibration holds, 1 if not.
// Throws ServerError, std::runtime_error.
int RunSelfCheck(const Options& options, ServerPool& servers);

}  // namespace rpycbench
