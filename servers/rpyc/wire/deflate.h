// Streams in zlib's format (RFC 1950), which compressed frames carry. ISA-L does the work. At its
// level 1 it compresses as tightly as zlib's level 1, four times as fast on text. Both directions
// stream, so neither a whole compressed copy nor a second inflated copy is held.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "servers/net/buffer.h"

struct isal_zstream;
struct inflate_state;

namespace rpycbench::rpyc {

// Compresses whole payloads. The first use allocates its tables of about 360 KiB.
class Deflater {
 public:
  Deflater();
  ~Deflater();

  // Appends one zlib stream of the pieces, in order, to `out`.
  void Compress(std::span<const iovec> pieces, net::Buffer& out);

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

// Inflates one stream at a time, from pieces as they arrive.
class Inflater {
 public:
  Inflater();
  ~Inflater();

  // Starts a stream whose output is appended to `out`, which may grow to `limit` bytes.
  void Begin(net::Buffer& out, std::int64_t limit);
  // Inflates the next piece. Throws ProtocolError if the stream is damaged, inflates beyond the
  // limit, or ends before the last byte of the piece.
  void Feed(std::string_view piece);
  // Throws ProtocolError if the stream is not complete.
  void Finish();

 private:
  std::unique_ptr<inflate_state> state_;
  net::Buffer* out_ = nullptr;
  std::int64_t limit_ = 0;
};

}  // namespace rpycbench::rpyc
