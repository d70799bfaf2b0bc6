#include "servers/rpyc/wire/frame.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "servers/net/tls/unexpected.h"
#include "servers/net/wait.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

constexpr char kPlain = 0;
constexpr char kCompressed = 1;
constexpr char kTrailer = '\n';
// The sizes of the first receive of a frame. It is small on a new connection, because a forked
// session pays for each page it touches. It grows once larger frames have arrived.
constexpr std::size_t kFirstReceive = 1024;
constexpr std::size_t kLargestReceive = 64 * 1024;
// A piece of a compressed payload, small enough to stay in the cache until it is inflated.
constexpr std::size_t kPackedPiece = 256 * 1024;
// Python writes at most 64,000 bytes at once, with Nagle's algorithm. It holds the last writes of a
// frame back until everything before them is acknowledged.
constexpr std::size_t kHeldBack = 2 * 64'000;

std::size_t LengthField(const char* head) {
  std::size_t length = 0;
  for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(head[i]);
  return length;
}

void CheckTrailer(char trailer) {
  if (trailer != kTrailer) throw ProtocolError("frame: the trailer is missing");
}

}  // namespace

bool FrameReader::Read(FrameStorage& into, Idle idle, std::size_t room) {
  net::Buffer& bytes = into.bytes;
  bytes.clear();
  bytes.reserve(kFirstReceive);
  TakeSurplus(bytes);
  if (bytes.empty()) {
    ReceiveFirst(bytes, idle);
    if (bytes.empty()) return false;
  }
  const std::size_t limit = std::min(bytes.capacity(), kLargestReceive);
  while (bytes.size() < kFrameHead) {
    const std::size_t present = bytes.size();
    bytes.resize(present + ReceiveInside(bytes.data() + present, limit - present));
  }
  if (quick_ack_) socket_.RearmQuickAck();
  const std::size_t length = LengthField(bytes.data());
  const char flag = bytes.data()[4];
  // A first frame that began so would have 350 MiB.
  if (totals_.frames == 0 && bytes.view().starts_with(net::kTlsHandshake)) {
    throw ProtocolError(std::string("frame: ") + net::kPeerSpeaksTls);
  }
  if (flag != kPlain && flag != kCompressed) throw ProtocolError("frame: unknown flag");
  if (length == 0) throw ProtocolError("frame: the payload is empty");
  if (length > static_cast<std::size_t>(limits_.max_message_bytes)) {
    throw ProtocolError("frame: " + std::to_string(length) + " bytes are above the limit of " +
                        std::to_string(limits_.max_message_bytes));
  }
  if (length > room) {
    throw ProtocolError("frame: " + std::to_string(length) + " bytes are above the " +
                        std::to_string(room) + " that waiting messages leave of the limit");
  }
  const std::size_t total = kFrameHead + length + 1;
  if (bytes.size() > total) {
    surplus_.append(bytes.view().substr(total));
    bytes.resize(total);
  }
  flag == kPlain ? ReceivePlain(into, length) : ReceiveCompressed(into, length, room);
  ++totals_.frames;
  totals_.compressed += flag == kCompressed;
  totals_.bytes += total;
  return true;
}

// Receives the start of a frame; nothing at the end of the stream.
void FrameReader::ReceiveFirst(net::Buffer& bytes, Idle idle) {
  for (;;) {
    try {
      const std::size_t limit = std::min(bytes.capacity(), kLargestReceive);
      return bytes.resize(socket_.ReceiveSome(bytes.data(), limit));
    } catch (const net::Error& error) {
      if (!error.timed_out() || idle == Idle::kFail) throw;
    }
    for (net::Buffer* buffer : {&bytes, &surplus_, &packed_}) buffer->give_back(net::kKeptWhenIdle);
    bytes.reserve(kFirstReceive);
    if (memory_ != nullptr) memory_->OnIdle();
  }
}

bool FrameReader::next_is_here() const {
  return surplus().size() >= kFrameHead &&
         surplus().size() > kFrameHead + LengthField(surplus().data());
}

// Moves the next frame, or the part that has arrived, to the front of `bytes`.
void FrameReader::TakeSurplus(net::Buffer& bytes) {
  if (surplus_.empty()) return;
  std::size_t size = surplus().size();
  if (next_is_here()) size = std::min(size, kFrameHead + LengthField(surplus().data()) + 1);
  bytes.append(surplus().substr(0, size));
  surplus_begin_ += size;
  if (surplus_begin_ == surplus_.size()) {
    surplus_.clear();
    surplus_begin_ = 0;
  }
}

void FrameReader::ReceivePlain(FrameStorage& into, std::size_t length) {
  const std::size_t total = kFrameHead + length + 1;
  // Reserves a little more, because the next frame may be slightly longer and should also fit one
  // receive.
  if (total < kLargestReceive) into.bytes.reserve(std::bit_ceil(total));
  if (total > into.bytes.capacity() && memory_ != nullptr) {
    memory_->BeforeGrowing(into.bytes, total);
  }
  ReceiveRest(into.bytes, total);
  CheckTrailer(into.bytes.data()[kFrameHead + length]);
  into.payload = into.bytes.view().substr(kFrameHead, length);
}

void FrameReader::ReceiveRest(net::Buffer& buffer, std::size_t size) {
  std::size_t present = buffer.size();
  buffer.resize(size);
  while (present < size)
    present += ReceiveStep(buffer.data() + present, size - present, size - present);
}

// Receives once in the middle of a frame of which `missing` bytes have not arrived.
std::size_t FrameReader::ReceiveStep(char* into, std::size_t size, std::size_t missing) {
  if (missing <= kHeldBack || quick_ack_) socket_.RearmQuickAck();
  return ReceiveInside(into, size);
}

// Receives once where more bytes are due. A reset here is an error, unlike one between frames, with
// which a peer may leave.
std::size_t FrameReader::ReceiveInside(char* into, std::size_t size) {
  std::size_t got = 0;
  try {
    got = socket_.ReceiveSome(into, size);
  } catch (const net::Error& error) {
    if (error.code() != std::errc::connection_reset) throw;
  }
  if (got == 0) throw net::EndOfStream("receive a frame from", socket_.peer());
  return got;
}

void FrameReader::ReceiveCompressed(FrameStorage& into, std::size_t length, std::size_t room) {
  packed_.clear();
  packed_.append(into.bytes.view().substr(kFrameHead));
  packed_.reserve(kPackedPiece);
  into.bytes.clear();
  inflater_.Begin(into.bytes, static_cast<std::int64_t>(std::min(
                                  room, static_cast<std::size_t>(limits_.max_message_bytes))));
  for (std::size_t left = length + 1;;) {  // including the trailer
    left -= packed_.size();
    std::string_view piece = packed_.view();
    if (left == 0) {
      CheckTrailer(piece.back());
      piece.remove_suffix(1);
    }
    if (!piece.empty()) inflater_.Feed(piece);
    if (left == 0) break;
    packed_.resize(std::min(left, kPackedPiece));
    packed_.resize(ReceiveStep(packed_.data(), packed_.size(), left));
  }
  inflater_.Finish();
  if (into.bytes.empty()) throw ProtocolError("frame: the payload is empty");
  into.payload = into.bytes.view();
}

MessageWriter& FrameWriter::Begin() {
  message_.Clear(kFrameHead);
  return message_;
}

void FrameWriter::Send() {
  const std::size_t size = message_.size();
  if (size > compression_.above) return SendCompressed();
  FillHead(message_.head(), size, false);
  if (message_.contiguous() && waiting_.empty()) {
    message_.Byte(kTrailer);
    socket_.SendMessage(message_.bytes().data(), message_.bytes().size(), kFrameHead);
    return;
  }
  message_.Byte(kTrailer);
  pieces_.clear();
  if (!waiting_.empty()) pieces_.push_back({waiting_.data(), waiting_.size()});
  message_.AppendPieces(pieces_);
  socket_.SendMessage(pieces_, waiting_.size() + kFrameHead);
  waiting_.clear();
}

void FrameWriter::SendLater() {
  // Python's RPyC waits for its socket, and overlooks a second frame in a record that OpenSSL has
  // read already.
  if (socket_.tls() != nullptr && net::MayWait()) return Send();
  constexpr std::size_t kWaitLimit = 16 * 1024;
  const std::size_t size = message_.size();
  if (!message_.contiguous() || (waiting_.size() + size > kWaitLimit && net::MayWait()) ||
      size > std::min(compression_.above, Compression::kPython.above)) {
    return Send();
  }
  FillHead(message_.head(), size, false);
  waiting_.append(message_.bytes());
  waiting_.push_back(kTrailer);
}

void FrameWriter::Flush() {
  if (waiting_.empty()) return;
  socket_.SendAll(waiting_.data(), waiting_.size());
  waiting_.clear();
}

void FrameWriter::GiveBack() {
  message_.GiveBack();
  packed_.give_back(net::kKeptWhenIdle);
}

void FrameWriter::SendCompressed() {
  pieces_.clear();
  message_.AppendPieces(pieces_);
  // The headroom is at the start of the first piece.
  pieces_.front().iov_base = static_cast<char*>(pieces_.front().iov_base) + kFrameHead;
  pieces_.front().iov_len -= kFrameHead;
  packed_.clear();
  packed_.extend(kFrameHead);
  deflater_.Compress(pieces_, packed_);
  FillHead(packed_.data(), packed_.size() - kFrameHead, true);
  packed_.push_back(kTrailer);
  pieces_.clear();
  if (!waiting_.empty()) pieces_.push_back({waiting_.data(), waiting_.size()});
  pieces_.push_back({packed_.data(), packed_.size()});
  socket_.SendMessage(pieces_, waiting_.size() + kFrameHead);
  waiting_.clear();
}

void FrameWriter::FillHead(char* head, std::size_t length, bool compressed) {
  if (length > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("frame: a payload of " + std::to_string(length) +
                            " bytes does not fit the format");
  }
  for (int i = 0; i < 4; ++i) head[i] = static_cast<char>(length >> (24 - 8 * i));
  head[4] = compressed ? kCompressed : kPlain;
  ++totals_.frames;
  totals_.compressed += compressed;
  totals_.bytes += kFrameHead + length + 1;
}

}  // namespace rpycbench::rpyc
