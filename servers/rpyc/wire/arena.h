// Memory for the tuples of one message: handed out in order, taken back all at once. One block is
// kept from message to message, so decoding usual messages allocates nothing in steady state.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

class Arena {
 public:
  // Returns `count` values that live until Clear. They hold leftovers of earlier messages.
  std::span<Value> Allocate(std::size_t count) {
    if (count > left_) NextBlock(count);
    Value* first = next_;
    next_ += count;
    left_ -= count;
    return {first, count};
  }

  // Returns the size in bytes of all blocks but the first.
  std::size_t bytes() const { return sizeof(Value) * further_; }

  // Takes all values back and frees all blocks but the first.
  void Clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    further_ = 0;
    next_ = blocks_.empty() ? nullptr : blocks_.front().get();
    left_ = blocks_.empty() ? 0 : kBlock;
  }

 private:
  static constexpr std::size_t kBlock = 40;

  void NextBlock(std::size_t count) {
    // The first block has the standard size, so Clear knows its size.
    const std::size_t size = blocks_.empty() || count < kBlock ? kBlock : count;
    if (!blocks_.empty()) further_ += size;
    blocks_.push_back(std::make_unique<Value[]>(size));
    next_ = blocks_.back().get();
    left_ = size;
    if (count > left_) NextBlock(count);
  }

  std::vector<std::unique_ptr<Value[]>> blocks_;
  Value* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t further_ = 0;  // values in all blocks but the first
};

}  // namespace rpycbench::rpyc
