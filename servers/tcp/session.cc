#include "servers/tcp/session.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "servers/net/log.h"
#include "servers/net/tls/unexpected.h"
#include "servers/tcp/wire.h"

namespace rpycbench::tcp {
namespace {

class Session {
 public:
  Session(net::Socket& socket, const service::Service& service)
      : socket_(socket), service_(service) {}

  void Run() {
    while (AwaitRequest()) {
      if (RequestCarriesData(operation())) {
        CheckUpload();
        request_.ReceiveData(socket_, header().number);
      } else if (!request_.data().empty()) {
        RefuseData();
      }
      service_.injection().Apply();
      Answer();
    }
  }

 private:
  const Header& header() const { return request_.header(); }
  Operation operation() const { return static_cast<Operation>(header().code); }

  // Idle connections may wait for ever; the time limit applies in the middle of a message.
  bool AwaitRequest() {
    const std::uint64_t received = socket_.bytes_received();
    for (;;) {
      try {
        return request_.ReceiveHeader(socket_);
      } catch (const net::Error& error) {
        if (!error.timed_out() || socket_.bytes_received() != received) throw;
      }
      request_.GiveBack();
      items_.give_back(net::kKeptWhenIdle);
    }
  }

  [[noreturn]] void RefuseData() const {
    const std::uint8_t begin[] = {header().code, header().zero[0]};
    const bool is_tls = std::equal(net::kTlsHandshake.begin(), net::kTlsHandshake.end(), begin);
    throw FormatError(
        socket_.peer().ToString() + ": " +
        (is_tls ? net::kPeerSpeaksTls : "data after a request of an operation that takes none"));
  }

  void CheckUpload() const {
    if (header().number > static_cast<std::uint64_t>(service_.limits().max_bytes)) {
      throw FormatError(socket_.peer().ToString() + ": an upload of " +
                        std::to_string(header().number) + " bytes is above the limit of " +
                        std::to_string(service_.limits().max_bytes) + " bytes (--max_bytes)");
    }
  }

  void Answer() {
    std::string reason;
    try {
      return Perform();
    } catch (const service::ValueError& error) {
      reason = error.what();
    }
    Send(socket_, {.code = kRefused, .number = reason.size()}, reason);
  }

  void Perform() {
    const auto number = static_cast<std::int64_t>(header().number);
    switch (operation()) {
      case Operation::kPing:
        return SendText(service_.Ping());
      case Operation::kEcho:
        return Send(socket_, {.code = kOk, .number = request_.data().size()}, request_.data());
      case Operation::kUpload:
      case Operation::kUploadFile:
      case Operation::kUploadFileChunked:
        return SendNumber(request_.data().size());
      case Operation::kDownload:
        return SendPayload(service_.Download(number));
      case Operation::kDownloadFile:
        return SendPayload(service_.DownloadFile(number));
      case Operation::kDownloadFileChunked:
        return SendChunks(service_.DownloadFileChunked(number, header().chunk_bytes));
      case Operation::kCompute:
        return SendNumber(static_cast<std::uint64_t>(service_.Compute(number)));
      case Operation::kSleep:
        service_.Sleep(static_cast<double>(number) * 1e-9);
        return SendNumber(header().number);
      case Operation::kValue:
        return SendNumber(static_cast<std::uint64_t>(service::kValue));
      case Operation::kSetting:
        return SendNumber(std::exchange(setting_, header().number));
      case Operation::kFail:
        service_.Fail();
      case Operation::kItem:
        items_.clear();
        AppendItem(items_, service_.ItemAt(number));
        return SendText(items_.view());
      case Operation::kItems:
        items_.clear();
        for (std::size_t i = 0, count = service_.CheckedCount(number); i < count; ++i) {
          AppendItem(items_, service::Item(static_cast<std::int64_t>(i)));
        }
        return SendText(items_.view());
      case Operation::kCallBack:
        return CallBack(service_.CheckedCount(number));
      case Operation::kCrash:
        service_.Crash();
    }
    throw FormatError(socket_.peer().ToString() + ": unknown operation " +
                      std::to_string(header().code));
  }

  // Asks the client `count` times, and replies with the sum of its numbers.
  void CallBack(std::size_t count) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Send(socket_, {.code = static_cast<std::uint8_t>(Operation::kCallBack), .number = i}, {});
      if (!request_.ReceiveHeader(socket_)) {
        throw net::EndOfStream("receive an answer from", socket_.peer());
      }
      request_.ReceiveData(socket_, 0);
      sum += header().number;
    }
    SendNumber(sum);
  }

  void SendText(std::string_view text) {
    Send(socket_, {.code = kOk, .number = text.size()}, text);
  }

  void SendNumber(std::uint64_t number) { Send(socket_, {.code = kOk, .number = number}, {}); }

  void SendPayload(const service::Payload& payload) {
    Header reply{.code = kOk, .number = payload.size()};
    blocks_.assign(1, {&reply, sizeof reply});
    payload.AppendPieces(blocks_);
    socket_.SendMessage(blocks_, sizeof reply);
  }

  void SendChunks(const service::Chunks& chunks) {
    Send(socket_, {.code = kOk, .number = chunks.whole.size()}, {});
    for (std::size_t i = 0; i < chunks.count(); ++i) {
      SendChunk(socket_, chunks.at(i), blocks_);
    }
  }

  net::Socket& socket_;
  const service::Service& service_;
  Message request_;
  net::Buffer items_;
  std::uint64_t setting_ = 0;
  std::vector<iovec> blocks_;
};

// Runs a session and reports in one line what ended it early.
template <class Body>
void Guard(const net::Socket& socket, Body body) {
  try {
    body();
  } catch (const FormatError& error) {
    net::LogLine(error.what());
  } catch (const std::exception& error) {
    net::LogLine("tcp session with " + socket.peer().ToString() + ": " + error.what());
  }
}

}  // namespace

void ServeSession(net::Socket& socket, const service::Service& service) {
  Guard(socket, [&] { Session(socket, service).Run(); });
}

void ServeBareLoop(net::Socket& socket) {
  Guard(socket, [&] {
    char request[16];
    const Header reply{.code = kOk, .number = 4};
    char message[20] = {};
    std::memcpy(message, &reply, sizeof reply);
    std::memcpy(message + sizeof reply, "pong", 4);
    for (;;) {
      std::size_t got = 0;
      try {
        got = socket.ReceiveSome(request, sizeof request);
      } catch (const net::Error& error) {
        if (!error.timed_out()) throw;
        continue;  // the peer may stay idle
      }
      if (got == 0) return;
      socket.ReceiveExactly(request + got, sizeof request - got);
      socket.SendAll(message, sizeof message);
    }
  });
}

}  // namespace rpycbench::tcp
