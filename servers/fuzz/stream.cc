#include "servers/fuzz/stream.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

namespace rpycbench::fuzz {
namespace {

Stream*& CurrentPlace() {
  static Stream* current = nullptr;
  return current;
}

}  // namespace

Stream::Stream(std::string_view incoming, const Cuts& cuts) : incoming_(incoming), cuts_(cuts) {
  Check(CurrentPlace() == nullptr, "one stream lives at a time");
  CurrentPlace() = this;
}

Stream::~Stream() { CurrentPlace() = nullptr; }

Stream* Stream::Current() { return CurrentPlace(); }

std::size_t Stream::Take(std::string_view& from, void* into, std::size_t size) {
  // A receive of no bytes looks like the end of the stream, so the layers must not ask for it.
  Check(size > 0, "a receive has room for a byte");
  if (from.empty()) return 0;
  const std::size_t count = std::min({size, cuts_.Next(), from.size()});
  std::memcpy(into, from.data(), count);
  from.remove_prefix(count);
  return count;
}

}  // namespace rpycbench::fuzz

// The linker's option --wrap gives these names to the redirected calls and to the original ones.
extern "C" {

ssize_t __real_recv(int descriptor, void* into, std::size_t size, int flags);
ssize_t __real_send(int descriptor, const void* data, std::size_t size, int flags);
ssize_t __real_sendmsg(int descriptor, const msghdr* message, int flags);
ssize_t __real_write(int descriptor, const void* data, std::size_t size);

ssize_t __wrap_recv(int descriptor, void* into, std::size_t size, int flags) {
  const auto stream = rpycbench::fuzz::Stream::Current();
  if (stream == nullptr) return __real_recv(descriptor, into, size, flags);
  return static_cast<ssize_t>(stream->Receive(into, size));
}

ssize_t __wrap_send(int descriptor, const void* data, std::size_t size, int flags) {
  const auto stream = rpycbench::fuzz::Stream::Current();
  if (stream == nullptr) return __real_send(descriptor, data, size, flags);
  stream->Send({static_cast<const char*>(data), size});
  return static_cast<ssize_t>(size);
}

ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int flags) {
  const auto stream = rpycbench::fuzz::Stream::Current();
  if (stream == nullptr) return __real_sendmsg(descriptor, message, flags);
  ssize_t size = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& piece = message->msg_iov[i];
    stream->Send({static_cast<const char*>(piece.iov_base), piece.iov_len});
    size += static_cast<ssize_t>(piece.iov_len);
  }
  return size;
}

ssize_t __wrap_write(int descriptor, const void* data, std::size_t size) {
  const auto stream = rpycbench::fuzz::Stream::Current();
  if (stream == nullptr || descriptor != STDERR_FILENO) {
    return __real_write(descriptor, data, size);
  }
  stream->Log({static_cast<const char*>(data), size});
  return static_cast<ssize_t>(size);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
