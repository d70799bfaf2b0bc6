// The function by which libFuzzer runs a target.
#include <cstddef>
#include <cstdint>

#include "servers/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rpycbench::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
