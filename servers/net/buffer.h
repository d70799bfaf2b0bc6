// A growable block of bytes that leaves new space uninitialised: receiving 128 MiB must not first
// write 128 MiB of zeros. It keeps its capacity between uses, so a connection in steady state
// allocates nothing. The kernel commits the memory of a large block only as bytes arrive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace rpycbench::net {

// The memory that an idle connection may keep for each of its buffers, in bytes.
inline constexpr std::size_t kKeptWhenIdle = std::size_t{64} << 10;

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer moved(std::move(other));
    swap(moved);
    return *this;
  }

  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_.get(), size_}; }

  // Drops the contents and keeps the capacity.
  void clear() { size_ = 0; }
  // Makes the size exactly `size` bytes. Existing contents up to that size stay; new bytes are
  // undefined.
  void resize(std::size_t size) {
    if (size > capacity_) Grow(size, size_);
    size_ = size;
  }
  // Makes the size exactly `size` bytes without keeping the contents, which saves a copy.
  void resize_discarding(std::size_t size) {
    if (size > capacity_) Grow(size, 0);
    size_ = size;
  }
  // Makes room for `capacity` bytes in total; the contents stay.
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) Grow(capacity, size_);
  }
  // Adds `count` undefined bytes to the end and returns where they begin.
  char* extend(std::size_t count) {
    if (count > capacity_ - size_) Grow(GrownCapacity(size_ + count), size_);
    char* where = data_.get() + size_;
    size_ += count;
    return where;
  }
  void append(std::string_view bytes);
  void push_back(char byte) { *extend(1) = byte; }

  // Drops the contents, and frees the memory if the capacity exceeds `most` bytes.
  void give_back(std::size_t most) {
    size_ = 0;
    if (capacity_ <= most) return;
    data_.reset();
    capacity_ = 0;
  }

  void swap(Buffer& other) noexcept {
    data_.swap(other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  std::size_t GrownCapacity(std::size_t needed) const;
  void Grow(std::size_t capacity, std::size_t keep);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace rpycbench::net
