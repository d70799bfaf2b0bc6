// A file descriptor with one owner, who closes it once. A class that keeps one needs no destructor
// of its own, and its moves can be the default ones.
//
//   const net::Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
//   if (!file.is_open()) …
#pragma once

#include <unistd.h>

#include <utility>

namespace rpycbench::net {

class Descriptor {
 public:
  Descriptor() = default;
  // Takes ownership; of nothing if `descriptor` is negative, as system calls return it.
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor taken(std::move(other));
    std::swap(descriptor_, taken.descriptor_);
    return *this;
  }
  ~Descriptor() { Close(); }

  bool is_open() const { return descriptor_ >= 0; }
  // Negative if it is not open.
  int get() const { return descriptor_; }
  // Does nothing if it is not open.
  void Close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_ = -1;
};

}  // namespace rpycbench::net
