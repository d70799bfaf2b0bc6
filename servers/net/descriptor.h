// A file descriptor with one owner, which closes it once. A class that holds one needs no
// destructor of its own, and its moves can be defaulted.
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
  // Takes ownership of `descriptor`. A negative number, as system calls return it on failure,
  // leaves the object closed.
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor taken(std::move(other));
    std::swap(descriptor_, taken.descriptor_);
    return *this;
  }
  ~Descriptor() { Close(); }

  bool is_open() const { return descriptor_ >= 0; }
  // Returns the descriptor, or a negative number if it is not open.
  int get() const { return descriptor_; }
  // Gives up the ownership and returns the descriptor.
  int Release() { return std::exchange(descriptor_, -1); }
  // Closes the descriptor. Does nothing if it is not open.
  void Close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_ = -1;
};

}  // namespace rpycbench::net
