#include "servers/http/chunk_json.h"

#include <algorithm>
#include <cstring>

#include "servers/http/hex.h"

namespace rpycbench::http {
namespace {

constexpr std::string_view kOpening = R"({"chunks":[)";
constexpr std::string_view kClosing = "]}";
constexpr std::string_view kKeyText = R"(chunks")";

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

char* Put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

std::uint64_t ChunkEncoder::document_bytes() const {
  const std::uint64_t count = chunks_.count();
  const std::uint64_t quotes_and_commas = count == 0 ? 0 : 3 * count - 1;
  return kOpening.size() + 2 * std::uint64_t{chunks_.whole.size()} + quotes_and_commas +
         kClosing.size();
}

std::size_t ChunkEncoder::Encode(char* out, std::size_t room) {
  char* at = out;
  char* const end = out + room;
  if (part_ == Part::kOpening) {
    at = Put(at, kOpening);
    part_ = Part::kChunks;
  }
  const std::size_t total = chunks_.whole.size();
  constexpr std::size_t kMarks = 4;  // at most these surround the digits of a step: ","…"
  while (offset_ < total && static_cast<std::size_t>(end - at) >= kMarks + 2) {
    const std::size_t in_chunk = offset_ % chunks_.chunk_bytes;
    const std::size_t chunk_left = std::min(chunks_.chunk_bytes - in_chunk, total - offset_);
    const std::size_t fits = (static_cast<std::size_t>(end - at) - kMarks) / 2;
    const std::size_t step = std::min({chunk_left, fits, service::Payload::kContiguousBytes});
    if (in_chunk == 0) at = Put(at, offset_ == 0 ? "\"" : ",\"");
    HexEncode(chunks_.whole.Sub(offset_, step).contiguous().data(), step, at);
    at += 2 * step;
    offset_ += step;
    if (step == chunk_left) *at++ = '"';
  }
  if (part_ == Part::kChunks && offset_ == total &&
      static_cast<std::size_t>(end - at) >= kClosing.size()) {
    at = Put(at, kClosing);
    part_ = Part::kDone;
  }
  return static_cast<std::size_t>(at - out);
}

std::uint64_t ChunkDecoder::MaxDocumentBytes(const Limits& limits) {
  constexpr std::uint64_t kMarks = 4;         // two quotes, a comma, a space
  constexpr std::uint64_t kAroundArray = 64;  // braces, key, brackets, some white space
  return 2 * limits.max_bytes + kMarks * limits.max_chunks + kAroundArray;
}

void ChunkDecoder::Feed(std::string_view piece) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at < end) {
    at = state_ == State::kDigits ? FeedDigits(at, end) : FeedToken(at);
  }
  position_ += piece.size();
}

// Takes one character outside a chunk.
const char* ChunkDecoder::FeedToken(const char* at) {
  const char c = *at;
  if (state_ == State::kKey) {
    if (c != kKeyText[key_matched_]) Fail("the key \"chunks\"", c);
    if (++key_matched_ == kKeyText.size()) state_ = State::kColon;
    return at + 1;
  }
  if (IsBlank(c)) return at + 1;
  const auto expect = [&](char wanted, State next) {
    if (c != wanted) Fail(std::string("'") + wanted + "'", c);
    state_ = next;
  };
  switch (state_) {
    case State::kOpenBrace:
      expect('{', State::kKeyQuote);
      break;
    case State::kKeyQuote:
      expect('"', State::kKey);
      break;
    case State::kColon:
      expect(':', State::kOpenBracket);
      break;
    case State::kOpenBracket:
      expect('[', State::kFirstChunk);
      break;
    case State::kFirstChunk:
      if (c == ']') {
        state_ = State::kCloseBrace;
        break;
      }
      [[fallthrough]];
    case State::kNextChunk:
      if (c != '"') Fail("a string of hex digits", c);
      StartChunk();
      break;
    case State::kCommaOrEnd:
      if (c != ',' && c != ']') Fail("',' or ']'", c);
      state_ = c == ',' ? State::kNextChunk : State::kCloseBrace;
      break;
    case State::kCloseBrace:
      expect('}', State::kEnd);
      break;
    default:
      Fail("the end of the document", c);
  }
  return at + 1;
}

// Takes digits up to the chunk's closing quote or the end of the piece.
const char* ChunkDecoder::FeedDigits(const char* at, const char* end) {
  const void* quote = std::memchr(at, '"', static_cast<std::size_t>(end - at));
  const char* stop = quote == nullptr ? end : static_cast<const char*>(quote);
  if (odd_ && at < stop) {
    const char pair[2] = {odd_digit_, *at++};
    odd_ = false;
    Decode(pair, 1);
  }
  const std::size_t digits = static_cast<std::size_t>(stop - at);
  Decode(at, digits / 2);
  if (digits % 2 != 0) {
    odd_ = true;
    odd_digit_ = stop[-1];
  }
  if (quote == nullptr) return end;
  EndChunk();
  return stop + 1;
}

void ChunkDecoder::Decode(const char* digits, std::size_t size) {
  // Malformed text within the limit is reported as malformed, however much follows it.
  const std::size_t taken = std::min<std::uint64_t>(size, limits_.max_bytes - bytes_.size());
  if (!HexDecode(digits, taken, bytes_.extend(taken))) {
    Fail("a hex digit", *std::find_if_not(digits, digits + 2 * taken, IsHexDigit));
  }
  if (taken < size) {
    throw ChunkLimitError("the chunks hold more than " + std::to_string(limits_.max_bytes) +
                          " bytes");
  }
}

void ChunkDecoder::StartChunk() {
  if (chunk_count_ == limits_.max_chunks) {
    throw ChunkLimitError("there are more than " + std::to_string(limits_.max_chunks) + " chunks");
  }
  if (chunk_count_ > 1 && last_chunk_bytes_ != first_chunk_bytes_) even_but_last_ = false;
  ++chunk_count_;
  chunk_start_ = bytes_.size();
  state_ = State::kDigits;
}

void ChunkDecoder::EndChunk() {
  if (odd_) {
    throw ChunkError("chunk " + std::to_string(chunk_count_ - 1) + " has an odd number of digits");
  }
  last_chunk_bytes_ = bytes_.size() - chunk_start_;
  if (chunk_count_ == 1) first_chunk_bytes_ = last_chunk_bytes_;
  state_ = State::kCommaOrEnd;
}

void ChunkDecoder::Finish() const {
  if (state_ != State::kEnd) {
    throw ChunkError("the chunk document ends early, after " + std::to_string(position_) +
                     " bytes");
  }
}

bool ChunkDecoder::CutEvery(std::uint64_t chunk_bytes) const {
  if (chunk_count_ == 0) return true;
  if (chunk_count_ == 1) return last_chunk_bytes_ <= chunk_bytes;
  return even_but_last_ && first_chunk_bytes_ == chunk_bytes && last_chunk_bytes_ <= chunk_bytes;
}

void ChunkDecoder::Fail(const std::string& expected, char found) const {
  const unsigned char c = static_cast<unsigned char>(found);
  const std::string shown =
      c > 0x20 && c < 0x7f ? std::string("'") + found + "'" : "byte " + std::to_string(int{c});
  const std::string where =
      chunk_count_ == 0 ? "" : " at or after chunk " + std::to_string(chunk_count_ - 1);
  throw ChunkError("not a chunk document: expected " + expected + ", found " + shown + where);
}

}  // namespace rpycbench::http
