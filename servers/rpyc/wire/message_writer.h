// The bytes of an outgoing message. Small parts are copied into one buffer. Large blocks are only
// referred to and leave by a gathering send, so a payload is never copied on its way out.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "servers/net/buffer.h"

namespace rpycbench::rpyc {

class MessageWriter {
 public:
  // Blocks up to this size, in bytes, are copied. That is cheaper than another entry in a gathering
  // send.
  static constexpr std::size_t kCopyLimit = 16 * 1024;

  // Drops the contents and reserves `headroom` bytes before the message, to be filled through
  // head().
  void Clear(std::size_t headroom) {
    buffer_.clear();
    buffer_.extend(headroom);
    headroom_ = headroom;
    blocks_.clear();
    block_bytes_ = 0;
  }
  // Drops the contents and frees a large buffer. Call it when the connection is idle.
  void GiveBack() {
    Clear(0);
    buffer_.give_back(net::kKeptWhenIdle);
  }
  char* head() { return buffer_.data(); }

  void Byte(char byte) { buffer_.push_back(byte); }
  void Copy(std::string_view bytes) { buffer_.append(bytes); }
  // Appends `count` bytes and returns where they begin, for the caller to fill.
  char* Extend(std::size_t count) { return buffer_.extend(count); }
  // Appends a block, which must stay unchanged until the message is sent.
  void Refer(std::string_view block) {
    if (block.size() <= kCopyLimit) return Copy(block);
    blocks_.push_back({buffer_.size(), block});
    block_bytes_ += block.size();
  }

  // Returns the number of bytes after the headroom.
  std::size_t size() const { return buffer_.size() - headroom_ + block_bytes_; }
  // Returns whether everything, headroom included, is in one piece. bytes() is then that piece.
  bool contiguous() const { return blocks_.empty(); }
  std::string_view bytes() const { return buffer_.view(); }
  // Appends all pieces in order, headroom included. They are valid until the next change.
  void AppendPieces(std::vector<iovec>& pieces) const {
    std::size_t copied = 0;
    for (const Block& block : blocks_) {
      AppendPiece(pieces, buffer_.view().substr(copied, block.position - copied));
      AppendPiece(pieces, block.bytes);
      copied = block.position;
    }
    AppendPiece(pieces, buffer_.view().substr(copied));
  }

 private:
  struct Block {
    std::size_t position;  // offset in the buffer of the byte after the block
    std::string_view bytes;
  };

  static void AppendPiece(std::vector<iovec>& pieces, std::string_view bytes) {
    if (!bytes.empty()) pieces.push_back({const_cast<char*>(bytes.data()), bytes.size()});
  }

  net::Buffer buffer_;
  std::size_t headroom_ = 0;
  std::vector<Block> blocks_;
  std::size_t block_bytes_ = 0;
};

}  // namespace rpycbench::rpyc
