#include "bench/report/display/readable_units.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rpycbench {
namespace {

constexpr char kUnknown[] = "–";
constexpr int kDigits = 3;

std::string Fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

// Returns the value rounded to the significant digits, including zeros after the decimal point.
std::string Significant(double value) {
  if (value == 0) return "0";
  // Rounding may carry into another digit: 9.996 is 10.0.
  const auto digits_before = [](double number) {
    return static_cast<int>(std::floor(std::log10(std::abs(number)))) + 1;
  };
  const double scale = std::pow(10, kDigits - digits_before(value));
  const double rounded = std::round(value * scale) / scale;
  return Fixed(rounded, std::max(0, kDigits - digits_before(rounded)));
}

std::string WithThousands(std::string text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  std::size_t place = std::min(text.find('.'), text.size());
  while (place > first + 3) {
    place -= 3;
    text.insert(place, ",");
  }
  return text;
}

}  // namespace

std::string NumberText(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return kUnknown;
  const bool whole = *value == std::trunc(*value) && std::abs(*value) < 1000;
  return whole ? Fixed(*value, 0) : WithThousands(Significant(*value));
}

std::string TimeText(std::optional<double> us) {
  if (!us || !std::isfinite(*us)) return std::string(kUnknown) + "   ";
  constexpr struct {
    double us;
    const char* name;
  } units[] = {{1e6, "s "}, {1e3, "ms"}, {1, "µs"}, {1e-3, "ns"}};
  const auto* unit = units;
  // From 999.5 on, a value would be shown as 1,000 of the smaller unit.
  while (unit != std::end(units) - 1 && std::abs(*us) < 0.9995 * unit->us) ++unit;
  return WithThousands(Significant(*us / unit->us)) + ' ' + unit->name;
}

std::string RatioText(std::optional<double> ratio) {
  if (!ratio || !std::isfinite(*ratio)) return kUnknown;
  return (*ratio < 1 ? Fixed(*ratio, 2) : WithThousands(Significant(*ratio))) + "×";
}

std::string PercentText(std::optional<double> share) {
  if (!share || !std::isfinite(*share)) return kUnknown;
  return Fixed(*share * 100, 1) + " %";
}

std::string MinutesAndSeconds(std::chrono::seconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld", static_cast<long long>(time.count() / 60),
                static_cast<long long>(time.count() % 60));
  return text;
}

}  // namespace rpycbench
