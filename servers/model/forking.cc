#include "servers/model/forking.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "servers/model/accept_loop.h"
#include "servers/net/descriptor.h"
#include "servers/net/linux_process.h"
#include "servers/net/log.h"

namespace rpycbench::model {
namespace {

// Blocks the signals that stop the server. Until a new process has its own disposition of them, it
// would hand its signals to the server.
class StopSignalsBlocked {
 public:
  StopSignalsBlocked() {
    sigset_t stop;
    sigemptyset(&stop);
    for (const int signal : kStopSignals) sigaddset(&stop, signal);
    pthread_sigmask(SIG_BLOCK, &stop, &previous_);
  }
  StopSignalsBlocked(const StopSignalsBlocked&) = delete;
  StopSignalsBlocked& operator=(const StopSignalsBlocked&) = delete;
  ~StopSignalsBlocked() { Unblock(); }

  void LeaveToTheSystem() {
    for (const int signal : kStopSignals) std::signal(signal, SIG_DFL);
    Unblock();
  }

 private:
  static constexpr int kStopSignals[] = {SIGTERM, SIGINT};
  void Unblock() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

  sigset_t previous_;
};

// Runs a child, which ends with its session or with the server.
[[noreturn]] void RunChild(pid_t server, StopSignalsBlocked& signals, net::Listener& listener,
                           net::Socket& socket, const Session& session) {
  net::DieWithParent();
  if (getppid() != server) _exit(EXIT_SUCCESS);  // the server died before that
  signals.LeaveToTheSystem();
  net::Descriptor(listener.descriptor()).Close();  // the listener itself belongs to the server
  session(socket);
  // The exit closes the socket after it has freed the memory. A peer that waits for the end of the
  // stream then finds that this process is gone.
  _exit(EXIT_SUCCESS);
}

// Returns the number of reaped children.
std::size_t ReapChildren() {
  std::size_t reaped = 0;
  int status = 0;
  for (pid_t child; (child = ::waitpid(-1, &status, WNOHANG)) > 0; ++reaped) {
    if (WIFSIGNALED(status)) {
      net::LogLine("session process " + std::to_string(child) + " was killed by signal " +
                   std::to_string(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != EXIT_SUCCESS) {
      net::LogLine("session process " + std::to_string(child) + " exited with " +
                   std::to_string(WEXITSTATUS(status)));
    }
  }
  return reaped;
}

}  // namespace

void ServeForking(net::Listener& listener, const Session& session, const Limits& limits) {
  AcceptLoop loop(listener, limits);
  const pid_t server = getpid();
  std::size_t live = 0;
  loop.Run({.on_connection =
                [&](net::Socket socket) {
                  if (live >= limits.max_connections) return LogRefusal(socket, limits);
                  StopSignalsBlocked signals;
                  const pid_t child = ::fork();
                  if (child == 0) RunChild(server, signals, listener, socket, session);
                  if (child < 0) {
                    net::LogLine("fork for " + socket.peer().ToString() + ": " +
                                 std::strerror(errno));
                    return;
                  }
                  ++live;
                },
            .on_child_exit = [&] { live -= ReapChildren(); }});
}

}  // namespace rpycbench::model
