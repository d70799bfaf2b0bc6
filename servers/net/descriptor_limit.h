// How many descriptors this process may have open. The usual soft limit of 1,024 is for programs
// that call select(); whoever serves or makes thousands of connections raises it to the hard one.
#pragma once

#include <cstddef>

namespace rpycbench::net {

// Raises the soft limit as far as it goes and returns it.
std::size_t RaiseDescriptorLimit();

// Of a process that holds connections, how many descriptors it may need beside them.
inline constexpr std::size_t kOtherDescriptors = 64;
// Of these, for timers of sleeping fibers where connections may take all others.
inline constexpr std::size_t kOwnTimers = 32;

}  // namespace rpycbench::net
