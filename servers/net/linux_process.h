// What only Linux does for a process that asks for it.
#pragma once

namespace rpycbench::net {

// Has the kernel kill this process when its parent's thread that started it ends.
void DieWithParent();
// Keeps the kernel from postponing this thread's wake-ups by 50 µs to save energy.
void WakeOnTime();
// Keeps the kernel from writing a core to a file or program when this process crashes.
void LeaveNoCore();

}  // namespace rpycbench::net
