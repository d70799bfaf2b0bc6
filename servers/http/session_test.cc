// Tests one connection as its peer sees it, byte for byte: routes and statuses, keep-alive,
// pipelining, requests cut anywhere, limits, and broken peers. Stderr is part of the behaviour: a
// session writes nothing, or one line.
#include "servers/http/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "servers/http/testing/session_fixture.h"

namespace rpycbench::http {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(SessionTest, AnswersEveryOperation) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {std::string(kPingRequest), R"({"response":"pong"})"},
      {Post("/echo", "some bytes"), "some bytes"},
      {Post("/echo", ""), ""},
      {Post("/upload", "12345"), R"({"size":5})"},
      {Get("/download/3"), "xxx"},
      {Get("/download/0"), ""},
      {Get("/compute/4"), R"({"result":14})"},
      {Get("/sleep/0.001"), R"({"duration":0.001})"},
      {Post("/upload-file", "1234"), R"({"size":4})"},
      {Get("/download-file/2"), std::string(2, '\0')},
      {Post("/upload-file-chunked", R"({"chunks":["00ff","7f"]})"), R"({"size":3})"},
      {Get("/download-file-chunked/3/2"), R"({"chunks":["0000","00"]})"},
  };
  for (const auto& [request, body] : cases) {
    const std::string answer = Ask(request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n")) << request;
    EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), body) << request;
  }
  EXPECT_EQ(EndAndReadLog(), "");
}

TEST_F(SessionTest, TheHeadIsShort) {
  EXPECT_EQ(Ask(kPingRequest), kPongAnswer);
  EXPECT_THAT(Ask(Get("/download/1")), HasSubstr("Content-Type: application/octet-stream\r\n"));
}

TEST_F(SessionTest, StreamsAFileInChunkedCoding) {
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  const std::string zeros(17, '\0');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0/5", "0\r\n\r\n"},
      {"17/17", "11\r\n" + zeros + "\r\n0\r\n\r\n"},
      {"3/2", "2\r\n" + zeros.substr(0, 2) + "\r\n1\r\n" + zeros.substr(0, 1) + "\r\n0\r\n\r\n"},
  };
  for (const auto& [arguments, body] : cases) {
    Send(Get("/download-file-streamed/" + arguments));
    EXPECT_EQ(Receive(head.size() + body.size()), head + body) << arguments;
  }
  Send("HEAD /download-file-streamed/3/2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(Receive(head.size()), head);
  EXPECT_EQ(Ask(kPingRequest), kPongAnswer);
  EXPECT_THAT(Ask(Get("/download-file-streamed/3/0")), StartsWith("HTTP/1.1 400 "));
}

TEST_F(SessionTest, StreamsNothingToHttp10) {
  const std::string answer = Ask("GET /download-file-streamed/3/2 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n" + std::string(3, '\0')));
  EXPECT_THAT(answer, testing::Not(HasSubstr("chunked")));
}

TEST_F(SessionTest, TellsHttp10ThatTheConnectionIsKept) {
  EXPECT_THAT(Ask("GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(SessionTest, ServesPipelinedRequestsInOrder) {
  // The requests, some with bodies, exceed the receive buffer.
  std::string requests;
  std::string answers;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::string(i % 97, '.') + std::to_string(i);
    requests += Post("/echo", text);
    requests += kPingRequest;
    answers += "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
               std::to_string(text.size()) + "\r\n\r\n" + text;
    answers += kPongAnswer;
  }
  std::thread sender([&] { Send(requests); });
  EXPECT_EQ(Receive(answers.size()), answers);
  sender.join();
  EXPECT_EQ(EndAndReadLog(), "");
}

TEST_F(SessionTest, TakesRequestsByteByByte) {
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n10;ext=1\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n";
  for (const std::string& request : {std::string(kPingRequest), chunked,
                                     Post("/upload-file-chunked", R"({"chunks":["00ff"]})")}) {
    for (const char c : request) Send({&c, 1});
    EXPECT_THAT(ReceiveAnswer(), StartsWith("HTTP/1.1 200 OK\r\n")) << request;
  }
  EXPECT_THAT(Ask(chunked), testing::EndsWith("\r\n\r\nabc0123456789abcdef"));
}

TEST_F(SessionTest, SkipsEmptyLinesBetweenRequests) {
  EXPECT_EQ(Ask("\r\n\r\n" + std::string(kPingRequest)), kPongAnswer);
  Send("\r\n");
  EXPECT_EQ(Ask(kPingRequest), kPongAnswer);
  EXPECT_EQ(EndAndReadLog(), "");
}

TEST_F(SessionTest, TellsAWaitingPeerToGoOn) {
  const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(Receive(go_on.size()), go_on);
  EXPECT_THAT(Ask("abc"), HasSubstr("\r\n\r\nabc"));
  Send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-Continue\r\n\r\n");
  EXPECT_EQ(Receive(go_on.size()), go_on);
  EXPECT_THAT(Ask("3\r\nabc\r\n0\r\n\r\n"), HasSubstr("\r\n\r\nabc"));
  EXPECT_EQ(EndAndReadLog(), "");
}

TEST_F(SessionTest, RefusesAWaitingPeerAtOnce) {
  Start({.max_bytes = 10});
  EXPECT_THAT(
      Ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"),
      StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_TRUE(ClosedByServer());
}

struct Mistake {
  std::string request;
  std::string status;
  std::string text;
};

TEST_F(SessionTest, ARefusedRequestThatWasReadKeepsTheConnection) {
  const std::vector<Mistake> mistakes = {
      {Get("/nowhere"), "404 Not Found", "unknown path"},
      {Get("/download"), "404 Not Found", "unknown path"},
      {Get("/echo"), "405 Method Not Allowed\r\n", "method not allowed"},
      {"POST /ping HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed",
       "method not allowed"},
      {"BREW /ping HTTP/1.1\r\nHost: h\r\n\r\n", "501 Not Implemented", "method not supported"},
      {Get("/download/abc"), "400 Bad Request", "not a 64-bit integer: 'abc'"},
      {Get("/download/-1"), "400 Bad Request", "size must not be negative: -1"},
      {Get("/download/99999999999"), "400 Bad Request", "above the limit"},
      {Get("/download/99999999999999999999"), "400 Bad Request", "not a 64-bit integer"},
      {Get("/compute/-1"), "400 Bad Request", "n must not be negative"},
      {Get("/compute/3024618"), "400 Bad Request", "leaves 64 bits"},
      {Get("/sleep/-1"), "400 Bad Request", "must not be negative"},
      {Get("/sleep/nan"), "400 Bad Request", "must not be negative"},
      {Get("/sleep/soon"), "400 Bad Request", "not a number: 'soon'"},
      {Get("/download-file-chunked/10/0"), "400 Bad Request", "chunk_size must be positive"},
      {Get("/download/\"%5C"), "400 Bad Request", R"(not a 64-bit integer: '\"%5C')"},
      {Post("/upload-file-chunked", ""), "400 Bad Request", "ends early"},
      {Post("/upload-file-chunked", R"({"chunks":["aa"])"), "400 Bad Request", "ends early"},
  };
  for (const Mistake& mistake : mistakes) {
    const std::string answer = Ask(mistake.request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + mistake.status)) << mistake.request;
    EXPECT_THAT(answer, HasSubstr("\r\n\r\n{\"error\":\"")) << mistake.request;
    EXPECT_THAT(answer, HasSubstr(mistake.text)) << mistake.request;
    EXPECT_EQ(Ask(kPingRequest), kPongAnswer) << "after " << mistake.request;
  }
  EXPECT_EQ(EndAndReadLog(), "");
}

TEST_F(SessionTest, NamesTheAllowedMethods) {
  EXPECT_THAT(Ask(Get("/echo")), HasSubstr("\r\nAllow: POST, OPTIONS\r\n"));
  EXPECT_THAT(Ask("DELETE /ping HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
}

TEST_F(SessionTest, ARefusedRequestThatWasNotReadClosesWithOneLine) {
  const std::string long_line(9000, 'a');
  const std::vector<Mistake> mistakes = {
      {"complete garbage\r\n\r\n", "400 Bad Request", ""},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), "400 Bad Request", ""},
      {"GET /ping HTTP/2.0\r\n\r\n", "505 HTTP Version Not Supported", "version"},
      {"GET /ping HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", "400 Bad Request", ""},
      {"GET /" + long_line + " HTTP/1.1\r\nHost: h\r\n\r\n", "414 ", "header"},
      {"GET /ping HTTP/1.1\r\nHost: h\r\nA: " + long_line + "\r\n\r\n", "431 ", "header"},
      {"POST /upload HTTP/1.1\r\nHost: h\r\n\r\n", "411 Length Required", "length"},
      {"POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       "501 Not Implemented", "transfer coding"},
      {"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1073741825\r\n\r\n",
       "413 Payload Too Large", "above the limit of 1073741824 bytes"},
      {"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n",
       "413 Payload Too Large", "above the limit"},
      {"POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123", "404 Not Found",
       "unknown path"},
      {"POST /upload-file-chunked HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n{\"chunks\":[7",
       "400 ", "expected a string of hex digits, found '7'"},
  };
  for (const Mistake& mistake : mistakes) {
    Start({});
    const std::string answer = Ask(mistake.request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + mistake.status)) << mistake.request;
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << mistake.request;
    EXPECT_THAT(answer, HasSubstr("{\"error\":\"")) << mistake.request;
    EXPECT_THAT(answer, HasSubstr(mistake.text)) << mistake.request;
    EXPECT_TRUE(ClosedByServer()) << mistake.request;
  }
  EXPECT_THAT(EndAndReadLog(), Contains('\n').Times(mistakes.size()));
}

TEST_F(SessionTest, HeadsMayHaveManyFieldsUpToTheLimit) {
  std::string head = "GET /ping HTTP/1.1\r\nHost: h\r\n";
  while (head.size() < 8000) head += "Name: value\r\n";
  EXPECT_EQ(Ask(head + "\r\n"), kPongAnswer);
  // The parser accepts each part by itself.
  Send(head);
  EXPECT_THAT(Ask(head.substr(head.find("Name"))), StartsWith("HTTP/1.1 431 "));
}

TEST_F(SessionTest, BodiesEndAtTheLimit) {
  const std::string chunked =
      "POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n";
  Start({.max_bytes = 10});
  EXPECT_THAT(Ask(Post("/upload", "0123456789")), HasSubstr(R"({"size":10})"));
  EXPECT_THAT(Ask(chunked + "4\r\n6789\r\n0\r\n\r\n"), HasSubstr(R"({"size":10})"));
  EXPECT_THAT(Ask(chunked + "5\r\n67890\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(ClosedByServer());
  EXPECT_THAT(EndAndReadLog(), HasSubstr("413, closed: "));
}

TEST_F(SessionTest, ChunkDocumentsEndAtTheLimit) {
  Start({.max_bytes = 4, .max_chunks = 3});
  EXPECT_THAT(Ask(Post("/upload-file-chunked", R"({"chunks": ["aa", "bb", "ccdd"]})")),
              HasSubstr(R"({"size":4})"));
  // The text is within the length that four bytes may need, but has more bytes or more chunks.
  EXPECT_THAT(Ask(Post("/upload-file-chunked", R"({"chunks":["aabbccddee"]})")),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(ClosedByServer());
  Start({.max_bytes = 4, .max_chunks = 3});
  EXPECT_THAT(Ask(Post("/upload-file-chunked", R"({"chunks":["","","",""]})")),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(ClosedByServer());
  Start({.max_bytes = 4, .max_chunks = 3});
  EXPECT_THAT(Ask(Post("/upload-file-chunked", std::string(100, ' '))),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(SessionTest, AnAnswerSurvivesTheBodyItRefuses) {
  const std::string body(8 << 20, 'x');
  Send("POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
       "\r\n\r\n");
  Send(body);
  EXPECT_THAT(ReceiveAnswer(), StartsWith("HTTP/1.1 404 Not Found"));
  EXPECT_TRUE(ClosedByServer());
}

TEST_F(SessionTest, APeerMayResetBetweenRequests) {
  EXPECT_EQ(Ask(kPingRequest), kPongAnswer);
  const linger at_once{1, 0};
  setsockopt(peer_.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  EXPECT_EQ(EndAndReadLog(), "");
}

TEST_F(SessionTest, APeerThatLeavesHalfWayLeavesOneLine) {
  for (const std::string_view part :
       {"GET /pi", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n0123",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01",
        "POST /upload-file-chunked HTTP/1.1\r\nHost: h\r\nContent-Length: "
        "90\r\n\r\n{\"chunks\":[\"0"}) {
    Start({});
    Send(part);
    peer_.ShutdownSend();
    EXPECT_TRUE(ClosedByServer()) << part;
  }
  EXPECT_THAT(EndAndReadLog(),
              AllOf(Contains('\n').Times(4), HasSubstr("the peer closed the connection")));
}

TEST_F(SessionTest, APeerThatStopsHalfWayIsGivenUp) {
  Start({}, std::chrono::milliseconds(50));
  Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n0123");
  EXPECT_TRUE(ClosedByServer());
  EXPECT_THAT(EndAndReadLog(), AllOf(Contains('\n').Times(1), HasSubstr("timed out")));
}

TEST_F(SessionTest, AnIdlePeerIsWaitedFor) {
  Start({}, std::chrono::milliseconds(20));
  EXPECT_EQ(Ask(kPingRequest), kPongAnswer);
  peer_.SetTimeout(std::chrono::milliseconds(150));
  char byte;
  EXPECT_THROW(peer_.ReceiveSome(&byte, 1), net::Error) << "the server must stay silent";
  peer_.SetTimeout(std::chrono::seconds(20));
  EXPECT_EQ(Ask(kPingRequest), kPongAnswer);
  EXPECT_EQ(EndAndReadLog(), "");
}

}  // namespace
}  // namespace rpycbench::http
