// Which modes a run measures: of the preset's, those that the filter wants and this machine can
// run. What Python has is asked only if a row of its servers was wanted, or one of RPyC, whose
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
#include "fixtures/server_mode.h"

namespace rpycbench {

struct Selection {
  std::vector<ServerMode> modes;  // to register rows for
  std::vector<std::string> rows;  // the names of those that the filter matches
  bool ipv6 = true;               // rows over IPv6 can be measured
  // Unset if no row of RPyC was selected, or the flags say the dialect.
  std::optional<rpyc::Dialect> dialect_at_hand;
  // For the context: what the servers in Python run on. Empty if nobody asked.
  std::vector<std::pair<std::string, std::string>> versions;
  // What the user must know beforehand: modes that cannot run, sizes that were left out.
  std::vector<std::string> notes;
};

// `register_rows` registers the rows of the modes it is given. Leaves none registered. Throws
// UsageError if the filter names a mode that cannot run, or matches rows of such modes only.
Selection SelectModes(const CommandLine& command,
                      const std::function<void(std::span<const ServerMode>)>& register_rows);

// Takes the rows over IPv6 out of a selection and of its rows' names, for this reason, and notes
// it. Throws UsageError if the filter names them or nothing else is left.
void LeaveOutIpv6(const std::string& reason, std::string_view filter,
                  std::vector<std::string>& rows, Selection& selection);

}  // namespace rpycbench
