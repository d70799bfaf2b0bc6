// For tests: a session of the service in the test's own process, and a peer that speaks to it byte
// by byte. The fixture captures the session's stderr.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "servers/http/session.h"
#include "servers/net/testing/loopback_server.h"

namespace rpycbench::http {

inline constexpr std::string_view kPingRequest = "GET /ping HTTP/1.1\r\nHost: h\r\n\r\n";
inline constexpr std::string_view kPongAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n"
    "{\"response\":\"pong\"}";

inline std::string Post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

inline std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    testing::internal::CaptureStderr();
    Start({});
  }
  void TearDown() override {
    if (server_) EndAndReadLog();
  }

  // Ends the current session without reading its log, and starts one with other limits.
  void Start(service::Limits limits,
             std::chrono::milliseconds io_timeout = std::chrono::seconds(10)) {
    peer_.Close();
    server_.reset();
    service_ = std::make_unique<service::Service>(std::nullopt, limits);
    server_ = std::make_unique<net::LoopbackServer>(
        [this](net::Socket& socket) { ServeSession(socket, *service_); }, io_timeout);
    peer_ = server_->Connect();
  }

  // Closes the connection, waits for the session's end, and returns what it wrote to stderr.
  std::string EndAndReadLog() {
    peer_.Close();
    server_.reset();
    return testing::internal::GetCapturedStderr();
  }

  void Send(std::string_view bytes) { peer_.SendAll(bytes.data(), bytes.size()); }
  std::string Receive(std::size_t size) {
    std::string bytes(size, '?');
    peer_.ReceiveExactly(bytes.data(), size);
    return bytes;
  }
  // Receives one answer: its head, then as many bytes as its Content-Length says.
  std::string ReceiveAnswer() {
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) answer += Receive(1);
    const std::string name = "Content-Length: ";
    const std::size_t length = answer.find(name);
    if (length == std::string::npos) return answer;
    return answer + Receive(std::stoul(answer.substr(length + name.size())));
  }
  std::string Ask(std::string_view request) {
    Send(request);
    return ReceiveAnswer();
  }
  bool ClosedByServer() {
    char byte;
    return peer_.ReceiveSome(&byte, 1) == 0;
  }

  std::unique_ptr<service::Service> service_;
  std::unique_ptr<net::LoopbackServer> server_;
  net::Socket peer_;
};

}  // namespace rpycbench::http
