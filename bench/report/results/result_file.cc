#include "bench/report/results/result_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>

#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/validity.h"
#include "fixtures/usage_error.h"
#include "servers/net/descriptor.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

namespace fs = std::filesystem;

// What the framework writes between two reports.
constexpr std::string_view kComma = ",\n";

// Returns whether a rename may put another file there. Names in /dev may lead to regular files, but
// another program has those open.
bool IsReplaceable(const fs::path& path) {
  return !fs::exists(path) || (fs::is_regular_file(path) && !path.string().starts_with("/dev/"));
}

// Resolves symbolic links, so that a link remains one. Its target need not exist yet.
fs::path Target(fs::path path) {
  constexpr int kMostLinks = 40;  // as many as the kernel follows
  if (!IsReplaceable(path)) return path;
  path = fs::absolute(path);
  for (int i = 0; i < kMostLinks && fs::is_symlink(path); ++i) {
    path = path.parent_path() / fs::read_symlink(path);
  }
  return fs::weakly_canonical(path);
}

// Returns 0 or errno.
int WriteAll(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return 0;
}

// Overwrites the present content, then cuts off the rest. Documents grow, so little is lost if the
// program ends in between.
void WriteOver(const fs::path& path, const std::string& text) {
  const net::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!file.is_open()) ThrowUnwritten(errno, path);
  const int error = WriteAll(file.get(), text);
  // A file that is not regular has no length.
  [[maybe_unused]] const int cut = ::ftruncate(file.get(), static_cast<off_t>(text.size()));
  if (error != 0) ThrowUnwritten(error, path);
}

// Gives the file the owner, group and mode of another one. Returns 0 or errno.
int TakeOver(int file, const struct stat& other) {
  struct stat own;
  if (::fstat(file, &own) != 0) return errno;
  // EPERM stands for every reason against the owner: an identity may also be unknown here (EINVAL).
  if ((own.st_uid != other.st_uid || own.st_gid != other.st_gid) &&
      ::fchown(file, other.st_uid, other.st_gid) != 0) {
    return EPERM;
  }
  return ::fchmod(file, other.st_mode & 07777) == 0 ? 0 : errno;
}

// Writes a file that must not exist, which becomes like `replaced`, if there is such a file. In a
// folder that others may write to, its name could otherwise be a symbolic link to another place.
// Returns 0 or errno.
int WriteNew(const fs::path& path, const std::string& text, const struct stat* replaced) {
  ::unlink(path.c_str());                                 // left by a program that was killed
  const mode_t mode = replaced == nullptr ? 0666 : 0600;  // private until it has its owner
  const net::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file.is_open()) return errno;
  const int error = replaced == nullptr ? 0 : TakeOver(file.get(), *replaced);
  return error == 0 ? WriteAll(file.get(), text) : error;
}

// Returns the name of the file that will be renamed to `path`. It is in the same folder.
fs::path Partial(const fs::path& path) {
  constexpr std::size_t kLongest = 255;  // of a name, in bytes, on Linux's usual file systems
  const std::string name = path.filename();
  std::string partial = '.' + name + ".partial";
  if (partial.size() > kLongest) {
    partial = ".rpycbench." + std::to_string(std::hash<std::string>()(name)) + ".partial";
  }
  return path.parent_path() / partial;
}

// Puts the text in place of the present file, by a rename. Returns 0 or errno.
int Replace(const fs::path& path, const std::string& text) {
  struct stat present;
  const bool exists = ::stat(path.c_str(), &present) == 0;
  const fs::path partial = Partial(path);
  int error = WriteNew(partial, text, exists ? &present : nullptr);
  if (error == 0 && ::rename(partial.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) ::unlink(partial.c_str());
  return error;
}

// Returns whether a rename is impossible although the file itself can be written. That is so for a
// mount, such as `-v out.json:/out.json` of a container, in a folder that is not ours, and for a
// file whose owner would change.
bool OnlyInPlace(int error, const fs::path& path) {
  constexpr int kErrors[] = {EBUSY, EXDEV, EACCES, EPERM, EROFS, EEXIST, ENAMETOOLONG};
  return std::ranges::find(kErrors, error) != std::end(kErrors) &&
         ::access(path.c_str(), W_OK) == 0;
}

// Returns the list with one entry per line, for people who look into the file.
std::string ListText(const boost::json::array& list) {
  std::string text = "[";
  for (const boost::json::value& entry : list) {
    text += (text.size() > 1 ? ",\n    " : "\n    ") + boost::json::serialize(entry);
  }
  return text + "\n  ]";
}

}  // namespace

ResultFile::ResultFile(fs::path path, const boost::json::object& description)
    : path_(Target(path)),
      replaces_(IsReplaceable(path_)),
      description_(description.empty() ? "" : boost::json::serialize(description)) {
  json_.SetOutputStream(&text_);
}

bool ResultFile::ReportContext(const Context& context) {
  if (!json_.ReportContext(context)) return false;
  std::ostringstream end;
  json_.SetOutputStream(&end);
  json_.Finalize();
  json_.SetOutputStream(&text_);
  end_ = end.str();
  if (!description_.empty()) {
    std::string text = text_.str();
    const std::size_t begin = text.find('{', text.find("\"context\""));  // of the context
    text.insert(begin + 1, "\n    \"description\": " + description_ + ',');
    text_.str(text);
    text_.seekp(0, std::ios::end);
  }
  begin_ = text_.str();
  if (replaces_) Save();
  return true;
}

void ResultFile::Finish(const std::function<void(BenchmarkReporter&)>& report_again,
                        const boost::json::object& probe) {
  errors_.clear();
  doubts_.clear();
  failed_rows_.clear();
  probe_ = probe;
  std::ostringstream rows;
  json_.SetOutputStream(&rows);
  saves_rows_ = false;
  report_again(*this);
  saves_rows_ = true;
  json_.SetOutputStream(&text_);
  text_.str(begin_);
  text_.seekp(0, std::ios::end);
  const std::string text = rows.str();
  text_ << text.substr(text.starts_with(kComma) ? kComma.size() : 0);
  if (replaces_) Save();
}

void ResultFile::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (!compat::Failed(run)) continue;
    failed_rows_.insert(run.run_name.str());
    AddError(run);
  }
  std::vector<Run> good;
  for (const Run& run : runs) {
    if (failed_rows_.contains(run.run_name.str())) continue;
    good.push_back(run);
    if (run.run_type == Run::RT_Iteration) AddDoubts(run);
  }
  json_.ReportRuns(good);
  if (replaces_ && saves_rows_) Save();
}

void ResultFile::AddError(const Run& run) {
  errors_.push_back({{"name", PrintableText(run.benchmark_name())},
                     {"message", PrintableText(compat::ErrorMessage(run))}});
}

void ResultFile::AddDoubts(const Run& run) {
  boost::json::array doubts;
  for (const std::string& doubt : DoubtsIn(run.report_label)) {
    doubts.emplace_back(PrintableText(doubt));
  }
  if (doubts.empty()) return;
  doubts_.push_back({{"name", PrintableText(run.benchmark_name())},
                     {"repetition_index", run.repetition_index},
                     {"doubts", std::move(doubts)}});
}

void ResultFile::Finalize() {
  if (!replaces_) {
    WriteOver(path_, Document());
  } else {
    SyncResult(path_);
  }
}

std::string ResultFile::Document() const {
  std::string more =
      ",\n  \"errors\": " + ListText(errors_) + ",\n  \"doubts\": " + ListText(doubts_);
  if (!probe_.empty()) more += ",\n  \"probe\": " + boost::json::serialize(probe_);
  std::string end = end_;
  end.insert(end.rfind(']') + 1, more);
  return text_.str() + end;
}

void ResultFile::Save() {
  if (!in_place_) {
    const int error = Replace(path_, Document());
    if (error == 0) return;
    in_place_ = OnlyInPlace(error, path_);
    if (!in_place_) ThrowUnwritten(error, path_);
  }
  WriteOver(path_, Document());
}

TextFile::TextFile(fs::path path, std::unique_ptr<BenchmarkReporter> reporter)
    : file_(std::move(path)), reporter_(std::move(reporter)) {
  reporter_->SetOutputStream(&file_.stream());
  reporter_->SetErrorStream(&file_.stream());
}

bool TextFile::ReportContext(const Context& context) {
  file_.Open();
  const bool go_on = reporter_->ReportContext(context);
  file_.Flush();
  return go_on;
}

void TextFile::ReportRuns(const std::vector<Run>& runs) {
  reporter_->ReportRuns(runs);
  file_.Flush();
}

void TextFile::Finalize() {
  reporter_->Finalize();
  file_.Finish();
}

void CheckOutputPath(const fs::path& path) {
  std::error_code error;
  try {
    const fs::path target = Target(path);
    const bool exists = fs::exists(target);
    const fs::path folder = target.has_parent_path() ? target.parent_path() : ".";
    if (fs::is_directory(target)) {
      error = std::make_error_code(std::errc::is_a_directory);
    } else if (!exists && !fs::is_directory(folder)) {
      error = std::make_error_code(std::errc::no_such_file_or_directory);
    } else if (::access((exists ? target : folder).c_str(), W_OK) != 0) {
      error.assign(errno, std::generic_category());
    } else {
      return;
    }
  } catch (const fs::filesystem_error& out_of_reach) {
    error = out_of_reach.code();  // links in a circle, a name that is too long
  }
  throw UsageError("--benchmark_out: cannot write \"" + path.string() + "\": " + error.message());
}

}  // namespace rpycbench
