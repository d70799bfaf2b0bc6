#include "bench/run/make_calls.h"

#include <string>
#include <string_view>
#include <vector>

#include "bench/run/run.h"
#include "fixtures/process/run_certificates.h"
#include "fixtures/usage_error.h"

namespace rpycbench {
namespace {

// Returns the mode that a row's name contains, if any.
std::vector<ServerMode> ModesOf(std::string_view row) {
  const std::string_view behind_type = row.substr(row.find('/') + 1);
  const ServerMode* mode = FindMode(behind_type.substr(0, behind_type.find('/')));
  return mode == nullptr ? std::vector<ServerMode>() : std::vector<ServerMode>{*mode};
}

}  // namespace

int MakeCalls(const Options& options,
              const std::function<void(std::span<const ServerMode>, RowIndex&)>& register_rows) {
  const MarkedCalls& wanted = options.marked_calls;
  RunCertificates::Trust(wanted.tls_authority);
  RowIndex rows;
  register_rows(ModesOf(wanted.row), rows);
  const auto row = rows.find(wanted.row);
  if (row == rows.end()) throw UsageError("--make_calls: there is no row " + wanted.row);
  row->second->MakeCalls(
      net::Endpoint::Resolve(wanted.host, static_cast<std::uint16_t>(wanted.port)), wanted.calls);
  return kSuccess;
}

}  // namespace rpycbench
