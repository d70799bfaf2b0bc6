#include "bench/report/display/table_columns.h"

#include <algorithm>
#include <string_view>

#include "bench/report/display/readable_units.h"
#include "bench/report/display/text_layout.h"
#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

constexpr std::size_t kGap = 2;  // a rare wide figure may take one of these
constexpr int kStays = 0;
constexpr std::size_t kTimeWidth = 7;  // "13.7 µs"

Column TimeColumn(const char* heading, int rank, const char* counter) {
  return {heading, kTimeWidth, rank,
          [counter](const MeasuredRow& row) { return TimeText(row.Get(counter)); }};
}

// Returns a column such as "4 + 4": the client's and the server's count. A user who asked for it
// wants it more than anything else, so it goes last.
Column BothSidesColumn(const char* heading, const char* client, const char* server) {
  return {heading, 7, 1, [=](const MeasuredRow& row) {
            const std::optional<double> clients = row.Get(client);
            const std::optional<double> servers = row.Get(server);
            if (!clients && !servers) return NumberText(std::nullopt);
            return NumberText(clients) + " + " + NumberText(servers);
          }};
}

}  // namespace

std::size_t Column::taken() const { return kGap + std::max(width, DisplayWidth(heading)); }

std::vector<Column> ColumnsOf(const TypeDescription& type, const ExtraColumns& extras) {
  std::vector<Column> columns;
  columns.push_back({"p50", kTimeWidth, kStays, [](const MeasuredRow& row) {
                       return TimeText(row.Get(counter::kP50).value_or(row.real_time_us));
                     }});
  if (extras.repeated) {
    columns.push_back(
        {"± p50", 6, 3, [](const MeasuredRow& row) { return PercentText(row.variation); }});
  }
  columns.push_back(TimeColumn("p99", 2, counter::kP99));
  if (type.has_tail) columns.push_back(TimeColumn("p99.9", 6, counter::kP999));
  if (extras.compared) {
    columns.push_back({"× floor", 6, kStays, [](const MeasuredRow& row) {
                         return RatioText(row.Get(counter::kFloorRatio));
                       }});
  }
  const PrimaryCounter& primary = type.primary;
  const bool usual = primary.heading == std::string_view(kRoundTripsOfCall.heading);
  columns.push_back({primary.heading, 5, usual ? 4 : 1, [primary](const MeasuredRow& row) {
                       const std::optional<double> value = row.Get(primary.counter);
                       return NumberText(value ? std::optional(*value / primary.unit) : value);
                     }});
  if (extras.ledger) {
    columns.push_back(
        BothSidesColumn("syscalls", counter::kClientSyscalls, counter::kServerSyscalls));
    columns.push_back(
        BothSidesColumn("allocs", counter::kClientAllocations, counter::kServerAllocations));
  }
  if (type.has_cpu) {
    columns.push_back(TimeColumn("client CPU", 7, counter::kClientCpu));
    columns.push_back(TimeColumn("server CPU", 5, counter::kServerCpu));
  }
  return columns;
}

std::vector<Column> FittingColumns(std::vector<Column> columns, std::size_t name_width,
                                   std::size_t width) {
  while (name_width + WidthOf(columns) > width) {
    const auto least = std::ranges::max_element(columns, {}, &Column::rank);
    if (least->rank == kStays) break;
    columns.erase(least);
  }
  return columns;
}

std::size_t WidthOf(const std::vector<Column>& columns) {
  std::size_t width = 0;
  for (const Column& column : columns) width += column.taken();
  return width;
}

}  // namespace rpycbench
