// For tests: what the real Python library was recorded to write and read, from testdata.
#pragma once

#include <boost/json.hpp>
#include <deque>
#include <string>
#include <string_view>

#include "servers/rpyc/wire/arena.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

// The whole recording: brine_values, brine_noncanonical_accept, malformed, dialects.
const boost::json::object& Vectors();

std::string FromHex(std::string_view hex);
std::string ToHex(std::string_view bytes);

// A typed value of the recording; texts live in `texts`, tuples in `arena`.
Value ValueOf(const boost::json::object& typed, Arena& arena, std::deque<std::string>& texts);

}  // namespace rpycbench::rpyc
