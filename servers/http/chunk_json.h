// The document that carries chunks over HTTP: {"chunks":["<hex>",…]}, one string of hex digits for
// each chunk. Both directions stream, so neither end holds the whole text, which is twice the
// payload. The encoder fills a small block again and again, and the decoder accepts pieces cut
// anywhere. The decoder accepts exactly this shape: one key, an array, strings of hex digits of
// either case, white space between tokens. It refuses escapes, because no hex digit needs one.
//
//   ChunkEncoder encoder(chunks);               // encoder.document_bytes() is the Content-Length
//   while (const std::size_t n = encoder.Encode(block, sizeof block)) Send(block, n);
//
//   ChunkDecoder decoder(bytes, limits);
//   for (std::string_view piece : received) decoder.Feed(piece);
//   decoder.Finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "servers/net/buffer.h"
#include "servers/service/service.h"

namespace rpycbench::http {

class ChunkEncoder {
 public:
  // The smallest block that Encode can fill, in bytes.
  static constexpr std::size_t kMinimumRoom = 64;

  explicit ChunkEncoder(const service::Chunks& chunks) : chunks_(chunks) {}

  // Returns the exact length of the whole document, in bytes.
  std::uint64_t document_bytes() const;
  // Writes the next part of the document to `out`, which has `room` bytes, at least kMinimumRoom.
  // Returns the number of bytes written, 0 after the end of the document.
  std::size_t Encode(char* out, std::size_t room);

 private:
  enum class Part { kOpening, kChunks, kDone };

  service::Chunks chunks_;
  Part part_ = Part::kOpening;
  std::size_t offset_ = 0;  // offset of the payload's next byte
};

// The text is not a chunk document. The message says why.
class ChunkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The document is well-formed so far, but larger than allowed.
class ChunkLimitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ChunkDecoder {
 public:
  struct Limits {
    std::uint64_t max_bytes;  // in all chunks together, decoded
    std::uint64_t max_chunks;
  };

  // Appends the decoded chunks to `bytes`, one after another. `bytes` must be empty. Reserve its
  // memory beforehand if the total is known.
  ChunkDecoder(net::Buffer& bytes, const Limits& limits) : bytes_(bytes), limits_(limits) {}

  // Returns the length in bytes of the longest document whose content is within `limits`, with a
  // space after each comma.
  static std::uint64_t MaxDocumentBytes(const Limits& limits);

  // Decodes the next piece of the document. Throws ChunkError or ChunkLimitError.
  void Feed(std::string_view piece);
  // Throws ChunkError if the document is not complete.
  void Finish() const;

  std::uint64_t chunk_count() const { return chunk_count_; }
  // Returns whether all chunks have `chunk_bytes` bytes, except that the last may be shorter.
  bool CutEvery(std::uint64_t chunk_bytes) const;

 private:
  enum class State {
    kOpenBrace,
    kKeyQuote,
    kKey,
    kColon,
    kOpenBracket,
    kFirstChunk,
    kDigits,
    kCommaOrEnd,
    kNextChunk,
    kCloseBrace,
    kEnd
  };

  const char* FeedToken(const char* at);
  const char* FeedDigits(const char* at, const char* end);
  void Decode(const char* digits, std::size_t size);
  void StartChunk();
  void EndChunk();
  [[noreturn]] void Fail(const std::string& expected, char found) const;

  net::Buffer& bytes_;
  Limits limits_;
  State state_ = State::kOpenBrace;
  std::size_t key_matched_ = 0;
  std::uint64_t position_ = 0;  // bytes fed so far
  bool odd_ = false;            // the last digit's partner is in the next piece
  char odd_digit_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t chunk_start_ = 0;  // offset in bytes_
  std::uint64_t first_chunk_bytes_ = 0;
  std::uint64_t last_chunk_bytes_ = 0;
  bool even_but_last_ = true;  // all chunks but the last are as large as the first
};

}  // namespace rpycbench::http
