// A file of results that grows by whole rows and is flushed after each of them, so that a killed
// program loses no finished row.
#pragma once

#include <filesystem>
#include <fstream>
#include <ostream>
#include <utility>

namespace rpycbench {

class FlushedFile {
 public:
  explicit FlushedFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Creates or empties the file. Like the methods below, throws std::system_error if the file can't
  // be written.
  void Open();
  // Returns what writes to the file.
  std::ostream& stream() { return file_; }
  // Hands everything to the kernel.
  void Flush();
  // Flushes, and waits until the file is on its disk.
  void Finish();

 private:
  void ThrowUnlessGood() const;

  std::filesystem::path path_;
  std::ofstream file_;
};

// Makes a file of results survive a loss of power: first its content, then its name. Throws
// std::system_error.
void SyncResult(const std::filesystem::path& path);

// Throws std::system_error, which says that the file can't be written; `error` is errno.
[[noreturn]] void ThrowUnwritten(int error, const std::filesystem::path& path);

}  // namespace rpycbench
