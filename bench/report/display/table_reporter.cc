#include "bench/report/display/table_reporter.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "bench/report/display/readable_units.h"
#include "bench/report/display/run_summary.h"
#include "bench/report/display/text_layout.h"
#include "fixtures/meter/counters.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kNarrowest = 36;  // less has no space for a type and two figures

// Returns whether a row's name contains this value of a condition, as in
// Compression/rpyc_threaded/text/off. A number may be in the name for another reason.
bool Says(const RowName& name, std::string value) {
  if (value.find_first_not_of("0123456789") == std::string::npos) return false;
  std::ranges::replace(value, ':', '_');
  return ('/' + name.rest + '/').find('/' + value + '/') != std::string::npos;
}

std::string EntryOf(const Labels::value_type& condition) {
  return condition.first + '=' + condition.second;
}

// Adds a figure and its unit, which is dim.
void AddFigure(StyledLine& line, const std::string& cell) {
  const std::size_t unit = cell.find_last_of("0123456789") + 1;
  line.Add(cell.substr(0, unit)).Add(cell.substr(unit), Style::kDim);
}

}  // namespace

TableReporter::TableReporter(Settings settings, ContextEntries about,
                             const std::vector<std::string>& rows)
    : settings_(std::move(settings)), about_(std::move(about)) {
  for (const std::string& row : rows) {
    const RowName name = SplitName(row);
    std::size_t& longest = longest_[name.type];
    longest = std::max(longest, DisplayWidth(name.rest));
  }
}

bool TableReporter::ReportContext(const Context& context) {
  width_ = std::max(settings_.columns(), kNarrowest);
  for (const std::string& line : DescribeContext(context, about_)) {
    WriteWrapped(line, 0, Style::kPlain);
  }
  WriteWrapped(Legend(settings_.ledger), 0, Style::kDim);
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  if (runs.empty() || runs.front().run_type == Run::RT_Aggregate) return;
  const MeasuredRow row = Summarize(runs);
  if (row.name.type != type_) BeginTable(row, runs.front().repetitions > 1);
  WriteNewConditions(row);
  WriteRow(row);
  ++rows_;
}

void TableReporter::Finalize() {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
  GetOutputStream() << '\n' << EndOfRun(rows_, seconds) << '\n';
}

void TableReporter::BeginTable(const MeasuredRow& row, bool repeated) {
  type_ = row.name.type;
  conditions_.clear();
  width_ = std::max(settings_.columns(), kNarrowest);
  name_width_ = kIndent + std::max(longest_[type_], DisplayWidth(row.name.rest));
  name_width_ = std::max(name_width_, DisplayWidth(type_));
  const TypeDescription& type = settings_.types.Find(type_);
  const ExtraColumns extras{.repeated = repeated,
                            .compared = settings_.pairs && type.has_floor,
                            .ledger = settings_.ledger};
  figures_ = FittingColumns(ColumnsOf(type, extras), name_width_, width_);
  name_width_ = std::min(name_width_, width_ - WidthOf(figures_));
  GetOutputStream() << '\n';
  StyledLine heading;
  heading.Add(AlignedLeft(type_, name_width_), Style::kBold);
  for (const Column& column : figures_) {
    heading.Add(AlignedRight(column.heading, column.taken()), Style::kBold);
  }
  Write(heading);
}

void TableReporter::WriteNewConditions(const MeasuredRow& row) {
  std::vector<std::string> told;
  for (const auto& condition : row.labels) {
    if (Says(row.name, condition.second)) continue;
    if (conditions_.insert(condition).second) told.push_back(EntryOf(condition));
  }
  if (!told.empty()) WriteWrapped(Join(told, " "), kIndent, Style::kDim);
}

std::string TableReporter::OtherConditions(const MeasuredRow& row) const {
  std::vector<std::string> others;
  for (const auto& condition : row.labels) {
    const auto usual = conditions_.find(condition.first);
    if (usual != conditions_.end() && usual->second != condition.second) {
      others.push_back(EntryOf(condition));
    }
  }
  return Join(others, " ");
}

TableReporter::Notes TableReporter::NotesOn(const MeasuredRow& row) const {
  Notes notes;
  if (const std::string others = OtherConditions(row); !others.empty()) {
    notes.emplace_back(others, Style::kDim);
  }
  if (!row.failed && !row.Get(counter::kP50)) {
    notes.emplace_back("the mean, because there is no p50", Style::kDim);
  }
  if (!row.doubts.empty()) notes.emplace_back("? " + Join(row.doubts, ", "), Style::kYellow);
  return notes;
}

void TableReporter::WriteRow(const MeasuredRow& row) {
  StyledLine line;
  line.Add(std::string(kIndent, ' '));
  if (const std::size_t room = name_width_ - kIndent; DisplayWidth(row.name.rest) <= room) {
    line.Add(AlignedLeft(row.name.rest, room));
  } else {
    WriteWrapped(row.name.rest, kIndent, Style::kPlain);
    line.Add(std::string(room, ' '));
  }
  if (row.failed) {
    line.Add(AlignedRight("error", figures_.front().taken()), Style::kRed);
  } else {
    for (const Column& column : figures_) {
      AddFigure(line, AlignedRight(column.text(row), column.taken()));
    }
  }
  WriteWithNotes(line, NotesOn(row));
  for (const std::string& error : row.errors) WriteWrapped(error, 2 * kIndent, Style::kRed);
}

void TableReporter::WriteWithNotes(const StyledLine& line, const Notes& notes) {
  StyledLine whole = line;
  for (const auto& [text, style] : notes) whole.Add("  ").Add(text, style);
  const bool fits = whole.width() <= width_;
  Write(fits ? whole : line);
  if (fits) return;
  for (const auto& [text, style] : notes) WriteWrapped(text, 2 * kIndent, style);
}

void TableReporter::Write(const StyledLine& line) {
  GetOutputStream() << line.Text(settings_.color) << '\n';
}

void TableReporter::WriteWrapped(const std::string& text, std::size_t indent, Style style) {
  for (const std::string& part : Wrapped(text, width_ - indent)) {
    Write(StyledLine().Add(std::string(indent, ' ')).Add(part, style));
  }
}

}  // namespace rpycbench
