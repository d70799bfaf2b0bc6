#include "servers/model/forking.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "servers/model/accept_loop.h"
#include "servers/net/log.h"

namespace rpycbench::model {
namespace {

// Runs a child, which ends with its session or with the server.
[[noreturn]] void RunChild(pid_t server, const AcceptLoop& loop, net::Listener& listener,
                           net::Socket& socket, const Session& session) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != server) _exit(EXIT_SUCCESS);  // the server died before prctl()
  loop.RestoreSignals();
  listener.Close();
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
  AcceptLoop loop;
  const pid_t server = getpid();
  std::size_t live = 0;
  loop.Run(
      listener, limits,
      {.on_connection =
           [&](net::Socket socket) {
             if (live >= limits.max_connections) return LogRefusal(socket, limits);
             const pid_t child = ::fork();
             if (child == 0) RunChild(server, loop, listener, socket, session);
             if (child < 0) {
               net::LogLine("fork for " + socket.peer().ToString() + ": " + std::strerror(errno));
               return;
             }
             ++live;
           },
       .on_child_exit = [&] { live -= ReapChildren(); }});
}

}  // namespace rpycbench::model
