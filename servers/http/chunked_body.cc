#include "servers/http/chunked_body.h"

#include <charconv>
#include <cstring>

namespace rpycbench::http {

void SendChunkedBody(net::Socket& socket, std::string_view head, const service::Chunks& chunks,
                     std::vector<iovec>& blocks) {
  constexpr std::string_view kEndOfLine = "\r\n";
  constexpr std::string_view kEnd = "0\r\n\r\n";
  // iovec has no const form.
  const auto block = [](std::string_view text) {
    return iovec{const_cast<char*>(text.data()), text.size()};
  };
  blocks.assign(1, block(head));
  std::size_t head_bytes = head.size();
  for (std::size_t i = 0; i < chunks.count(); ++i) {
    const service::Payload chunk = chunks.at(i);
    char line[20];  // the size in hexadecimal digits, and the end of the line
    char* const digits_end = std::to_chars(line, line + 16, chunk.size(), 16).ptr;
    std::memcpy(digits_end, kEndOfLine.data(), kEndOfLine.size());
    blocks.push_back(
        block({line, static_cast<std::size_t>(digits_end - line) + kEndOfLine.size()}));
    chunk.AppendPieces(blocks);
    blocks.push_back(block(kEndOfLine));
    if (i + 1 == chunks.count()) blocks.push_back(block(kEnd));
    socket.SendMessage(blocks, head_bytes);
    blocks.clear();
    head_bytes = 0;
  }
  if (chunks.count() > 0) return;
  blocks.push_back(block(kEnd));
  socket.SendMessage(blocks, head_bytes);
}

}  // namespace rpycbench::http
