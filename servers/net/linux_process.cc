#include "servers/net/linux_process.h"

#include <sys/prctl.h>

#include <csignal>

namespace rpycbench::net {

void DieWithParent() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

void WakeOnTime() { ::prctl(PR_SET_TIMERSLACK, 1); }

void LeaveNoCore() { ::prctl(PR_SET_DUMPABLE, 0); }

}  // namespace rpycbench::net
