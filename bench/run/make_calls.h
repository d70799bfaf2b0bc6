// The client of a counting pass: this program again, started by fixtures/call_costs/call_ledger.h
// with flags that name a row and a server. It registers the row as usual, makes the row's calls,
// and does nothing else.
#pragma once

#include <functional>
#include <span>

#include "fixtures/options.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

inline bool IsClientOfCountingPass(const Options& options) {
  return !options.marked_calls.row.empty();
}

// Makes the calls. `register_rows` registers the rows of the modes it is given and adds them to the
// index. Returns kSuccess. Throws UsageError if there is no such row, and what its client throws.
int MakeCalls(const Options& options,
              const std::function<void(std::span<const ServerMode>, RowIndex&)>& register_rows);

}  // namespace rpycbench
