// Fuzzes the receiver of both ends, with requests and with responses. A stream must hold the same
// messages however its receives are cut. A body must be the same whether it is received whole or in
// pieces.
#include <string>
#include <vector>

#include "servers/fuzz/stream.h"
#include "servers/http/receiver.h"

namespace rpycbench::http {
namespace {

using fuzz::Check;
using fuzz::Cuts;
using fuzz::Stream;

constexpr std::uint64_t kMaxBody = 64 * 1024;

enum class BodyIn { kOne, kPieces };
// A malformed head may be refused before or after its end has arrived, and the end may never
// arrive.
enum class End { kClean, kBroken, kTooLarge };

struct Received {
  std::vector<std::string> messages;  // the parsed parts of the head, and the body
  End end = End::kClean;
  friend bool operator==(const Received&, const Received&) = default;
};

std::string Head(const RequestParser& parser) {
  return std::string(beast::http::to_string(parser.method())) + ' ' + std::string(parser.target()) +
         ' ' + std::to_string(parser.is_http_1_0()) + std::to_string(parser.expects_continue());
}

std::string Head(const ResponseParser& parser) { return std::to_string(parser.status()); }

template <class Parser>
std::string Body(Receiver& receiver, Parser& parser, BodyIn body_in) {
  net::Buffer body;
  if (body_in == BodyIn::kOne) {
    receiver.ReceiveWhole(parser, body, kMaxBody);
    return std::string(body.view());
  }
  std::string pieces;
  receiver.ReceivePieces(parser, body, kMaxBody, [&](std::string_view piece) { pieces += piece; });
  return pieces;
}

// Receives a stream as sessions and clients do, without answering.
template <class Parser>
Received ReceiveAll(std::string_view bytes, const Cuts& cuts, BodyIn body_in) {
  Stream stream(bytes, cuts);
  Receiver receiver(stream.socket());
  Received received;
  try {
    for (;;) {
      receiver.SkipEmptyLines();
      if (receiver.empty()) {
        if (receiver.Fill() == 0) return received;
        continue;
      }
      Parser parser;
      receiver.ReceiveHead(parser);
      std::string& message = received.messages.emplace_back(Head(parser));
      if (parser.content_length().value_or(0) > kMaxBody) {
        received.end = End::kTooLarge;
        return received;
      }
      message += '\n' + Body(receiver, parser, body_in);
      Check(parser.is_done() || parser.content_length(), "a message has been parsed to its end");
    }
  } catch (const ProtocolError&) {
    received.end = End::kBroken;
  } catch (const net::EndOfStream&) {
    received.end = End::kBroken;
  }
  return received;
}

template <class Parser>
void FuzzAs(std::string_view input) {
  const Cuts random = Cuts::Random(fuzz::Hash(input));
  const Received whole = ReceiveAll<Parser>(input, Cuts::Whole(), BodyIn::kOne);
  Check(ReceiveAll<Parser>(input, Cuts::SingleBytes(), BodyIn::kOne) == whole,
        "bytes are received like the whole");
  Check(ReceiveAll<Parser>(input, random, BodyIn::kOne) == whole,
        "pieces are received like the whole");
  Check(ReceiveAll<Parser>(input, random, BodyIn::kPieces) == whole,
        "a body is the same in pieces");
}

void Fuzz(std::string_view input) {
  FuzzAs<RequestParser>(input);
  FuzzAs<ResponseParser>(input);
}

}  // namespace
}  // namespace rpycbench::http

void rpycbench::fuzz::Run(std::string_view input) { http::Fuzz(input); }
