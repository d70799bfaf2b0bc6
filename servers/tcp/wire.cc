#include "servers/tcp/wire.h"

#include <bit>
#include <cstring>
#include <string>

namespace rpycbench::tcp {

// The header is sent as it is in memory.
static_assert(std::endian::native == std::endian::little);

namespace {

// The size of the first receive, in bytes. Messages up to this size need no second one.
constexpr std::size_t kTogether = 64 * 1024;

// What precedes the name of an item.
struct ItemHead {
  std::int64_t number;
  double weight;
  std::uint64_t name_bytes;
};
static_assert(sizeof(ItemHead) == 24);

}  // namespace

bool RequestCarriesData(Operation operation) {
  return operation == Operation::kEcho || operation == Operation::kUpload ||
         operation == Operation::kUploadFile || operation == Operation::kUploadFileChunked;
}

bool ReplyCarriesData(Operation operation) {
  return operation == Operation::kPing || operation == Operation::kEcho ||
         operation == Operation::kDownload || operation == Operation::kDownloadFile ||
         operation == Operation::kDownloadFileChunked || operation == Operation::kItem ||
         operation == Operation::kItems;
}

void AppendItem(net::Buffer& out, const service::Item& item) {
  const ItemHead head{item.number, item.weight, item.name.size()};
  out.append({reinterpret_cast<const char*>(&head), sizeof head});
  out.append(item.name);
}

service::ItemView TakeItem(std::string_view& data) {
  ItemHead head;
  if (data.size() < sizeof head) throw FormatError("an item is cut off");
  std::memcpy(&head, data.data(), sizeof head);
  data.remove_prefix(sizeof head);
  if (data.size() < head.name_bytes) throw FormatError("an item's name is cut off");
  const service::ItemView item{head.number, data.substr(0, head.name_bytes), head.weight};
  data.remove_prefix(head.name_bytes);
  return item;
}

bool Message::ReceiveHeader(net::Socket& socket) {
  bytes_.resize_discarding(kTogether);
  std::size_t got = socket.ReceiveSome(bytes_.data(), kTogether);
  if (got == 0) return false;
  if (got < sizeof header_) {
    socket.ReceiveExactly(bytes_.data() + got, sizeof header_ - got);
    got = sizeof header_;
  }
  bytes_.resize(got);
  std::memcpy(&header_, bytes_.data(), sizeof header_);
  return true;
}

void Message::ReceiveData(net::Socket& socket, std::uint64_t size) {
  const std::size_t present = bytes_.size();
  const std::size_t total = sizeof header_ + size;
  if (present > total) {
    throw FormatError(socket.peer().ToString() + ": " + std::to_string(present - total) +
                      " bytes after the end of the message");
  }
  bytes_.resize(total);
  socket.ReceiveExactly(bytes_.data() + present, total - present);
}

void Send(net::Socket& socket, const Header& header, std::string_view data) {
  char message[sizeof(Header) + 256];
  if (data.size() <= sizeof message - sizeof header) {
    std::memcpy(message, &header, sizeof header);
    if (!data.empty()) std::memcpy(message + sizeof header, data.data(), data.size());
    socket.SendMessage(message, sizeof header + data.size(), sizeof header);
    return;
  }
  iovec parts[] = {{const_cast<Header*>(&header), sizeof header},
                   {const_cast<char*>(data.data()), data.size()}};
  socket.SendMessage(parts, sizeof header);
}

void SendChunk(net::Socket& socket, const service::Payload& chunk, std::vector<iovec>& blocks) {
  if (chunk.is_contiguous()) {
    const std::string_view bytes = chunk.contiguous();
    return socket.SendAll(bytes.data(), bytes.size());
  }
  blocks.clear();
  chunk.AppendPieces(blocks);
  socket.SendAll(blocks);
}

}  // namespace rpycbench::tcp
