// Tests which targets lead to which operations, how their arguments are parsed, and how text is
// escaped for JSON.
#include "servers/http/routes.h"

#include <gtest/gtest.h>

#include "servers/service/service.h"

namespace rpycbench::http {
namespace {

std::optional<Match> Find(std::string_view target) {
  const std::optional<std::string_view> path = PathOf(target);
  return path ? FindRoute(*path) : std::nullopt;
}

TEST(Routes, FindsEveryOperation) {
  const std::vector<std::pair<std::string_view, Operation>> cases = {
      {"/ping", Operation::kPing},
      {"/echo", Operation::kEcho},
      {"/upload", Operation::kUpload},
      {"/download/1", Operation::kDownload},
      {"/compute/1", Operation::kCompute},
      {"/sleep/0.5", Operation::kSleep},
      {"/upload-file", Operation::kUploadFile},
      {"/download-file/1", Operation::kDownloadFile},
      {"/upload-file-chunked", Operation::kUploadFileChunked},
      {"/download-file-chunked/2/1", Operation::kDownloadFileChunked},
      {"/download-file-streamed/2/1", Operation::kDownloadFileStreamed},
      {"/value", Operation::kValue},
      {"/setting", Operation::kGetSetting},
      {"/setting/-7", Operation::kPutSetting},
      {"/fail", Operation::kFail},
      {"/item/3", Operation::kItem},
      {"/items/3", Operation::kItems},
      {"/crash", Operation::kCrash},
      {"/ping?verbose=1", Operation::kPing},
      {"http://localhost:80/ping", Operation::kPing},
      {"HTTP://[::1]/ping?verbose=1", Operation::kPing},
  };
  for (const auto& [target, operation] : cases) {
    const std::optional<Match> match = Find(target);
    ASSERT_TRUE(match.has_value()) << target;
    EXPECT_EQ(match->route.operation, operation) << target;
  }
}

TEST(Routes, CutsArguments) {
  const std::optional<Match> match = Find("/download-file-chunked/2048/512?x=/1");
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->arguments[0], "2048");
  EXPECT_EQ(match->arguments[1], "512");
}

TEST(Routes, FindsNothingElse) {
  for (const std::string_view target : {"",
                                        "/",
                                        "*",
                                        "ping",
                                        "/pin",
                                        "/pingg",
                                        "/ping/",
                                        "/ping/1",
                                        "//ping",
                                        "/download",
                                        "/download/",
                                        "/download//",
                                        "/download/1/2",
                                        "/download/1/",
                                        "/download-file-chunked/1",
                                        "/download-file-chunked//1",
                                        "/download-file-chunked/1/2/3",
                                        "http://localhost",
                                        "https://localhost/ping",
                                        "http:///ping",
                                        "http://:80/ping",
                                        "http://localhost?/ping"}) {
    EXPECT_FALSE(Find(target).has_value()) << target;
  }
}

TEST(Routes, ReadsNumbers) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ParseSeconds("0.25"), 0.25);
  EXPECT_EQ(ParseSeconds("2"), 2);
  for (const std::string_view bad : {"", "x", "1x", "1.5", " 1", "+1", "9223372036854775808"}) {
    EXPECT_THROW(ParseInteger(bad), service::ValueError) << bad;
  }
  for (const std::string_view bad : {"", "x", "1s", "1,5", " 1"}) {
    EXPECT_THROW(ParseSeconds(bad), service::ValueError) << bad;
  }
}

TEST(Routes, WritesTextForJson) {
  EXPECT_EQ(JsonText("plain 'text'"), "plain 'text'");
  EXPECT_EQ(JsonText("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(JsonText("a\nb\xc3\x28"), "a?b?(");
  EXPECT_EQ(JsonText(std::string(1000, 'x')), std::string(200, 'x'));
}

}  // namespace
}  // namespace rpycbench::http
