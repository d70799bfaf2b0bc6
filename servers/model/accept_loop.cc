#include "servers/model/accept_loop.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "servers/net/log.h"
#include "servers/net/wait.h"

namespace rpycbench::model {
namespace {

// The time for which new connections stay in the backlog after the process ran out of descriptors.
constexpr int kExhaustedPauseMs = 100;

bool StdinEnded() {
  char ignored[256];
  const ssize_t got = ::read(STDIN_FILENO, ignored, sizeof ignored);
  return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

}  // namespace

void LogRefusal(const net::Socket& socket, const Limits& limits) {
  net::LogLine("refused " + socket.peer().ToString() + ": " +
               std::to_string(limits.max_connections) + " connections are open");
}

AcceptLoop::AcceptLoop() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&watched, signal);
  pthread_sigmask(SIG_BLOCK, &watched, &previous_mask_);
  signals_ = net::Descriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.is_open()) throw std::system_error(errno, std::system_category(), "signalfd");
}

void AcceptLoop::RestoreSignals() const { pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr); }

void AcceptLoop::Run(net::Listener& listener, const Limits& limits, const Events& events) {
  enum { kListener, kSignals, kStdin, kCount };
  pollfd watched[kCount] = {{listener.descriptor(), POLLIN, 0},
                            {signals_.get(), POLLIN, 0},
                            {limits.ends_with_stdin ? STDIN_FILENO : -1, POLLIN, 0}};
  if (::poll(&watched[kStdin], 1, 0) > 0 && StdinEnded()) {
    // This happens in scripts, after "&", and in containers.
    net::LogLine("stdin is at its end, which ends this server; --ignore_stdin lets it go on");
    return;
  }
  bool exhausted = false;
  for (;;) {
    watched[kListener].events = exhausted ? 0 : POLLIN;
    const int ready = net::Poll(watched, exhausted ? kExhaustedPauseMs : -1);
    if (ready < 0 && errno != EINTR) {
      throw std::system_error(errno, std::system_category(), "poll");
    }
    exhausted = false;
    if (ready <= 0) continue;
    if (watched[kSignals].revents != 0) {
      signalfd_siginfo info;
      while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGCHLD) return;
        events.on_child_exit();
      }
    }
    if (watched[kStdin].revents != 0 && StdinEnded()) return;
    if ((watched[kListener].revents & POLLIN) != 0) {
      try {
        net::Socket socket = listener.Accept(limits.io_timeout);
        if (socket.is_open()) events.on_connection(std::move(socket));
      } catch (const net::Error& error) {
        net::LogLine(error.what());
        exhausted = true;
      }
    }
  }
}

}  // namespace rpycbench::model
