// Which modes a run measures: those of the preset that the filter wants and this machine can run.
// The Python interpreter is probed only if the run includes rows of its servers or of RPyC, whose
// dialect follows the library.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/run/run.h"
#include "fixtures/possible.h"
#include "fixtures/server_mode.h"

namespace rpycbench {

class Links;

struct Selection {
  std::vector<ServerMode> modes;  // the modes to register rows for
  std::vector<std::string> rows;  // the names of their rows that the filter matches
  Possible possible;              // what this machine has; rows that need more are left out
  // Unset if no row of RPyC was selected, or the flags give the dialect.
  std::optional<rpyc::Dialect> dialect_at_hand;
  // What the selected rows run on, for the context: the versions of Python and its libraries if
  // there are servers in Python, and what both ends agree on for each transport that uses TLS.
  std::vector<std::pair<std::string, std::string>> facts;
  // What the user must know beforehand: modes that cannot run, sizes that were left out.
  std::vector<std::string> notes;
};

// Returns the modes to measure. `register_rows` registers the rows of the modes it is given; none
// stays registered. Makes the links that rows cross. Throws UsageError if the filter names a mode
// that cannot run, or matches rows of such modes only.
Selection SelectModes(const CommandLine& command, Links& links,
                      const std::function<void(std::span<const ServerMode>)>& register_rows);

// Removes the rows over IPv6 from a selection and from its rows' names, and adds `reason` to the
// notes. Throws UsageError if the filter names them or nothing else is left.
void LeaveOutIpv6(const std::string& reason, std::string_view filter,
                  std::vector<std::string>& rows, Selection& selection);

}  // namespace rpycbench
