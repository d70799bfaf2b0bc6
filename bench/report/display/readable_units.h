// Formats numbers for people: three significant digits and, for times, a unit that fits. An unknown
// value becomes a dash. Zeros and spaces keep figures aligned, because they are made for columns.
// tools/reporting/units.py does the same for running text.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rpycbench {

// Returns 12.34 as "12.3" and 72730 as "72,700"; whole numbers below 1,000 have no decimal point.
std::string NumberText(std::optional<double> value);

// Returns a time given in µs: "850 ns", "13.7 µs", "1.23 ms", "4.50 s ". Units take two columns, so
// that figures align.
std::string TimeText(std::optional<double> us);

// Returns a ratio: "0.82×", "2.13×", "27.5×", "153×".
std::string RatioText(std::optional<double> ratio);

// Returns a share as a percentage: 0.0123 as "1.2 %".
std::string PercentText(std::optional<double> share);

// Returns a duration: "0:31", "61:01".
std::string MinutesAndSeconds(std::chrono::seconds time);

}  // namespace rpycbench
