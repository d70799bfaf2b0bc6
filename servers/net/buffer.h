// A growable block of bytes whose new room is left uninitialised: receiving 128 MiB must not first
// write 128 MiB of zeros. Its capacity is kept between uses, so that a connection in steady state
// allocates nothing. Memory of a large block is committed by the kernel only as bytes arrive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace rpycbench::net {

// What an idle connection may keep of each of its buffers, in bytes.
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

  // Drops the contents, keeps the capacity.
  void clear() { size_ = 0; }
  // Makes the size exactly `size`; contents beyond the old size are undefined, kept ones stay.
  void resize(std::size_t size) {
    if (size > capacity_) Grow(size, size_);
    size_ = size;
  }
  // Like resize, but existing contents need not survive, which spares a copy.
  void resize_discarding(std::size_t size) {
    if (size > capacity_) Grow(size, 0);
    size_ = size;
  }
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) Grow(capacity, size_);
  }
  // Room for `count` more bytes at the end, which become part of the contents.
  char* extend(std::size_t count) {
    if (count > capacity_ - size_) Grow(GrownCapacity(size_ + count), size_);
    char* where = data_.get() + size_;
    size_ += count;
    return where;
  }
  void append(std::string_view bytes);
  void push_back(char byte) { *extend(1) = byte; }

  // Forgets the contents, and gives the memory back if it is more than `most` bytes.
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
