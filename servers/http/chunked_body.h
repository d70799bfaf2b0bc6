// A body in chunked transfer coding (RFC 9112, section 7.1), written as a program writes that does
// not know the length beforehand: a system call for each chunk, with its size line around it. Used
// by both ends; Boost.Beast's parser reads it, as it reads any other.
#pragma once

#include <string_view>
#include <vector>

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::http {

// Sends `head`, which leaves with the first chunk unless the socket's policy says otherwise, and
// the chunks; `blocks` is used on the way, for its memory. Throws net::Error.
void SendChunkedBody(net::Socket& socket, std::string_view head, const service::Chunks& chunks,
                     std::vector<iovec>& blocks);

}  // namespace rpycbench::http
