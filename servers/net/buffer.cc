#include "servers/net/buffer.h"

#include <algorithm>
#include <cstring>

namespace rpycbench::net {

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
}

std::size_t Buffer::GrownCapacity(std::size_t needed) const {
  return std::max({needed, capacity_ + capacity_ / 2, std::size_t{256}});
}

void Buffer::Grow(std::size_t capacity, std::size_t keep) {
  if (keep == 0) data_.reset();  // never hold two large blocks without need
  capacity_ = keep == 0 ? 0 : capacity_;
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (keep > 0) std::memcpy(grown.get(), data_.get(), keep);
  data_ = std::move(grown);
  capacity_ = capacity;
}

}  // namespace rpycbench::net
