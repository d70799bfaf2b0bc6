#include "servers/tcp/wire.h"

#include <bit>
#include <cstring>
#include <string>

namespace rpycbench::tcp {

// The header is sent as it lies in memory.
static_assert(std::endian::native == std::endian::little);

namespace {

// What one receive can take beside the header: messages up to this size need no second call.
constexpr std::size_t kTogether = 64 * 1024;

}  // namespace

bool RequestCarriesData(Operation operation) {
  return operation == Operation::kEcho || operation == Operation::kUpload ||
         operation == Operation::kUploadFile || operation == Operation::kUploadFileChunked;
}

bool ReplyCarriesData(Operation operation) {
  return operation == Operation::kPing || operation == Operation::kEcho ||
         operation == Operation::kDownload || operation == Operation::kDownloadFile ||
         operation == Operation::kDownloadFileChunked;
}

bool ReceiveHeader(net::Socket& socket, Header& header, net::Buffer& data) {
  data.resize_discarding(kTogether);
  iovec parts[] = {{&header, sizeof header}, {data.data(), kTogether}};
  std::size_t got = socket.ReceiveSome(parts);
  if (got == 0) return false;
  if (got < sizeof header) {
    socket.ReceiveExactly(reinterpret_cast<char*>(&header) + got, sizeof header - got);
    got = sizeof header;
  }
  data.resize(got - sizeof header);
  return true;
}

void ReceiveData(net::Socket& socket, std::uint64_t size, net::Buffer& data) {
  const std::size_t present = data.size();
  if (present > size) {
    throw FormatError(socket.peer().ToString() + ": " + std::to_string(present - size) +
                      " bytes beyond the end of the message");
  }
  data.resize(size);
  socket.ReceiveExactly(data.data() + present, size - present);
}

void Send(net::Socket& socket, const Header& header, std::string_view data) {
  char message[sizeof(Header) + 256];
  if (data.size() <= sizeof message - sizeof header) {
    std::memcpy(message, &header, sizeof header);
    if (!data.empty()) std::memcpy(message + sizeof header, data.data(), data.size());
    socket.SendAll(message, sizeof header + data.size());
    return;
  }
  iovec parts[] = {{const_cast<Header*>(&header), sizeof header},
                   {const_cast<char*>(data.data()), data.size()}};
  socket.SendAll(parts);
}

}  // namespace rpycbench::tcp
