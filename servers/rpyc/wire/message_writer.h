// The bytes of an outgoing message: small parts are copied into one buffer, large blocks of bytes
// are only referred to and leave by a gathering send, so a payload is never copied on its way out.
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
  // Blocks up to this size are copied: cheaper than another entry in a gathering send.
  static constexpr std::size_t kCopyLimit = 16 * 1024;

  // Drops the contents and leaves `headroom` bytes in front, to be filled through head().
  void Clear(std::size_t headroom) {
    buffer_.clear();
    buffer_.extend(headroom);
    headroom_ = headroom;
    blocks_.clear();
    block_bytes_ = 0;
  }
  // To be called when the connection is idle: drops the contents, and memory beyond a little.
  void GiveBack() {
    Clear(0);
    buffer_.give_back(net::kKeptWhenIdle);
  }
  char* head() { return buffer_.data(); }

  void Byte(char byte) { buffer_.push_back(byte); }
  void Copy(std::string_view bytes) { buffer_.append(bytes); }
  // `count` bytes for the caller to fill.
  char* Extend(std::size_t count) { return buffer_.extend(count); }
  // The block must stay unchanged until the message is sent.
  void Refer(std::string_view block) {
    if (block.size() <= kCopyLimit) return Copy(block);
    blocks_.push_back({buffer_.size(), block});
    block_bytes_ += block.size();
  }

  // Bytes behind the headroom.
  std::size_t size() const { return buffer_.size() - headroom_ + block_bytes_; }
  // Whether everything, headroom included, lies in one piece; then that piece.
  bool contiguous() const { return blocks_.empty(); }
  std::string_view bytes() const { return buffer_.view(); }
  // All pieces in order, headroom included; they are valid until the next change.
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
    std::size_t position;  // in the buffer, of the byte behind the block
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
