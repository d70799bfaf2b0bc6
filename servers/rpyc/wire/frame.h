// Frames: the form in which RPyC's channel sends each message.
//
//   bytes  content
//   4      length of the payload as sent, big-endian
//   1      flag; 1: the payload is a zlib stream
//   any    payload
//   1      newline
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

// Holds the plain payload of a received frame, which is valid until the storage is used again.
struct FrameStorage {
  net::Buffer bytes;
  std::string_view payload;
};

// The owner of the buffers of several frames.
class FrameMemory {
 public:
  virtual ~FrameMemory() = default;
  // Called when the socket's time limit has passed between two frames.
  virtual void OnIdle() = 0;
  // Called before `buffer`, which holds the beginning of a frame, grows to `size` bytes. The owner
  // may put another buffer with the same contents in its place.
  virtual void BeforeGrowing(net::Buffer& buffer, std::size_t size) = 0;
};

class FrameReader {
 public:
  // Reads frames from `socket`. With `quick_ack`, the reader acknowledges every receive at once,
  // not only those near the end of a large frame. `memory` is called about everything that concerns
  // several frames; it must outlive the reader.
  FrameReader(net::Socket& socket, const Limits& limits, bool quick_ack,
              FrameMemory* memory = nullptr)
      : socket_(socket), limits_(limits), quick_ack_(quick_ack), memory_(memory) {}

  enum class Idle {
    kWaitOn,  // no frame is due, so waiting beyond the socket's time limit is no error
    kFail,
  };
  // Receives one frame. Its plain payload may have at most `room` bytes, or the limit if that is
  // less. Returns false at the end of the stream between two frames. Throws ProtocolError and
  // net::Error. Throws net::EndOfStream if the peer ends or resets the stream in the middle of a
  // frame.
  bool Read(FrameStorage& into, Idle idle,
            std::size_t room = std::numeric_limits<std::size_t>::max());

  // Returns whether the next frame has been received already, so that Read would not wait.
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
  net::Buffer surplus_;  // bytes after a frame, from surplus_begin_ on
  std::size_t surplus_begin_ = 0;
  net::Buffer packed_;  // a compressed payload on its way into the inflater
  Inflater inflater_;
  FrameTotals totals_;
};

class FrameWriter {
 public:
  FrameWriter(net::Socket& socket, Compression compression)
      : socket_(socket), compression_(compression) {}

  // Begins the next message. Space for the frame's head is reserved before it.
  MessageWriter& Begin();
  // Sends the message that Begin returned, in one system call if the kernel takes it and the
  // socket's policy allows it. Frames that waited leave with the head. Throws net::Error, and
  // std::length_error for payloads of 2³² bytes or more.
  void Send();
  // Sends the message like Send, but a small frame may wait for the next Send or Flush and leave
  // with it.
  void SendLater();
  // Sends the frames that wait. Throws net::Error.
  void Flush();
  // Frees large buffers. Call it when the connection is idle.
  void GiveBack();

  // Returns the totals, which include frames that wait.
  const FrameTotals& totals() const { return totals_; }

 private:
  void SendCompressed();
  // Fills the head of the frame and adds the frame to the totals.
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
