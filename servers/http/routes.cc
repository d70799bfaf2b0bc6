#include "servers/http/routes.h"

#include <boost/beast/core/string.hpp>
#include <charconv>
#include <string>

#include "servers/service/service.h"

namespace rpycbench::http {
namespace {

namespace beast = boost::beast;

beast::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

constexpr std::array kRoutes{
    Route{"ping", 0, false, Operation::kPing},
    Route{"echo", 0, true, Operation::kEcho},
    Route{"upload", 0, true, Operation::kUpload},
    Route{"download", 1, false, Operation::kDownload},
    Route{"compute", 1, false, Operation::kCompute},
    Route{"sleep", 1, false, Operation::kSleep},
    Route{"upload-file", 0, true, Operation::kUploadFile},
    Route{"download-file", 1, false, Operation::kDownloadFile},
    Route{"upload-file-chunked", 0, true, Operation::kUploadFileChunked},
    Route{"download-file-chunked", 2, false, Operation::kDownloadFileChunked},
    Route{"download-file-streamed", 2, false, Operation::kDownloadFileStreamed},
    Route{"crash", 0, true, Operation::kCrash},
};

// Removes the text up to the next '/', and the '/', from `path`. Returns the text without the '/'.
std::string_view CutSegment(std::string_view& path) {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), segment.size() + 1));
  return segment;
}

template <class Number>
Number ParseNumber(std::string_view text, std::string_view kind) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc{} && stop == end) return number;
  throw service::ValueError("not " + std::string(kind) + ": '" + std::string(text.substr(0, 40)) +
                            "'");
}

}  // namespace

std::optional<std::string_view> PathOf(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.starts_with('/')) return target;
  constexpr std::string_view kScheme = "http://";
  if (!beast::iequals(Text(target.substr(0, kScheme.size())), Text(kScheme))) return std::nullopt;
  target.remove_prefix(kScheme.size());
  const std::string_view authority = target.substr(0, target.find('/'));
  if (authority.empty() || authority.starts_with(':')) return std::nullopt;
  target.remove_prefix(authority.size());
  return target.empty() ? "/" : target;
}

std::optional<Match> FindRoute(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  // "/ping/" is not "/ping", and an argument is never empty.
  if (path.ends_with('/')) return std::nullopt;
  const std::string_view name = CutSegment(path);
  for (const Route& route : kRoutes) {
    if (route.name != name) continue;
    Match match{route, {}};
    for (std::size_t i = 0; i < route.arguments; ++i) {
      match.arguments[i] = CutSegment(path);
      if (match.arguments[i].empty()) return std::nullopt;
    }
    if (!path.empty()) return std::nullopt;
    return match;
  }
  return std::nullopt;
}

std::int64_t ParseInteger(std::string_view text) {
  return ParseNumber<std::int64_t>(text, "a 64-bit integer");
}

double ParseSeconds(std::string_view text) { return ParseNumber<double>(text, "a number"); }

std::string JsonText(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string json;
  for (const char c : text.substr(0, kLongest)) {
    if (c == '"' || c == '\\') json += '\\';
    json += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return json;
}

}  // namespace rpycbench::http
