#include "servers/service/injection.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <new>

#include "servers/net/text.h"

namespace rpycbench::service {
namespace {

// Returns the number that all of `text` represents, if it is from `least` to `most`.
template <class Number>
std::optional<Number> Within(std::string_view text, Number least, Number most) {
  const auto number = ParseWhole<Number>(text);
  return number && *number >= least && *number <= most ? number : std::nullopt;
}

// Removes the text before the next colon, and the colon, from `text`. Returns the removed text.
std::string_view TakeWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(':'));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

std::optional<Injection> Injection::Parse(std::string_view text) {
  constexpr std::int64_t kMostNs = 10'000'000'000;
  constexpr double kLeastPercent = 0.001;
  if (text.ends_with(':')) return std::nullopt;
  const std::string_view kind = TakeWord(text);
  Injection injection;
  if (kind == "spin") {
    const auto ns = Within<std::int64_t>(TakeWord(text), 1, kMostNs);
    if (!ns) return std::nullopt;
    injection = Injection(Kind::kSpin);
    injection.spin_ = std::chrono::nanoseconds(*ns);
  } else if (kind == "syscall") {
    injection = Injection(Kind::kSyscall);
  } else if (kind == "alloc") {
    injection = Injection(Kind::kAllocation);
  } else if (kind == "bytes" && text.empty()) {
    return Injection(Kind::kBytes);
  } else {
    return std::nullopt;
  }
  if (text.empty()) return injection;
  const auto percent = Within(text, kLeastPercent, 100.0);
  if (!percent) return std::nullopt;
  injection.share_ = *percent / 100;
  return injection;
}

// After n operations, floor(n * share) have had the cost.
void Injection::SpendIfDue() const {
  if (share_ < 1) {
    static std::atomic<std::uint64_t> operations = 0;
    const auto before = static_cast<double>(operations.fetch_add(1, std::memory_order_relaxed));
    if (std::floor((before + 1) * share_) == std::floor(before * share_)) return;
  }
  Spend();
}

void Injection::Spend() const {
  using Clock = std::chrono::steady_clock;
  switch (kind_) {
    case Kind::kSpin:
      for (const auto end = Clock::now() + spin_; Clock::now() < end;) {
      }
      return;
    case Kind::kSyscall:
      ::getppid();
      return;
    case Kind::kAllocation:
      // The functions are called by name, because the compiler may remove a pair of new and delete.
      ::operator delete(::operator new(1));
      return;
    case Kind::kBytes:
    case Kind::kNothing:
      return;
  }
}

}  // namespace rpycbench::service
