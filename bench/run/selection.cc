#include "bench/run/selection.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "bench/types/presets.h"
#include "fixtures/address_family.h"
#include "fixtures/link/link.h"
#include "fixtures/process/available_modes.h"
#include "fixtures/process/python_clients.h"
#include "fixtures/process/run_certificates.h"
#include "fixtures/process/server_commands.h"
#include "fixtures/process/wrk.h"
#include "fixtures/usage_error.h"

namespace rpycbench {
namespace {

std::vector<ServerMode> ModesOf(Preset preset) {
  std::vector<ServerMode> modes;
  std::ranges::copy_if(kServerModes, std::back_inserter(modes), [preset](const ServerMode& mode) {
    return ExtentOf(preset, mode) != Extent::kNone;
  });
  return modes;
}

// Returns whether a row, "Type/mode" and what follows, belongs to the mode.
bool IsOf(std::string_view row, std::string_view mode) {
  row.remove_prefix(std::min(row.size(), row.find('/') + 1));
  return row.starts_with(mode) && row.substr(mode.size()).starts_with('/');
}

bool HasRowOfMode(const std::vector<std::string>& rows, std::string_view mode) {
  return std::ranges::any_of(rows, [mode](const std::string& row) { return IsOf(row, mode); });
}

bool IsOfAny(const std::vector<UnavailableMode>& modes, const std::string& row) {
  return std::ranges::any_of(modes, [&](const auto& mode) { return IsOf(row, mode.name); });
}

// Returns whether the filter names a mode. After a minus it may name what it leaves out.
bool Names(std::string_view filter, std::string_view mode) {
  return !filter.starts_with('-') && filter.find(mode) != std::string_view::npos;
}

// Throws if nothing that was asked for by name is left to measure.
void RefuseIfNothingIsLeft(const std::vector<UnavailableMode>& unavailable,
                           const std::vector<std::string>& rows, std::string_view filter) {
  for (const UnavailableMode& mode : unavailable) {
    if (Names(filter, mode.name))
      throw UsageError("unavailable: " + mode.name + ": " + mode.reason);
  }
  if (std::ranges::all_of(rows, [&](const auto& row) { return IsOfAny(unavailable, row); })) {
    throw UsageError("no row that matches can be measured: " +
                     DescribeUnavailable(unavailable).front());
  }
}

bool IsOfPythonClients(std::string_view row) {
  return row.starts_with("Py") || row.starts_with("SharedConnection/");
}

// Returns the protocol of a row's mode.
Protocol ProtocolOf(const std::string& row, std::span<const ServerMode> modes) {
  return std::ranges::find_if(modes, [&](const ServerMode& mode) { return IsOf(row, mode.name); })
      ->protocol;
}

// Removes the rows of Python clients that cannot be measured. Throws if nothing else is left.
void LeaveOutPythonClients(const CommandLine& command, const PythonProbe& python,
                           std::vector<std::string>& rows, Selection& selection) {
  std::string whole;  // the last note
  for (const auto& [protocol, name, possible] :
       {std::tuple(Protocol::kRpyc, "rpyc", &selection.possible.rpyc_clients),
        std::tuple(Protocol::kHttp, "requests", &selection.possible.requests_clients)}) {
    const auto concerns = [&](const std::string& row) {
      return IsOfPythonClients(row) && ProtocolOf(row, selection.modes) == protocol;
    };
    const std::string reason = WhyNoPythonClients(protocol, command.options, python);
    if (reason.empty() || std::ranges::none_of(rows, concerns)) continue;
    *possible = false;
    whole = std::string("rows of ") + name + " as client: " + reason;
    selection.notes.push_back("unavailable: " + whole);
    std::erase_if(rows, concerns);
  }
  if (rows.empty() && !whole.empty()) {
    throw UsageError("no row that matches can be measured: " + whole);
  }
}

// Removes the modes that cannot run from the selection, and their rows from `rows`.
void LeaveOutUnavailable(const CommandLine& command, const PythonProbe& python,
                         std::vector<std::string>& rows, Selection& selection) {
  Availability found = FindAvailable(selection.modes, command.options, python);
  RefuseIfNothingIsLeft(found.unavailable, rows, command.flags.ValueOr("benchmark_filter", ""));
  selection.modes = std::move(found.modes);
  for (const std::string& line : DescribeUnavailable(found.unavailable)) {
    selection.notes.push_back("unavailable: " + line);
  }
  std::erase_if(rows, [&](const std::string& row) { return IsOfAny(found.unavailable, row); });
}

// Probes the Python interpreter if a selected mode or row depends on it.
void AskPython(const CommandLine& command, std::vector<std::string>& rows, Selection& selection) {
  const Options& options = command.options;
  const bool serves = std::ranges::any_of(
      selection.modes, [](const ServerMode& mode) { return mode.software.is_python(); });
  const bool decides_on_dialect =
      !options.dialect && std::ranges::any_of(selection.modes, [](const ServerMode& mode) {
        return mode.protocol == Protocol::kRpyc;
      });
  const bool calls = std::ranges::any_of(rows, IsOfPythonClients);
  if (!serves && !decides_on_dialect && !calls) return;
  const PythonProbe python =
      ProbePython(LaunchedCommand(options, options.python), options.ready_timeout);
  if (decides_on_dialect) selection.dialect_at_hand = DialectAtHand(python);
  if (serves) LeaveOutUnavailable(command, python, rows, selection);
  if (calls) LeaveOutPythonClients(command, python, rows, selection);
  if (serves || calls) {
    for (const auto& [name, version] : python.versions) {
      selection.facts.emplace_back(name + "_version", version);
    }
  }
}

// Describes each kind of TLS that the rows use, because of the flag or of their names.
void DescribeTls(const Options& options, const std::vector<std::string>& rows,
                 Selection& selection) {
  for (const Transport transport : {Transport::kTls, Transport::kTls12}) {
    const std::string name(ToString(transport));
    const auto is_over = [part = "/" + name + "/"](const std::string& row) {
      return row.starts_with("Transport/") && row.find(part) != std::string::npos;
    };
    if (!rows.empty() && (options.transport == transport || std::ranges::any_of(rows, is_over))) {
      selection.facts.emplace_back(name, RunCertificates::Get().Describe(transport));
    }
  }
}

bool IsOverIpv6(const std::string& row) {
  return row.find("/" + std::string(kIpv6Family.name) + "/") != std::string::npos;
}

bool CrossesLink(const std::string& row) {
  return row.starts_with("Link/") || row.starts_with("PyLink/");
}

// Returns the RTTs of the links that the rows need, in ascending order. Rows with a delay need a
// link without one as well.
std::set<std::chrono::nanoseconds> RttsOf(const std::vector<std::string>& rows) {
  static const std::regex kRtt("/rtt_us:([0-9]+)");
  std::set<std::chrono::nanoseconds> rtts;
  std::smatch match;
  for (const std::string& row : rows) {
    if (!CrossesLink(row) || !std::regex_search(row, match, kRtt)) continue;
    rtts.insert(std::chrono::microseconds(std::stoll(match[1])));
    rtts.insert(std::chrono::nanoseconds(0));
  }
  return rtts;
}

// Returns how TCP on the hosts of a link decides how much it sends before it waits.
std::string CongestionControlOn(const Link& link) {
  const OnClientHost there(&link);
  std::string name;
  std::ifstream("/proc/sys/net/ipv4/tcp_congestion_control") >> name;
  return name;
}

// Makes the links of the rows and describes them, unless rows are only listed. Removes the rows if
// that is impossible. Throws if nothing else is left.
void MakeLinks(const CommandLine& command, Links& links, std::vector<std::string>& rows,
               Selection& selection) {
  if (std::ranges::none_of(rows, CrossesLink)) return;
  std::string reason = WhyNoLink(command.options);
  const bool makes = reason.empty() && !command.flags.On("benchmark_list_tests");
  try {
    if (makes && links.GainRights()) {
      selection.notes.push_back(
          "all rows run in a network namespace of their own, which links need");
    }
    for (const std::chrono::nanoseconds rtt : RttsOf(rows)) {
      if (!makes) break;
      const auto link = links.At(rtt);
      if (rtt.count() == 0) {
        selection.facts.emplace_back("tcp_congestion_control", CongestionControlOn(*link));
      }
      selection.facts.emplace_back("link_rtt_" + DurationText(rtt),
                                   link->emulator() + ": " + link->figures());
    }
  } catch (const LinkError& error) {
    reason = error.what();
  }
  if (reason.empty()) return;
  const std::string unavailable = "rows across a link: " + reason;
  std::erase_if(rows, CrossesLink);
  if (rows.empty()) throw UsageError("no row that matches can be measured: " + unavailable);
  selection.possible.links = false;
  selection.notes.push_back("unavailable: " + unavailable);
}

}  // namespace

void LeaveOutIpv6(const std::string& reason, std::string_view filter,
                  std::vector<std::string>& rows, Selection& selection) {
  const std::string unavailable = std::string(kIpv6Family.name) + ": " + reason;
  if (Names(filter, kIpv6Family.name)) throw UsageError("unavailable: " + unavailable);
  std::erase_if(rows, IsOverIpv6);
  if (rows.empty()) throw UsageError("no row that matches can be measured: " + unavailable);
  selection.possible.ipv6 = false;
  selection.notes.push_back("unavailable: " + unavailable);
}

Selection SelectModes(const CommandLine& command, Links& links,
                      const std::function<void(std::span<const ServerMode>)>& register_rows) {
  const std::vector<ServerMode> modes = ModesOf(command.options.preset);
  register_rows(modes);
  std::vector<std::string> rows = SelectedRows(command);
  Selection selection;
  std::ranges::copy_if(modes, std::back_inserter(selection.modes),
                       [&](const ServerMode& mode) { return HasRowOfMode(rows, mode.name); });
  AskPython(command, rows, selection);
  const bool beside_wrk = std::ranges::any_of(
      rows, [](const std::string& row) { return row.starts_with("Generator/"); });
  const std::string no_wrk = WhyNoWrk(command.options.transport);
  if (beside_wrk && !no_wrk.empty()) {
    selection.notes.push_back("unavailable: wrk, beside which Generator measures: " + no_wrk +
                              ". Without it the rows lack its counters");
  }
  // A launcher may start the server on another machine, which this one cannot check.
  if (std::ranges::any_of(rows, IsOverIpv6) && command.options.server_launcher.empty()) {
    const std::string reason = WhyNotListening(kIpv6Family.host);
    const std::string filter = command.flags.ValueOr("benchmark_filter", "");
    if (!reason.empty()) LeaveOutIpv6(reason, filter, rows, selection);
  }
  MakeLinks(command, links, rows, selection);
  DescribeTls(command.options, rows, selection);
  std::ranges::move(DescribeLimits(command.options, rows), std::back_inserter(selection.notes));
  selection.rows = std::move(rows);
  return selection;
}

}  // namespace rpycbench
