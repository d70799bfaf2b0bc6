// Frames: what RPyC's channel puts around each message. Four bytes of length (big-endian, of the
// payload as sent), one flag (1: the payload is a zlib stream), the payload, one newline.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "servers/net/buffer.h"
#include "servers/net/socket.h"
#include "servers/rpyc/wire/deflate.h"
#include "servers/rpyc/wire/message_writer.h"
#include "servers/rpyc/wire/options.h"
#include "servers/rpyc/wire/wire_counts.h"

namespace rpycbench::rpyc {

inline constexpr std::size_t kFrameHead = 5;

// Where the plain payload of a received frame lies. It is valid until the storage is used again.
struct FrameStorage {
  net::Buffer bytes;
  std::string_view payload;
};

// Who has the buffers of several frames.
class FrameMemory {
 public:
  virtual ~FrameMemory() = default;
  // The socket's time limit has passed between two frames.
  virtual void OnIdle() = 0;
  // The buffer, which has the beginning of a frame, is going to have `size` bytes: another with the
  // same contents may be put in its place.
  virtual void BeforeGrowing(net::Buffer& buffer, std::size_t size) = 0;
};

class FrameReader {
 public:
  // With `quick_ack`, every receive is acknowledged at once, not only those near the end of a large
  // frame. `memory` is told what concerns more than one frame; it must outlive the reader.
  FrameReader(net::Socket& socket, const Limits& limits, bool quick_ack,
              FrameMemory* memory = nullptr)
      : socket_(socket), limits_(limits), quick_ack_(quick_ack), memory_(memory) {}

  enum class Idle {
    kWaitOn,  // no frame is due: waiting longer than the socket's time limit is no error
    kFail,
  };
  // Receives one frame, whose plain payload may have `room` bytes, if that is less than the limit.
  // Returns false at the end of the stream between two frames.
  // Throws ProtocolError, net::EndOfStream if the peer ends or resets the stream in the middle of a
  // frame, and net::Error.
  bool Read(FrameStorage& into, Idle idle,
            std::size_t room = std::numeric_limits<std::size_t>::max());

  // Whether the next frame has been received already, so that Read would not wait.
  bool next_is_here() const;
  const FrameTotals& totals() const { return totals_; }

 private:
  std::string_view surplus() const { return surplus_.view().substr(surplus_begin_); }
  void TakeSurplus(net::Buffer& bytes);
  void ReceiveFirst(net::Buffer& bytes, Idle idle);
  void ReceivePlain(FrameStorage& into, std::size_t length);
  void ReceiveCompressed(FrameStorage& into, std::size_t length, std::size_t room);
  void ReceiveRest(net::Buffer& buffer, std::size_t size);
  std::size_t ReceiveStep(char* into, std::size_t size, std::size_t missing);
  std::size_t ReceiveInside(char* into, std::size_t size);

  net::Socket& socket_;
  Limits limits_;
  bool quick_ack_;
  FrameMemory* memory_;
  net::Buffer surplus_;  // what came behind a frame, from surplus_begin_ on
  std::size_t surplus_begin_ = 0;
  net::Buffer packed_;  // a compressed payload on its way into the inflater
  Inflater inflater_;
  FrameTotals totals_;
};

class FrameWriter {
 public:
  FrameWriter(net::Socket& socket, Compression compression)
      : socket_(socket), compression_(compression) {}

  // The message to be sent next; headroom for the frame's head is left in front of it.
  MessageWriter& Begin();
  // Sends what Begin returned, with one system call if the kernel takes it and the socket's policy
  // has no other wish. Frames that waited then leave with the head.
  // Throws std::length_error for payloads of 2³² bytes or more, net::Error.
  void Send();
  // Like Send, but a small frame may wait for the next Send or Flush, to leave with it.
  void SendLater();
  void Flush();
  // To be called when the connection is idle: large buffers go.
  void GiveBack();

  // Frames that wait are among them.
  const FrameTotals& totals() const { return totals_; }

 private:
  void SendCompressed();
  // Enters the frame into the totals, too.
  void FillHead(char* head, std::size_t length, bool compressed);

  net::Socket& socket_;
  Compression compression_;
  MessageWriter message_;
  net::Buffer waiting_;  // frames of SendLater
  std::vector<iovec> pieces_;
  Deflater deflater_;
  net::Buffer packed_;
  FrameTotals totals_;
};

}  // namespace rpycbench::rpyc
