// A small known cost that is added to a server's operations, or to a share of them. It shows
// whether a measurement notices time, a system call, an allocation, or a byte on the wire. The
// default adds nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace rpycbench::service {

class Injection {
 public:
  // The valid texts. A percentage is the share of operations that get the cost, at even distances;
  // the default is 100.
  static constexpr char kValid[] =
      "spin:<1..10000000000 ns>[:<percent>], syscall[:<percent>], alloc[:<percent>] or bytes";

  Injection() = default;
  // Returns the injection that `text` describes, or nothing if kValid does not list such a text.
  static std::optional<Injection> Parse(std::string_view text);

  explicit operator bool() const { return kind_ != Kind::kNothing; }
  // Returns whether each reply must be a byte longer. Only the protocol knows how to do that.
  bool lengthens_replies() const { return kind_ == Kind::kBytes; }

  // Spends the cost once. The protocol calls it once for each operation, when the request has
  // arrived.
  void Apply() const {
    if (*this) [[unlikely]]
      SpendIfDue();
  }

 private:
  enum class Kind { kNothing, kSpin, kSyscall, kAllocation, kBytes };

  explicit Injection(Kind kind) : kind_(kind) {}
  void SpendIfDue() const;
  void Spend() const;

  Kind kind_ = Kind::kNothing;
  std::chrono::nanoseconds spin_{};
  double share_ = 1;  // of the operations
};

}  // namespace rpycbench::service
