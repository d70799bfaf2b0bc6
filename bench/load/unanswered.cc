#include "bench/load/unanswered.h"

#include <algorithm>
#include <system_error>

#include "fixtures/clients/http_client.h"
#include "servers/net/socket.h"

namespace rpycbench {
namespace {

constexpr std::errc kRefusals[] = {std::errc::connection_refused, std::errc::connection_reset,
                                   std::errc::connection_aborted, std::errc::broken_pipe};
constexpr int kTooManyRequests = 429;
constexpr int kServiceUnavailable = 503;

}  // namespace

CallEnd EndOf(const std::exception& error) {
  if (const auto* network = dynamic_cast<const net::Error*>(&error)) {
    if (network->timed_out()) return CallEnd::kTimedOut;
    const auto is_code = [&](std::errc code) { return network->code() == code; };
    return std::ranges::any_of(kRefusals, is_code) ? CallEnd::kRefused : CallEnd::kFailed;
  }
  if (dynamic_cast<const net::EndOfStream*>(&error) != nullptr) return CallEnd::kRefused;
  if (const auto* answer = dynamic_cast<const HttpError*>(&error)) {
    const bool overloaded =
        answer->status() == kTooManyRequests || answer->status() == kServiceUnavailable;
    return overloaded ? CallEnd::kRefused : CallEnd::kFailed;
  }
  return CallEnd::kFailed;
}

}  // namespace rpycbench
