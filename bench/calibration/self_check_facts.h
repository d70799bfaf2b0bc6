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

// Results of two ping-pongs in short slots that take turns. Both run the same program.
struct PlacementFacts {
  Placement placement = Placement::kFree;
  std::string unavailable;  // why it could not be measured; empty if it was
  double p50_us = 0;        // over all slots
  double p99_us = 0;
  // How far p50 wandered: the distance of the third from the eighth of ten medians in a row, as a
  // share of the middle one. Rows are measured in pairs, so this harms no comparison.
  double p50_spread = 0;
  // Half of the interval of 99 % of the ratio of both, as a share of it.
  double ratio_uncertainty = 0;
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
  // Share of the CPU time wanted during the check, by any program, that the host kept.
  double stolen = 0;
  std::vector<PlacementFacts> placements;
  std::vector<CalibrationFacts> calibrations;
};

// Returns whether all known times came out right, which decides the exit status.
bool CalibrationHolds(const SelfCheckFacts& facts);
// Returns why the machine is not fit to measure, in a few words each, and what to do about it in
// parentheses; empty if it is fit.
std::vector<std::string> ReasonsAgainst(const SelfCheckFacts& facts);

// Returns all findings as text, one screen of lines of at most 110 characters, the verdict last.
std::string Describe(const SelfCheckFacts& facts);

}  // namespace rpycbench
