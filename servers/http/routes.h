// Finds the operation that a request's target names, and its arguments. The table in routes.cc is
// the only list of the paths.
#pragma once

#include <array>
#include <boost/beast/http/verb.hpp>
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
  kValue,
  kGetSetting,
  kPutSetting,
  kFail,
  kItem,
  kItems,
  kCrash
};

struct Route {
  std::string_view name;            // the first segment of the path
  std::size_t arguments;            // the segments after it
  boost::beast::http::verb method;  // GET also means HEAD
  Operation operation;

  // Returns whether requests must have a body with a length.
  bool takes_body() const { return method == boost::beast::http::verb::post; }
  // Returns the methods of the path, for the header Allow.
  std::string_view allowed() const;
};

struct Match {
  Route route;
  std::array<std::string_view, 2> arguments;
};

// Returns the path of a request's target in origin form ("/ping") or absolute form
// ("http://host/ping"). The case of the scheme does not matter, a missing path is "/", and a query
// is left out. Returns nothing for any other target.
std::optional<std::string_view> PathOf(std::string_view target);

// Returns the route of a path such as "/download/1024", or nothing for an unknown path. The values
// of the arguments are not checked.
std::optional<Match> FindRoute(std::string_view path);

// Return the value of an argument. Throw service::ValueError if it is not a number of this type.
std::int64_t ParseInteger(std::string_view text);
double ParseSeconds(std::string_view text);

// Returns `text` as the contents of a JSON string. Quotes and backslashes are escaped, bytes other
// than printable ASCII become '?', and the text is cut after 200 bytes.
std::string JsonText(std::string_view text);

}  // namespace rpycbench::http
