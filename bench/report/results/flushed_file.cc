#include "bench/report/results/flushed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "servers/net/descriptor.h"

namespace rpycbench {
namespace {

// Waits until a file or folder is on its disk. Does nothing for what cannot be synchronized, such
// as a pipe. Returns 0 or errno.
int Sync(const std::filesystem::path& path) {
  const net::Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return errno == EACCES ? 0 : errno;  // may be written, but not read
  return ::fsync(file.get()) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
}

}  // namespace

void ThrowUnwritten(int error, const std::filesystem::path& path) {
  throw std::system_error(error, std::generic_category(), "cannot write \"" + path.string() + '"');
}

void SyncResult(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) return;
  for (const std::filesystem::path& part : {path, std::filesystem::absolute(path).parent_path()}) {
    if (const int error = Sync(part); error != 0) ThrowUnwritten(error, path);
  }
}

void FlushedFile::Open() {
  errno = 0;
  file_.open(path_);
  ThrowUnlessGood();
}

void FlushedFile::Flush() {
  errno = 0;
  file_.flush();
  ThrowUnlessGood();
}

void FlushedFile::Finish() {
  Flush();
  SyncResult(path_);
}

void FlushedFile::ThrowUnlessGood() const {
  if (!file_) ThrowUnwritten(errno, path_);
}

}  // namespace rpycbench
