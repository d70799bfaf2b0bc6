// The suite's description of itself as JSON: types, modes, counters, presets and flags.
// `--describe` prints all of it, and result files carry what their readers need. The tools, the
// gate, the pages and the tests read it instead of repeating it.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "bench/types/type.h"

namespace rpycbench {

// Returns one JSON object:
//   suite_version
//   types     name, timed and variants (Markdown), primary {counter, heading}, is_rate, has_calls,
//             has_tail, counters, flags
//   modes     name, family (the beginning of its name), protocol, model, python, script (of
//             servers/reference, or empty), connections_at_once (null: any number),
//             keeps_connections, process_per_connection, presets {name: extent}
//   counters  name, unit, better ("lower", "higher" or null), meaning; the framework's are the last
//   floor     mode, and substitutes: pairs of a regular expression and what the floor has instead
//   presets   names
//   doubts    name, meaning, remedy
//   environment  names of the environment variables that the context has if they are set; one that
//             ends in * stands for all that begin with the rest
//   flags     name, values, default, help
std::string Describe(const TypeTable& types);

// Returns the part that programs read: the object without texts, presets, doubts, environment and
// flags.
boost::json::object DescribeForReaders(const TypeTable& types);

}  // namespace rpycbench
