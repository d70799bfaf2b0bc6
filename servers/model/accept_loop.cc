#include "servers/model/accept_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "servers/net/log.h"

namespace rpycbench::model {
namespace {

namespace asio = net::asio;
using ErrorCode = boost::system::error_code;

// The time for which new connections stay in the backlog after the process ran out of descriptors.
constexpr std::chrono::milliseconds kExhaustedPause{100};

void Check(const ErrorCode& error, const char* operation) {
  if (error) throw boost::system::system_error(error, operation);
}

// Asio makes its descriptors non-blocking. That is a property of the open file, which a terminal
// shares with other programs, so stdin is opened once more. A socket cannot be, and is not shared.
int OpenStdin() {
  const int opened = ::open("/dev/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return opened >= 0 ? opened : ::dup(STDIN_FILENO);
}

}  // namespace

void LogRefusal(const net::Socket& socket, const Limits& limits) {
  net::LogLine("refused " + socket.peer().ToString() + ": " +
               std::to_string(limits.max_connections) + " connections are open");
}

AcceptLoop::AcceptLoop(net::Listener& listener, const Limits& limits)
    : listener_(listener),
      limits_(limits),
      signals_(listener.context(), SIGTERM, SIGINT, SIGCHLD),
      stdin_(listener.context()),
      pause_(listener.context()) {}

void AcceptLoop::Run(const Events& events) {
  events_ = &events;
  if (limits_.ends_with_stdin && StdinHasEnded()) {
    // This happens in scripts, after "&", and in containers.
    net::LogLine("stdin is at its end, which ends this server; --ignore_stdin lets it go on");
    return listener_.Close();
  }
  if (limits_.ends_with_stdin) AwaitEndOfStdin();
  AwaitSignal();
  AwaitConnection();
  listener_.context().run();
  listener_.Close();
  pause_.cancel();
  signals_.cancel();
  stdin_.close();
}

void AcceptLoop::AwaitConnection() {
  listener_.AsyncWait([this](const ErrorCode& error) {
    if (error == asio::error::operation_aborted) return;
    Check(error, "wait for connections");
    try {
      net::Socket socket = listener_.Accept(limits_.io_timeout);
      if (socket.is_open()) events_->on_connection(std::move(socket));
      AwaitConnection();
    } catch (const net::Error& exhausted) {
      net::LogLine(exhausted.what());
      pause_.expires_after(kExhaustedPause);
      pause_.async_wait([this](const ErrorCode& cancelled) {
        if (!cancelled) AwaitConnection();
      });
    }
  });
}

void AcceptLoop::AwaitSignal() {
  signals_.async_wait([this](const ErrorCode& error, int signal) {
    if (error == asio::error::operation_aborted) return;
    Check(error, "wait for signals");
    if (signal != SIGCHLD) return Stop();
    events_->on_child_exit();
    AwaitSignal();
  });
}

bool AcceptLoop::StdinHasEnded() {
  ErrorCode error;
  stdin_.assign(OpenStdin(), error);
  if (!error) stdin_.non_blocking(true, error);
  if (!error) stdin_.read_some(asio::buffer(ignored_), error);
  return error && error != asio::error::would_block;
}

void AcceptLoop::AwaitEndOfStdin() {
  stdin_.async_read_some(asio::buffer(ignored_), [this](const ErrorCode& error, std::size_t) {
    if (error == asio::error::operation_aborted) return;
    error ? Stop() : AwaitEndOfStdin();
  });
}

}  // namespace rpycbench::model
