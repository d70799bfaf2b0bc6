#include "servers/rpyc/wire/deflate.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <string>

#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

// The largest input of one call, in bytes. ISA-L counts it in 32 bits.
constexpr std::size_t kLargestCall = std::size_t{1} << 30;
// The least space for output before each call, in bytes.
constexpr std::size_t kRoom = 64 * 1024;
// ISA-L takes more than twice as long for incompressible data in many short pieces, such as the
// items of a tuple. Copying such pieces together costs a tenth of that.
constexpr std::size_t kManyPieces = 8;
constexpr std::size_t kShortPiece = 256 * 1024;
constexpr std::size_t kJoined = 1024 * 1024;

}  // namespace

struct Deflater::Tables {
  isal_zstream stream;
  std::uint8_t level[ISAL_DEF_LVL1_DEFAULT];
  net::Buffer joined;  // short pieces on their way into the stream
};

Deflater::Deflater() = default;
Deflater::~Deflater() = default;

void Deflater::Compress(std::span<const iovec> pieces, net::Buffer& out) {
  if (!tables_) tables_ = std::make_unique<Tables>();
  isal_zstream& stream = tables_->stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = tables_->level;
  stream.level_buf_size = sizeof tables_->level;
  stream.gzip_flag = IGZIP_ZLIB;
  std::size_t left = 0;
  for (const iovec& piece : pieces) left += piece.iov_len;
  stream.end_of_stream = left == 0;
  const bool join = pieces.size() > kManyPieces && left / pieces.size() < kShortPiece;
  // Space for stored blocks in the worst case. Pages that are never written take no memory.
  std::size_t size = out.size();
  out.reserve(size + left + left / 1024 + kRoom);
  const auto run = [&](const char* data, std::size_t count) {
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(data));
    stream.avail_in = static_cast<std::uint32_t>(count);
    do {
      out.resize(std::max(out.capacity(), size + kRoom));
      const std::size_t room = std::min(out.size() - size, kLargestCall);
      stream.next_out = reinterpret_cast<std::uint8_t*>(out.data() + size);
      stream.avail_out = static_cast<std::uint32_t>(room);
      const int result = isal_deflate(&stream);
      if (result != COMP_OK) throw std::logic_error("deflate: " + std::to_string(result));
      size += room - stream.avail_out;
    } while (stream.avail_out == 0 || stream.avail_in > 0);
  };
  const auto feed = [&](std::string_view data) {
    while (!data.empty()) {
      const std::size_t count = std::min(data.size(), kLargestCall);
      left -= count;
      stream.end_of_stream = left == 0;
      run(data.data(), count);
      data.remove_prefix(count);
    }
  };
  net::Buffer& joined = tables_->joined;
  joined.clear();
  for (const iovec& piece : pieces) {
    const std::string_view data(static_cast<const char*>(piece.iov_base), piece.iov_len);
    const bool alone = !join || data.size() >= kShortPiece;
    if (alone || joined.size() + data.size() > kJoined) {
      feed(joined.view());
      joined.clear();
    }
    alone ? feed(data) : joined.append(data);
  }
  feed(joined.view());
  if (pieces.empty()) run(nullptr, 0);
  out.resize(size);
}

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

void Inflater::Begin(net::Buffer& out, std::int64_t limit) {
  if (!state_) state_ = std::make_unique<inflate_state>();
  isal_inflate_init(state_.get());
  state_->crc_flag = ISAL_ZLIB;
  out_ = &out;
  limit_ = limit;
}

void Inflater::Feed(std::string_view piece) {
  state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(piece.data()));
  state_->avail_in = static_cast<std::uint32_t>(piece.size());
  const auto limit = static_cast<std::size_t>(limit_);
  do {
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      throw ProtocolError("frame: bytes after the compressed stream");
    }
    const std::size_t size = out_->size();
    // One byte beyond the limit distinguishes a stream that ends there from one that continues.
    const std::size_t wanted = std::max(out_->capacity() - size, std::max(kRoom, size));
    const std::size_t room = std::min({wanted, limit + 1 - size, kLargestCall});
    state_->next_out = reinterpret_cast<std::uint8_t*>(out_->extend(room));
    state_->avail_out = static_cast<std::uint32_t>(room);
    const int result = isal_inflate(state_.get());
    out_->resize(size + room - state_->avail_out);
    if (result != ISAL_DECOMP_OK) {
      throw ProtocolError("frame: the compressed stream is damaged");
    }
    if (out_->size() > limit) {
      throw ProtocolError("frame: the payload inflates beyond the " + std::to_string(limit) +
                          " bytes that the limits leave");
    }
  } while (state_->avail_in > 0 ||
           (state_->avail_out == 0 && state_->block_state != ISAL_BLOCK_FINISH));
}

void Inflater::Finish() {
  if (state_->block_state != ISAL_BLOCK_FINISH) {
    throw ProtocolError("frame: the compressed stream is incomplete");
  }
  // ISA-L may have read the first bytes after the stream into its bit buffer.
  if (state_->read_in_length >= 8) {
    throw ProtocolError("frame: bytes after the compressed stream");
  }
}

}  // namespace rpycbench::rpyc
