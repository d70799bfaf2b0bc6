// A body in chunked transfer coding (RFC 9112, section 7.1). It is sent as by a program that does
// not know the length beforehand: one system call for each chunk with its size line. Both ends use
// it. Boost.Beast's parser reads it like any other body. Beast's make_chunk would take 0.2 µs and
// an allocation more for each chunk (beast_cost.cc).
#pragma once

#include <string_view>
#include <vector>

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::http {

// Sends `head` and the chunks. The head leaves with the first chunk unless the socket's policy says
// otherwise. `blocks` lends its memory, and its contents are lost. Throws net::Error.
void SendChunkedBody(net::Socket& socket, std::string_view head, const service::Chunks& chunks,
                     std::vector<iovec>& blocks);

}  // namespace rpycbench::http
