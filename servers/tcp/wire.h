// The floor's format, the same for requests and replies: a header of 16 bytes, then `size` bytes
// of data. One message is under way at a time, so a receive may ask for header and data at once,
// which puts small messages where they belong with a single system call.
//
//   offset  request                      reply
//   0       operation                    0 ok, 1 refused (the data is the reason)
//   1       zero                         zero
//   4       chunk size, 32 bits          zero
//   8       number, 64 bits              number, 64 bits
// Numbers are little-endian. The number is the count of data bytes that follow, except in requests
// without data (download: size wanted; compute: n; sleep: nanoseconds) and replies without data
// (upload: bytes received; compute: the sum; sleep: nanoseconds).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "servers/net/buffer.h"
#include "servers/net/socket.h"

namespace rpycbench::tcp {

enum class Operation : std::uint8_t {
  kPing = 1,
  kEcho,
  kUpload,
  kDownload,
  kCompute,
  kSleep,
  kUploadFile,
  kDownloadFile,
  kUploadFileChunked,
  kDownloadFileChunked,
  kCrash,
};

// Whether data follows the header of a request, and of an accepted reply.
bool RequestCarriesData(Operation operation);
bool ReplyCarriesData(Operation operation);

struct Header {
  std::uint8_t code = 0;  // an Operation, or a status
  std::uint8_t zero[3] = {};
  std::uint32_t chunk_bytes = 0;
  std::uint64_t number = 0;
};
static_assert(sizeof(Header) == 16);

inline constexpr std::uint8_t kOk = 0;
inline constexpr std::uint8_t kRefused = 1;

// The peer broke the format; the connection cannot go on.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One received message. Header and data lie in one buffer, so that a small message arrives by a
// single plain receive.
class Message {
 public:
  // Waits for the next message and takes what has arrived of it, the header at least.
  // Returns false at the end of the stream before the first byte. Throws net::EndOfStream in the
  // middle of a header, and net::Error.
  bool ReceiveHeader(net::Socket& socket);
  // Receives the rest of a message with `size` bytes of data, straight to where it belongs.
  // Throws FormatError if more had arrived already, net::EndOfStream, net::Error.
  void ReceiveData(net::Socket& socket, std::uint64_t size);
  // Makes room for this much data beforehand.
  void Reserve(std::uint64_t size) { bytes_.reserve(sizeof(Header) + size); }

  // To be called when the connection is idle: a large buffer goes.
  void GiveBack() { bytes_.give_back(net::kKeptWhenIdle); }

  const Header& header() const { return header_; }
  std::string_view data() const { return bytes_.view().substr(sizeof(Header)); }

 private:
  net::Buffer bytes_;
  Header header_;
};

// Sends a header and the data behind it, unless the socket's policy says otherwise in the same
// system call.
void Send(net::Socket& socket, const Header& header, std::string_view data);

}  // namespace rpycbench::tcp
