// Numbers as people read them: three significant digits and, for times, a unit that fits. What is
// not known is a dash. Made for columns, where zeros and blanks keep figures aligned; for text,
// tools/reporting/units.py does the like.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rpycbench {

// 12.34 → "12.3", 72730 → "72,700"; whole numbers below 1,000 without a point.
std::string NumberText(std::optional<double> value);

// Of µs: "850 ns", "13.7 µs", "1.23 ms", "4.50 s ": units take two columns, so that figures align.
std::string TimeText(std::optional<double> us);

// "0.82×", "2.13×", "27.5×", "153×".
std::string RatioText(std::optional<double> ratio);

// Of a share: 0.0123 → "1.2 %".
std::string PercentText(std::optional<double> share);

// "0:31", "61:01".
std::string MinutesAndSeconds(std::chrono::seconds time);

}  // namespace rpycbench
