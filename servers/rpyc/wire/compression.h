// Which frames an RPyC peer compresses, at zlib's level 1; compressed ones are accepted always. As
// text, on command lines and in labels: "python", "off", "threshold:<bytes>".
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "servers/net/text.h"

namespace rpycbench::rpyc {

struct Compression {
  std::size_t above;  // payloads of more bytes than this are compressed

  static const Compression kPython;  // as the Python library has it
  static const Compression kOff;
  friend constexpr bool operator==(const Compression&, const Compression&) = default;
};
inline constexpr Compression Compression::kPython{3000};
inline constexpr Compression Compression::kOff{std::numeric_limits<std::size_t>::max()};

inline constexpr std::string_view kThresholdPrefix = "threshold:";

inline std::string ToString(const Compression& compression) {
  if (compression == Compression::kPython) return "python";
  if (compression == Compression::kOff) return "off";
  return std::string(kThresholdPrefix) + std::to_string(compression.above);
}

// Empty for a text that is none of the three forms, or a threshold of 2³² bytes or more, which no
// frame has.
inline std::optional<Compression> ParseCompression(std::string_view text) {
  if (text == "python") return Compression::kPython;
  if (text == "off") return Compression::kOff;
  if (!text.starts_with(kThresholdPrefix)) return std::nullopt;
  text.remove_prefix(kThresholdPrefix.size());
  const auto above = ParseWhole<std::uint32_t>(text);
  return above ? std::optional(Compression{*above}) : std::nullopt;
}

}  // namespace rpycbench::rpyc
