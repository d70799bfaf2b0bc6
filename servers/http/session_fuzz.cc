// Fuzzes a whole HTTP session. The answers must be the same however the input is cut, and a session
// must end with one of the errors it knows. The last answer before a close may differ. Which of
// several errors appears first depends on what has arrived, and a malformed head that stops early
// may or may not be answered.
#include <algorithm>
#include <string>

#include "servers/fuzz/stream.h"
#include "servers/http/session.h"

namespace rpycbench::http {
namespace {

using fuzz::Check;
using fuzz::Cuts;
using fuzz::Stream;

// The session must not sleep, so the longest sleep is 0 s.
constexpr service::Limits kLimits{.max_bytes = 4096, .max_chunks = 100, .max_sleep_seconds = 0};

// Removes 100 Continue. Whether the session sends it depends on how much has arrived already.
std::string WithoutContinue(std::string_view answers) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  std::string rest;
  for (;;) {
    const std::size_t at = answers.find(kContinue);
    rest += answers.substr(0, at);
    if (at == std::string_view::npos) return rest;
    answers.remove_prefix(at + kContinue.size());
  }
}

// Checks for unexpected errors, which a session distinguishes only by their line on stderr.
void CheckLog(std::string_view log) {
  constexpr std::string_view kPeer = "bench_server: http: ?: ";
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    Check(!line.starts_with(kPeer) || line.find(", closed: ") != std::string_view::npos,
          "errors are of the known kinds; this one isn't: " + std::string(line));
    log.remove_prefix(line.size() + 1);
  }
}

std::string Answers(std::string_view input, const Cuts& cuts) {
  static const service::Service service(service::PayloadKind::kText, kLimits);
  Stream stream(input, cuts);
  ServeSession(stream.socket(), service);
  CheckLog(stream.log());
  return WithoutContinue(stream.sent());
}

// Returns the answers without the refusal that ends the session, if there is one.
std::string_view BeforeRefusal(std::string_view answers) {
  const std::size_t last = std::min(answers.rfind("HTTP/1.1 "), answers.size());
  const std::string_view answer = answers.substr(last);
  const bool refusal = answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5");
  return refusal && answer.find("Connection: close") != answer.npos ? answers.substr(0, last)
                                                                    : answers;
}

bool SameAnswers(std::string_view a, std::string_view b) {
  return a == b || BeforeRefusal(a) == BeforeRefusal(b) || a == BeforeRefusal(b) ||
         BeforeRefusal(a) == b;
}

void Fuzz(std::string_view input) {
  const std::string whole = Answers(input, Cuts::Whole());
  Check(SameAnswers(Answers(input, Cuts::SingleBytes()), whole),
        "bytes are answered like the whole");
  Check(SameAnswers(Answers(input, Cuts::Random(fuzz::Hash(input))), whole),
        "pieces are answered like the whole");
}

}  // namespace
}  // namespace rpycbench::http

void rpycbench::fuzz::Run(std::string_view input) { http::Fuzz(input); }
