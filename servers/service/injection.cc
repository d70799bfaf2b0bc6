#include "servers/service/injection.h"

#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <new>

namespace rpycbench::service {

std::optional<Injection> Injection::Parse(std::string_view text) {
  constexpr std::string_view kSpin = "spin:";
  constexpr std::int64_t kMostNs = 10'000'000'000;
  if (text == "syscall") return Injection(Kind::kSyscall);
  if (text == "alloc") return Injection(Kind::kAllocation);
  if (text == "bytes") return Injection(Kind::kBytes);
  if (!text.starts_with(kSpin)) return std::nullopt;
  std::int64_t ns = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + kSpin.size(), text_end, ns);
  if (error != std::errc() || end != text_end || ns < 1 || ns > kMostNs) return std::nullopt;
  return Injection(Kind::kSpin, std::chrono::nanoseconds(ns));
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
      // Called by name: a pair of new and delete may be optimised away.
      ::operator delete(::operator new(1));
      return;
    case Kind::kBytes:
    case Kind::kNothing:
      return;
  }
}

}  // namespace rpycbench::service
