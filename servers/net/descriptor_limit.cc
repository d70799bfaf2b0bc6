#include "servers/net/descriptor_limit.h"

#include <sys/resource.h>

#include <cerrno>
#include <system_error>

namespace rpycbench::net {

std::size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw std::system_error(errno, std::system_category(),
                            "read the limit of open descriptors (RLIMIT_NOFILE)");
  }
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) return limit.rlim_cur;
  return raised.rlim_cur;
}

}  // namespace rpycbench::net
