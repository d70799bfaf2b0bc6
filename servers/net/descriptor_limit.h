// The number of descriptors that this process may have open. The usual soft limit of 1,024 is meant
// for programs that call select(). Programs that serve or open thousands of connections raise it to
// the hard limit.
#pragma once

#include <cstddef>

namespace rpycbench::net {

// Raises the soft limit to the hard limit if the kernel allows it. Returns the soft limit then in
// force. Throws std::system_error if the limit cannot be read.
std::size_t RaiseDescriptorLimit();

// The descriptors that a process with connections may need for other purposes.
inline constexpr std::size_t kOtherDescriptors = 64;

}  // namespace rpycbench::net
