// What a self-check found out about a machine, what follows from it, and how it is told: no
// measurement here, so that every judgement can be tested.
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

// A ping-pong between client and server, in several short runs.
struct PlacementFacts {
  Placement placement = Placement::kFree;
  std::string unavailable;  // why it could not be measured; empty if it was
  double p50_us = 0;        // of all runs
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

// The mean of the values and their standard deviation as a share of it; of two or more.
double RelativeDeviation(const std::vector<double>& values);

// Whether known times came out right, all of them: what the exit status says.
bool CalibrationHolds(const SelfCheckFacts& facts);
// Why the machine is not fit to measure, in a few words each; empty if it is.
std::vector<std::string> ReasonsAgainst(const SelfCheckFacts& facts);

// All of it as text, one screen of lines of at most 110 characters, the verdict last.
std::string Describe(const SelfCheckFacts& facts);

}  // namespace rpycbench
