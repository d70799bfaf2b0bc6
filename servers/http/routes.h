// Which operation a request's target names, and its arguments. The table in routes.cc is the one
// place where paths are written down.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rpycbench::http {

enum class Operation {
  kPing,
  kEcho,
  kUpload,
  kDownload,
  kCompute,
  kSleep,
  kUploadFile,
  kDownloadFile,
  kUploadFileChunked,
  kDownloadFileChunked,
  kDownloadFileStreamed,
  kCrash
};

struct Route {
  std::string_view name;  // the first segment of the path
  std::size_t arguments;  // the segments after it
  bool takes_body;        // asked for by POST; by GET or HEAD otherwise
  Operation operation;
};

struct Match {
  Route route;
  std::array<std::string_view, 2> arguments;
};

// The path of a request's target in origin form ("/ping") or absolute form ("http://host/ping",
// whose scheme knows no case; "/" if it has no path); a query is left out. Empty for any other
// target.
std::optional<std::string_view> PathOf(std::string_view target);

// The route of a path ("/download/1024"). Empty for an unknown one; arguments are not looked at.
std::optional<Match> FindRoute(std::string_view path);

// An argument's value. Throw service::ValueError if it isn't a number of this type.
std::int64_t ParseInteger(std::string_view text);
double ParseSeconds(std::string_view text);

// `text` as it can stand between quotes in JSON: quotes and backslashes escaped, all that isn't
// printable ASCII replaced by '?', cut after 200 bytes.
std::string JsonText(std::string_view text);

}  // namespace rpycbench::http
