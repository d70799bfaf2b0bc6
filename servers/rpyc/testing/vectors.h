// For tests: reads the recording of what the real Python library writes and accepts, from testdata.
#pragma once

#include <boost/json.hpp>
#include <deque>
#include <string>
#include <string_view>

#include "servers/rpyc/wire/arena.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

// Returns the whole recording: brine_values, brine_noncanonical_accept, malformed, dialects.
const boost::json::object& Vectors();

std::string FromHex(std::string_view hex);
std::string ToHex(std::string_view bytes);

// Returns a typed value of the recording. Its texts live in `texts`, its tuples in `arena`.
Value ValueOf(const boost::json::object& typed, Arena& arena, std::deque<std::string>& texts);

}  // namespace rpycbench::rpyc
