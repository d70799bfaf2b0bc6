// Tests the requirements that RFC 9110 (HTTP Semantics) and RFC 9112 (HTTP/1.1) place on a server,
// one by one. A refused request gets one answer. If its end is uncertain, the connection closes,
// and no part of it is taken for another request.
//
// The server deviates on purpose in these points:
// - It sends no Date (9110, 6.6.1). That field would add 37 bytes to each answer, which the
// protocol
//   it is compared with does not need.
// - It does not decode percent-encoded letters in a path.
// - It ignores Upgrade, and Expect with anything but 100-continue.
// - It reads and drops trailer fields, as 9110, 6.5.1 allows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "servers/http/testing/session_fixture.h"

namespace rpycbench::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

enum class Then { kGoesOn, kCloses };

struct Requirement {
  std::string_view section;
  std::string_view what;
  std::string request;
  std::string_view status;
  Then then;
};

// The request that a smuggler hopes to have served.
const std::string kSmuggled = Get("/compute/4");

std::string Upload(std::string_view fields, std::string_view rest) {
  return "POST /upload HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(rest);
}

std::string ChunkedUpload(std::string_view rest) {
  return Upload("Transfer-Encoding: chunked\r\n", rest);
}

std::string Ping(std::string_view fields, std::string_view version = "1.1") {
  return "GET /ping HTTP/" + std::string(version) + "\r\n" + std::string(fields) + "\r\n";
}

const std::vector<Requirement>& Requirements() {
  using enum Then;
  static const std::string host = "Host: h\r\n";
  static const std::vector<Requirement> all = {
      // The request line.
      {"9112 2.2", "empty lines before it are ignored", "\r\n" + Ping(host), "200", kGoesOn},
      {"9112 2.2", "a bare LF ends no line", "GET /ping HTTP/1.1\nHost: h\n\n\r\n\r\n", "505",
       kCloses},
      {"9112 2.2", "a bare CR stands in no line", Ping("Host: h\r\nA: b\rc\r\n"), "400", kCloses},
      {"9112 2.2", "no blanks before the first field", Ping(" Host: h\r\n"), "400", kCloses},
      {"9112 2.3", "a later minor version is refused", Ping(host, "1.2"), "505", kCloses},
      {"9110 15.6.6", "another major version is refused", Ping(host, "2.0"), "505", kCloses},
      {"9112 3", "no more than one blank between the parts",
       "GET  /ping HTTP/1.1\r\nHost: h\r\n\r\n", "400", kCloses},
      {"9112 3", "a target that is too long", "GET /" + std::string(9000, 'a'), "414", kCloses},
      {"9110 9.1", "an unknown method", "BREW /ping HTTP/1.1\r\nHost: h\r\n\r\n", "501", kGoesOn},
      {"9110 9.1", "methods know the case of letters", "get /ping HTTP/1.1\r\nHost: h\r\n\r\n",
       "501", kGoesOn},
      // The target.
      {"9112 3.2.1", "origin form, with a query", Get("/ping?a=/b"), "200", kGoesOn},
      {"9112 3.2.2", "absolute form", Get("http://h:80/ping"), "200", kGoesOn},
      {"9110 4.2.3", "schemes know no case", Get("HTTP://h/ping"), "200", kGoesOn},
      {"9110 4.2.1", "a URL without a host", Get("http:///ping"), "400", kGoesOn},
      {"9110 7.4", "a URL of another scheme", Get("https://h/ping"), "400", kGoesOn},
      {"9112 3.2.2", "absolute form needs Host, too", "GET http://h/ping HTTP/1.1\r\n\r\n", "400",
       kCloses},
      {"9110 9.3.6", "no tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" + kSmuggled,
       "501", kCloses},
      {"9112 3.2.4", "asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "200", kGoesOn},
      {"9112 3.2.4", "asterisk form is for OPTIONS alone", Get("*"), "400", kGoesOn},
      {"9110 9.3.7", "OPTIONS of a path", "OPTIONS /upload HTTP/1.1\r\nHost: h\r\n\r\n", "200",
       kGoesOn},
      {"9110 9.3.7", "OPTIONS may have a body",
       "OPTIONS /ping HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "200", kGoesOn},
      // Host.
      {"9112 3.2", "no Host", Ping(""), "400", kCloses},
      {"9112 3.2", "two of them", Ping("Host: h\r\nHost: h\r\n"), "400", kCloses},
      {"9112 3.2", "one that is none", Ping("Host: a b\r\n"), "400", kCloses},
      {"9112 3.2", "a path in it", Ping("Host: h/ping\r\n"), "400", kCloses},
      {"9112 3.2", "a user in it", Ping("Host: a@h\r\n"), "400", kCloses},
      {"9112 3.2", "an empty one", Ping("Host:\r\n"), "200", kGoesOn},
      {"9112 3.2", "an address and a port", Ping("Host: [::1]:8080\r\n"), "200", kGoesOn},
      {"9112 3.2", "HTTP/1.0 needs none", Ping("Connection: keep-alive\r\n", "1.0"), "200",
       kGoesOn},
      {"9112 3.2", "two in HTTP/1.0", Ping("Host: h\r\nHost: h\r\n", "1.0"), "400", kCloses},
      // Fields.
      {"9112 5.1", "no blank before the colon", Ping("Host : h\r\n"), "400", kCloses},
      {"9112 5.1", "none in a name", Ping("Host: h\r\nA b: c\r\n"), "400", kCloses},
      {"9112 5.1", "no name", Ping("Host: h\r\n: c\r\n"), "400", kCloses},
      {"9112 5.2", "a folded value is one with a blank", Ping("Host: h\r\nA: b\r\n c\r\n"), "200",
       kGoesOn},
      {"9112 5.2", "a folded length", Upload("Content-Length:\r\n 3\r\n", "abc"), "200", kGoesOn},
      {"9110 5.5", "no NUL in a value", Ping("Host: h\r\nA: b" + std::string(1, '\0') + "\r\n"),
       "400", kCloses},
      {"9110 5.5", "bytes above ASCII are opaque", Ping("Host: h\r\nA: \xff\r\n"), "200", kGoesOn},
      {"9110 5.1", "names know no case", Upload("CONTENT-LENGTH: 3\r\n", "abc"), "200", kGoesOn},
      {"9110 5.4", "fields beyond the limit",
       Ping("Host: h\r\nA: " + std::string(9000, 'a') + "\r\n"), "431", kCloses},
      // Lengths.
      {"9112 6.3", "no length where a body is due", Upload("", kSmuggled), "411", kCloses},
      {"9112 6.3", "one that is no number", Upload("Content-Length: x\r\n", kSmuggled), "400",
       kCloses},
      {"9112 6.3", "one with a sign", Upload("Content-Length: +3\r\n", "abc"), "400", kCloses},
      {"9112 6.3", "a negative one", Upload("Content-Length: -3\r\n", "abc"), "400", kCloses},
      {"9112 6.3", "an empty one", Upload("Content-Length:\r\n", kSmuggled), "400", kCloses},
      {"9112 6.3", "one beyond 64 bits", Upload("Content-Length: 18446744073709551616\r\n", ""),
       "400", kCloses},
      {"9112 6.3", "two that differ", Upload("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"),
       "400", kCloses},
      {"9112 6.3", "a list that differs", Upload("Content-Length: 3, 4\r\n", "abc"), "400",
       kCloses},
      {"9112 6.3", "two that are the same",
       Upload("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "200", kGoesOn},
      {"9110 8.6", "one that is too much", Upload("Content-Length: 1073741825\r\n", ""), "413",
       kCloses},
      // Transfer codings.
      {"9112 6.1", "chunks", ChunkedUpload("3\r\nabc\r\n0\r\n\r\n"), "200", kGoesOn},
      {"9112 6.1", "codings know no case",
       Upload("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"), "200", kGoesOn},
      {"9112 6.1", "an unknown one below chunks",
       Upload("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n" + kSmuggled), "501", kCloses},
      {"9112 6.1", "the same in two fields",
       Upload("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
       "501", kCloses},
      {"9112 6.3", "an unknown one alone", Upload("Transfer-Encoding: gzip\r\n", kSmuggled), "400",
       kCloses},
      {"9112 6.3", "identity", Upload("Transfer-Encoding: identity\r\n", kSmuggled), "400",
       kCloses},
      {"9112 6.3", "chunks below another",
       Upload("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n" + kSmuggled), "400", kCloses},
      {"9112 6.3", "the same in two fields",
       Upload("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", "0\r\n\r\n" + kSmuggled),
       "400", kCloses},
      {"9112 6.1", "chunks twice",
       Upload("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n" + kSmuggled), "400", kCloses},
      {"9112 6.1", "chunks with a parameter",
       Upload("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n" + kSmuggled), "400", kCloses},
      {"9112 6.1", "nothing", Upload("Transfer-Encoding:\r\nContent-Length: 3\r\n", "abc"), "400",
       kCloses},
      {"9112 6.1", "nothing where no body is due",
       Ping("Host: h\r\nTransfer-Encoding: ,\r\n") + kSmuggled, "400", kCloses},
      {"9112 6.1", "with a length behind it",
       Upload("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + kSmuggled),
       "400", kCloses},
      {"9112 6.1", "with a length before it",
       Upload("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
       "400", kCloses},
      {"9112 6.1", "an unknown one with a length",
       Upload("Transfer-Encoding: gzip\r\nContent-Length: 0\r\n", kSmuggled), "400", kCloses},
      {"9112 6.1", "none in HTTP/1.0",
       "POST /upload HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\n" +
           kSmuggled,
       "400", kCloses},
      {"9112 6.1", "an unknown one where no body is due",
       Ping("Host: h\r\nTransfer-Encoding: gzip\r\n") + kSmuggled, "400", kCloses},
      {"9112 6.1", "an unknown one of an unknown method",
       "BREW /ping HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n" + kSmuggled, "400",
       kCloses},
      // Chunks.
      {"9112 7.1", "a size that is none", ChunkedUpload("x\r\n"), "400", kCloses},
      {"9112 7.1", "a size beyond 64 bits", ChunkedUpload("10000000000000000\r\n"), "400", kCloses},
      {"9112 7.1", "a chunk longer than its size", ChunkedUpload("3\r\nabcd\r\n0\r\n\r\n"), "400",
       kCloses},
      {"9112 7.1.1", "an extension is ignored", ChunkedUpload("3;a=\"b\"\r\nabc\r\n0\r\n\r\n"),
       "200", kGoesOn},
      {"9112 7.1.1", "no line end in an extension",
       ChunkedUpload("3;a=\"\nb\"\r\nabc\r\n0\r\n\r\n"), "400", kCloses},
      {"9112 7.1.1", "no NUL in an extension",
       ChunkedUpload("3;a=\"" + std::string(1, '\0') + "\"\r\nabc\r\n0\r\n\r\n"), "400", kCloses},
      {"9112 7.1.2", "trailers are ignored", ChunkedUpload("0\r\nA: b\r\n\r\n"), "200", kGoesOn},
      {"9110 6.5.1", "a length among trailers", ChunkedUpload("0\r\nContent-Length: 9\r\n\r\n"),
       "400", kCloses},
      {"9112 7.1.1", "an extension beyond the limit",
       ChunkedUpload("3;a=" + std::string(20000, 'b')), "4", kCloses},
      // The connection.
      {"9112 9.3", "HTTP/1.1 goes on", Ping(host), "200", kGoesOn},
      {"9112 9.3", "HTTP/1.0 does not", Ping("", "1.0"), "200", kCloses},
      {"9112 9.6", "close", Ping("Host: h\r\nConnection: close\r\n"), "200", kCloses},
      {"9112 9.6", "close among others", Ping("Host: h\r\nConnection: a, Close ,b\r\n"), "200",
       kCloses},
      {"9112 9.6", "close in a second field",
       Ping("Host: h\r\nConnection: keep-alive\r\nConnection: close\r\n"), "200", kCloses},
      {"9112 9.3", "close outweighs keep-alive", Ping("Connection: close, keep-alive\r\n", "1.0"),
       "200", kCloses},
      {"9112 9.6", "nothing behind close is served",
       Ping("Host: h\r\nConnection: close\r\n") + kSmuggled, "200", kCloses},
      {"9110 7.8", "no upgrade", Ping("Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"),
       "200", kGoesOn},
      // Methods and bodies.
      {"9110 9.3.1", "GET may have a body, which is read",
       Ping("Host: h\r\nContent-Length: 3\r\n") + "abc", "200", kGoesOn},
      {"9110 15.5.5", "a body behind an unknown path",
       "POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kSmuggled.size()) +
           "\r\n\r\n" + kSmuggled,
       "404", kCloses},
      {"9110 15.5.6", "a body of a method that is not allowed",
       "PUT /ping HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kSmuggled.size()) +
           "\r\n\r\n" + kSmuggled,
       "405", kCloses},
      {"9110 10.1.1", "an expectation of HTTP/1.0 is ignored",
       "POST /upload HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: "
       "3\r\n\r\nabc",
       "200", kGoesOn},
      {"9110 10.1.1", "a body that is there need not be told to come",
       Upload("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"), "200", kGoesOn},
  };
  return all;
}

class RequirementsTest : public SessionTest {};

// Stderr has a line for each refusal that closes the connection, and no other.
TEST_F(RequirementsTest, AreMet) {
  std::size_t refused = 0;
  for (const Requirement& one : Requirements()) {
    const std::string name = std::string(one.section) + ": " + std::string(one.what);
    Start({});
    const std::string answer = Ask(one.request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::string(one.status))) << name;
    if (one.then == Then::kGoesOn) {
      EXPECT_EQ(Ask(kPingRequest), kPongAnswer) << name;
      continue;
    }
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << name;
    EXPECT_TRUE(ClosedByServer()) << name << ": more follows the answer";
    if (one.status == "200") continue;
    EXPECT_THAT(answer, HasSubstr("{\"error\":\"")) << name;
    ++refused;
  }
  EXPECT_THAT(EndAndReadLog(), testing::Contains('\n').Times(refused));
}

TEST_F(RequirementsTest, OptionsNameTheMethods) {
  EXPECT_THAT(Ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("\r\nContent-Length: 0\r\nAllow: GET, HEAD, POST, PUT, OPTIONS\r\n"));
  EXPECT_THAT(Ask("OPTIONS /upload HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("\r\nAllow: POST, OPTIONS\r\n"));
}

// 9110, 9.3.2: the answer to HEAD is that to GET, length included, without the content.
TEST_F(RequirementsTest, HeadIsGetWithoutContent) {
  for (const std::string path :
       {"/ping", "/download/5", "/download-file-chunked/3/2", "/nowhere"}) {
    const std::string get = Ask(Get(path));
    const std::string head = get.substr(0, get.find("\r\n\r\n") + 4);
    Send("HEAD " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(Receive(head.size()), head) << path;
    EXPECT_EQ(Ask(kPingRequest), kPongAnswer) << path;
  }
}

// 9112, 9.6: closing with unread bytes resets the connection and may destroy the answer.
TEST_F(RequirementsTest, TheLastAnswerSurvivesWhatComesBehindIt) {
  const std::string rest(4 << 20, '\n');
  Send(Ping("Host: h\r\nConnection: close\r\n"));
  Send(rest);
  EXPECT_THAT(ReceiveAnswer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(ClosedByServer());
  EXPECT_EQ(EndAndReadLog(), "");
}

// A byte now and then is progress, but does not complete a head.
TEST_F(RequirementsTest, AHeadMustBeWholeWithinTheTimeLimit) {
  Start({}, std::chrono::milliseconds(200));
  peer_.SetTimeout(std::chrono::milliseconds(20));
  Send("GET /ping HTTP/1.1\r\nHost: h\r\nA: ");
  bool closed = false;
  for (int i = 0; i < 500 && !closed; ++i) {
    try {
      Send("b");
      char byte;
      closed = peer_.ReceiveSome(&byte, 1) == 0;
    } catch (const net::Error& error) {
      closed = !error.timed_out();
    }
  }
  EXPECT_TRUE(closed);
  EXPECT_THAT(EndAndReadLog(), HasSubstr("receive the head of a message from"));
}

}  // namespace
}  // namespace rpycbench::http
