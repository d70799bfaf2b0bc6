#include "servers/http/routes.h"

#include <boost/beast/core/string.hpp>
#include <charconv>
#include <string>

#include "servers/service/service.h"

namespace rpycbench::http {
namespace {

namespace beast = boost::beast;
using beast::http::verb;

beast::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

constexpr std::array kRoutes{
    Route{"ping", 0, verb::get, Operation::kPing},
    Route{"echo", 0, verb::post, Operation::kEcho},
    Route{"upload", 0, verb::post, Operation::kUpload},
    Route{"download", 1, verb::get, Operation::kDownload},
    Route{"compute", 1, verb::get, Operation::kCompute},
    Route{"sleep", 1, verb::get, Operation::kSleep},
    Route{"upload-file", 0, verb::post, Operation::kUploadFile},
    Route{"download-file", 1, verb::get, Operation::kDownloadFile},
    Route{"upload-file-chunked", 0, verb::post, Operation::kUploadFileChunked},
    Route{"download-file-chunked", 2, verb::get, Operation::kDownloadFileChunked},
    Route{"download-file-streamed", 2, verb::get, Operation::kDownloadFileStreamed},
    Route{"value", 0, verb::get, Operation::kValue},
    Route{"setting", 0, verb::get, Operation::kGetSetting},
    Route{"setting", 1, verb::put, Operation::kPutSetting},
    Route{"fail", 0, verb::get, Operation::kFail},
    Route{"item", 1, verb::get, Operation::kItem},
    Route{"items", 1, verb::get, Operation::kItems},
    Route{"crash", 0, verb::post, Operation::kCrash},
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

std::string_view Route::allowed() const {
  if (method == verb::post) return "POST, OPTIONS";
  if (method == verb::put) return "PUT, OPTIONS";
  return "GET, HEAD, OPTIONS";
}

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
    std::string_view rest = path;
    bool all_given = true;
    for (std::size_t i = 0; i < route.arguments; ++i) {
      match.arguments[i] = CutSegment(rest);
      all_given = all_given && !match.arguments[i].empty();
    }
    if (all_given && rest.empty()) return match;
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
