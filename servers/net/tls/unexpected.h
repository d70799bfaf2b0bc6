// How an end without TLS recognises a peer that speaks it, and what it says of it.
#pragma once

#include <string_view>

namespace rpycbench::net {

// The first bytes of a record of a handshake (RFC 8446, 5.1).
inline constexpr std::string_view kTlsHandshake = "\x16\x03";
inline constexpr char kPeerSpeaksTls[] = "the peer speaks TLS, and this end does not";

}  // namespace rpycbench::net
