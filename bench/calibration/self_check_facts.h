// What a self-check found out about a machine, what follows from it, and how it is presented. This
// file measures nothing, so that tests can cover every judgement.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/calibration/calibration.h"
#include "fixtures/meter/validity.h"
#include "fixtures/options.h"

namespace rpycbench {

// How late a sleep of 1 ms ends.
struct TimerFacts {
  double late_p50_us = 0;
  double late_p99_us = 0;
};

// Results of a ping-pong between client and server, in several short runs.
struct PlacementFacts {
  Placement placement = Placement::kFree;
  std::string unavailable;  // why it could not be measured; empty if it was
  double p50_us = 0;        // over all runs
  double p99_us = 0;
  double p50_deviation = 0;  // standard deviation of the runs' p50, as a share of their mean
  double p10_deviation = 0;
  double stolen = 0;  // share of the time of all CPUs that the host took away
};

struct CalibrationFacts {
  Placement placement = Placement::kShared;
  std::string_view delay;
  std::string error;   // what kept it from a result; empty if nothing did
  Calibration result;  // without samples
};

struct SelfCheckFacts {
  ClockFacts clock;
  TimerFacts timer;
  std::vector<PlacementFacts> placements;
  std::vector<CalibrationFacts> calibrations;
};

// Returns the standard deviation of the values as a share of their mean. There must be at least two
// values.
double RelativeDeviation(const std::vector<double>& values);

// Returns whether all known times came out right, which decides the exit status.
bool CalibrationHolds(const SelfCheckFacts& facts);
// Returns why the machine is not fit to measure, in a few words each; empty if it is fit.
std::vector<std::string> ReasonsAgainst(const SelfCheckFacts& facts);

// Returns all findings as text, one screen of lines of at most 110 characters, the verdict last.
std::string Describe(const SelfCheckFacts& facts);

}  // namespace rpycbench
