// Measures what Boost.Beast would cost where this folder does the work itself. Each pair of
// benchmarks moves the same message through a pair of sockets in one thread: `own` by the classes
// of this folder, `beast` by Beast's messages, serializer and parsers. Both make the same system
// calls. Run it with --benchmark_repetitions=15 --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>

#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "servers/http/chunked_body.h"
#include "servers/http/parser.h"
#include "servers/http/receiver.h"
#include "servers/http/responder.h"
#include "servers/net/allocation_count.h"
#include "servers/net/socket.h"
#include "servers/net/testing/socket_pair.h"

namespace rpycbench::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = beast::http;

// A socket as Beast wants it.
class Stream {
 public:
  explicit Stream(net::Socket& socket) : socket_(socket) {}

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return socket_.ReceiveSome(Gather(buffers));
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, beast::error_code& error) {
    const std::size_t got = read_some(buffers);
    error = got == 0 ? asio::error::eof : beast::error_code();
    return got;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    const std::uint64_t before = socket_.bytes_sent();
    socket_.SendAll(Gather(buffers));
    return socket_.bytes_sent() - before;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, beast::error_code& error) {
    error = {};
    return write_some(buffers);
  }

 private:
  template <class Buffers>
  std::span<iovec> Gather(const Buffers& buffers) {
    blocks_.clear();
    for (const asio::const_buffer buffer : beast::buffers_range_ref(buffers)) {
      blocks_.push_back({const_cast<void*>(buffer.data()), buffer.size()});
    }
    return blocks_;
  }

  net::Socket& socket_;
  std::vector<iovec> blocks_;
};

constexpr std::string_view kPing = "GET /ping HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n";
constexpr std::string_view kPong = R"({"response":"pong"})";

constexpr std::size_t kBodyBytes = 64 << 10;

std::string UploadMessage() {
  return "POST /upload HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nContent-Length: " +
         std::to_string(kBodyBytes) + "\r\n\r\n" + std::string(kBodyBytes, 'x');
}

service::Chunks ManyChunks() {
  return {service::Payload::Of(service::PayloadKind::kZeros, kBodyBytes), 1024};
}

// Runs `exchange` as the benchmark, and reports the allocations of a run.
template <class Exchange>
void Measure(benchmark::State& state, const Exchange& exchange) {
  exchange();  // buffers have their sizes now
  const std::uint64_t before = net::AllocationsSoFar();
  for (auto _ : state) exchange();
  state.counters["allocations"] = benchmark::Counter(
      static_cast<double>(net::AllocationsSoFar() - before), benchmark::Counter::kAvgIterations);
}

void Expect(bool as_expected) {
  if (!as_expected) throw std::runtime_error("another message than was sent");
}

// A request that arrives.
void ReceiveOwn(benchmark::State& state) {
  net::SocketPair pair;
  Receiver receiver(pair.right);
  Measure(state, [&] {
    pair.left.SendAll(kPing.data(), kPing.size());
    RequestParser parser;
    receiver.Fill();
    receiver.ReceiveHead(parser);
    Expect(parser.target() == "/ping" && parser.is_done());
  });
}

void ReceiveBeast(benchmark::State& state) {
  net::SocketPair pair;
  Stream stream(pair.right);
  beast::flat_buffer buffer;
  Measure(state, [&] {
    pair.left.SendAll(kPing.data(), kPing.size());
    beast_http::request<beast_http::string_body> request;
    beast_http::read(stream, buffer, request);
    Expect(request.target() == "/ping");
  });
}

// Receives what the server has sent since it had sent `before` bytes.
std::string_view Drain(net::SocketPair& pair, std::uint64_t before, net::Buffer& into) {
  into.resize_discarding(pair.right.bytes_sent() - before);
  pair.left.ReceiveExactly(into.data(), into.size());
  return into.view();
}

// Measures `answer`, which sends from the server, and checks that the client gets `end` last.
template <class Answer>
void MeasureAnswer(benchmark::State& state, net::SocketPair& pair, std::string_view end,
                   const Answer& answer) {
  net::Buffer got;
  Measure(state, [&] {
    const std::uint64_t before = pair.right.bytes_sent();
    answer();
    Expect(Drain(pair, before, got).ends_with(end));
  });
}

void AnswerOwn(benchmark::State& state) {
  net::SocketPair pair;
  Responder responder(pair.right, false);
  MeasureAnswer(state, pair, kPong, [&] {
    responder.StartAnswer(false, true, false);
    responder.SendJson(kPong);
  });
}

void AnswerBeast(benchmark::State& state) {
  net::SocketPair pair;
  Stream stream(pair.right);
  MeasureAnswer(state, pair, kPong, [&] {
    beast_http::response<beast_http::string_body> response(beast_http::status::ok, 11);
    response.set(beast_http::field::content_type, "application/json");
    response.body() = kPong;
    response.prepare_payload();
    beast_http::write(stream, response);
  });
}

// A body of known length.
void UploadOwn(benchmark::State& state) {
  net::SocketPair pair;
  Receiver receiver(pair.right);
  net::Buffer body;
  const std::string message = UploadMessage();
  Measure(state, [&] {
    pair.left.SendAll(message.data(), message.size());
    RequestParser parser;
    receiver.ReceiveHead(parser);
    receiver.ReceiveWhole(parser, body, kBodyBytes);
    Expect(body.size() == kBodyBytes);
  });
}

void UploadBeast(benchmark::State& state) {
  net::SocketPair pair;
  Stream stream(pair.right);
  beast::flat_buffer buffer;
  buffer.reserve(2 * kBodyBytes);
  const std::string message = UploadMessage();
  Measure(state, [&] {
    pair.left.SendAll(message.data(), message.size());
    beast_http::request<beast_http::string_body> request;
    beast_http::read(stream, buffer, request);
    Expect(request.body().size() == kBodyBytes);
  });
}

// A body in chunks, one system call each.
void ChunksOwn(benchmark::State& state) {
  net::SocketPair pair;
  const service::Chunks chunks = ManyChunks();
  std::vector<iovec> blocks;
  MeasureAnswer(state, pair, "0\r\n\r\n",
                [&] { SendChunkedBody(pair.right, "head", chunks, blocks); });
}

void ChunksBeast(benchmark::State& state) {
  net::SocketPair pair;
  Stream stream(pair.right);
  const service::Chunks chunks = ManyChunks();
  MeasureAnswer(state, pair, "0\r\n\r\n", [&] {
    for (std::size_t i = 0; i < chunks.count(); ++i) {
      const std::string_view bytes = chunks.at(i).contiguous();
      asio::write(stream, beast_http::make_chunk(asio::buffer(bytes.data(), bytes.size())));
    }
    asio::write(stream, beast_http::make_chunk_last());
  });
}

}  // namespace

BENCHMARK(ReceiveOwn)->Name("request/own");
BENCHMARK(ReceiveBeast)->Name("request/beast");
BENCHMARK(AnswerOwn)->Name("answer/own");
BENCHMARK(AnswerBeast)->Name("answer/beast");
BENCHMARK(UploadOwn)->Name("upload/own");
BENCHMARK(UploadBeast)->Name("upload/beast");
BENCHMARK(ChunksOwn)->Name("chunks/own");
BENCHMARK(ChunksBeast)->Name("chunks/beast");

}  // namespace rpycbench::http

BENCHMARK_MAIN();
