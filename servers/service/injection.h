// A small known cost of a server's operations, or of a share of them, so that it can be seen
// whether a measurement notices: time, a system call, an allocation, or a byte on the wire. Nothing
// by default.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace rpycbench::service {

class Injection {
 public:
  // A percentage is of the operations, which have the cost at even distances; it is 100 if not
  // given.
  static constexpr char kValid[] =
      "spin:<1..10000000000 ns>[:<percent>], syscall[:<percent>], alloc[:<percent>] or bytes";

  Injection() = default;
  // Empty for what kValid does not name.
  static std::optional<Injection> Parse(std::string_view text);

  explicit operator bool() const { return kind_ != Kind::kNothing; }
  // Whether each reply is to be a byte longer, which only its protocol knows how to do.
  bool lengthens_replies() const { return kind_ == Kind::kBytes; }

  // Costs what it says, once; called once for each operation, when its request has arrived.
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
