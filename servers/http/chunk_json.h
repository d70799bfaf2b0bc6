// The document that carries chunks over HTTP: {"chunks":["<hex>",…]}, one string of hex digits a
// chunk. Both directions stream: the encoder fills a small block again and again, the decoder takes
// the document in pieces cut anywhere, so that neither end ever holds the text of the whole, which
// is twice the payload. The decoder insists on exactly this shape: one key, an array, strings of
// hex digits of either case, white space between tokens; escapes are refused, no hex digit needs
// one.
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
  // The smallest block that Encode can make progress with.
  static constexpr std::size_t kMinimumRoom = 64;

  explicit ChunkEncoder(const service::Chunks& chunks) : chunks_(chunks) {}

  // The exact length of the whole document.
  std::uint64_t document_bytes() const;
  // Writes the next part of the document, at most `room` bytes (at least kMinimumRoom), and
  // returns its length; 0 once all is written.
  std::size_t Encode(char* out, std::size_t room);

 private:
  enum class Part { kOpening, kChunks, kDone };

  service::Chunks chunks_;
  Part part_ = Part::kOpening;
  std::size_t offset_ = 0;  // of the payload's next byte
};

// The text is not a chunk document; says why.
class ChunkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The document is well-formed so far, and larger than allowed.
class ChunkLimitError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ChunkDecoder {
 public:
  struct Limits {
    std::uint64_t max_bytes;  // of all chunks together, decoded
    std::uint64_t max_chunks;
  };

  // Chunks are appended to `bytes`, one after another. It must be empty; reserve its memory
  // beforehand if the total can be foreseen.
  ChunkDecoder(net::Buffer& bytes, const Limits& limits) : bytes_(bytes), limits_(limits) {}

  // The longest document whose content is within `limits`, with a blank after each comma.
  static std::uint64_t MaxDocumentBytes(const Limits& limits);

  // Throws ChunkError or ChunkLimitError.
  void Feed(std::string_view piece);
  // Throws ChunkError if the document isn't complete.
  void Finish() const;

  std::uint64_t chunk_count() const { return chunk_count_; }
  // Whether all chunks have `chunk_bytes` bytes, save the last, which may be shorter.
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
  bool odd_ = false;            // a digit whose partner is in the next piece
  char odd_digit_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t chunk_start_ = 0;  // in bytes_
  std::uint64_t first_chunk_bytes_ = 0;
  std::uint64_t last_chunk_bytes_ = 0;
  bool even_but_last_ = true;  // all chunks but the last are as large as the first
};

}  // namespace rpycbench::http
