// The floor's format, the same for requests and replies: a header of 16 bytes, then data. Only one
// message is under way at a time. A receive may therefore ask for header and data at once, and one
// system call receives a small message.
//
//   offset  request                      reply
//   0       operation                    0 ok, 1 refused (the data is the reason)
//   1       zero                         zero
//   4       chunk size, 32 bits          zero
//   8       number, 64 bits              number, 64 bits
//
// Numbers are little-endian. The number is usually the count of data bytes that follow. Messages
// without data use it otherwise:
//   request  download: size wanted; compute: n; sleep: nanoseconds; setting: its new value;
//            item: its place; items, call back: how many
//   reply    upload: bytes received; compute, call back: the sum; sleep: nanoseconds; value;
//            setting: its value before
//
// An item is 24 bytes and its name: number, weight (a double), length of the name. While `call
// back` is under way, the server sends requests with that code and a number, and the client replies
// to each with a number.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "servers/net/buffer.h"
#include "servers/net/socket.h"
#include "servers/service/service.h"

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
  kValue,
  kSetting,
  kFail,
  kItem,
  kItems,
  kCallBack,
};

// Return whether data follows the header of a request, and of an accepted reply.
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

// The peer broke the format, and the connection cannot continue.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Appends an item to the data of a reply.
void AppendItem(net::Buffer& out, const service::Item& item);
// Removes an item from the front of received data, which has its name. Throws FormatError if there is none.
service::ItemView TakeItem(std::string_view& data);

// One received message. Header and data share one buffer, so a single plain receive suffices for a
// small message.
class Message {
 public:
  // Waits for the next message and receives what has arrived of it, at least the header. Returns
  // false if the stream ends before the first byte. Throws net::EndOfStream in the middle of a
  // header, and net::Error.
  bool ReceiveHeader(net::Socket& socket);
  // Receives the rest of a message with `size` bytes of data, directly into its final place. Throws
  // FormatError if more bytes had arrived already, net::EndOfStream, net::Error.
  void ReceiveData(net::Socket& socket, std::uint64_t size);
  // Reserves memory for `size` bytes of data.
  void Reserve(std::uint64_t size) { bytes_.reserve(sizeof(Header) + size); }

  // Frees a large buffer. Call it when the connection is idle.
  void GiveBack() { bytes_.give_back(net::kKeptWhenIdle); }

  const Header& header() const { return header_; }
  std::string_view data() const { return bytes_.view().substr(sizeof(Header)); }

 private:
  net::Buffer bytes_;
  Header header_;
};

// Sends a header and then the data, in one system call unless the socket's policy says otherwise.
// Throws net::Error.
void Send(net::Socket& socket, const Header& header, std::string_view data);
// Sends a chunk of a file in one system call. `blocks` lends its memory, and its contents are lost.
// Throws net::Error.
void SendChunk(net::Socket& socket, const service::Payload& chunk, std::vector<iovec>& blocks);

}  // namespace rpycbench::tcp
