// The choice of frames that an RPyC peer compresses, at zlib's level 1. Compressed frames are
// always accepted. As text, on command lines and in labels: "python", "off", "threshold:<bytes>".
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
  std::size_t above;  // larger payloads, in bytes, are compressed

  static const Compression kPython;  // the threshold of the Python library
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

// Returns the choice that `text` names. Returns nothing for any other text, and for a threshold of
// 2³² bytes or more, which no frame reaches.
inline std::optional<Compression> ParseCompression(std::string_view text) {
  if (text == "python") return Compression::kPython;
  if (text == "off") return Compression::kOff;
  if (!text.starts_with(kThresholdPrefix)) return std::nullopt;
  text.remove_prefix(kThresholdPrefix.size());
  const auto above = ParseWhole<std::uint32_t>(text);
  return above ? std::optional(Compression{*above}) : std::nullopt;
}

}  // namespace rpycbench::rpyc
