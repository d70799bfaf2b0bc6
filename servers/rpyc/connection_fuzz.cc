// Fuzzes a whole connection at both ends. As a server it receives the input and must answer in
// well-formed messages, the same ones however the input is cut. As a client it makes its usual
// requests and receives the input as the answers, which may contain requests. Every connection must
// end in one of the ways that connection.h names.
#include <set>
#include <string>

#include "servers/fuzz/stream.h"
#include "servers/rpyc/benchmark_root.h"
#include "servers/rpyc/connection.h"
#include "servers/rpyc/testing/fuzz_values.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;
using fuzz::Cuts;
using fuzz::Stream;

// Compression starts at 3,000 bytes, so larger payloads test nothing more. The server must not
// sleep.
constexpr service::Limits kServiceLimits{
    .max_bytes = 4096, .max_chunks = 100, .max_sleep_seconds = 0};

std::shared_ptr<Object> MakeRoot() {
  static const service::Service service(service::PayloadKind::kText, kServiceLimits);
  return std::make_shared<BenchmarkRoot>(service);
}

// Runs until the connection ends in a documented way.
template <class Run>
void UntilTheEnd(Run run) {
  try {
    run();
  } catch (const ProtocolError&) {
  } catch (const net::EndOfStream&) {
  }
}

struct Served {
  Dialect dialect = Dialect::kAuto;
  std::string sent;
};

Served Serve(std::string_view input, const Cuts& cuts) {
  Stream stream(input, cuts);
  Connection connection(stream.socket(), {.limits = FuzzLimits()}, MakeRoot());
  UntilTheEnd([&] { connection.Serve(); });
  Check(connection.objects().size() <= FuzzLimits().max_exported_objects,
        "the peer holds no more objects than allowed");
  return {connection.dialect(), std::string(stream.sent())};
}

// Reads the sent messages as the peer would. Throws if one is malformed.
void CheckSent(const Served& served) {
  Stream stream(served.sent, Cuts::Whole());
  FrameReader reader(stream.socket(), Limits(), false);
  FrameStorage storage;
  std::set<std::int64_t> requests;
  while (reader.Read(storage, FrameReader::Idle::kFail)) {
    Arena arena;
    const Envelope envelope = ReadEnvelope(served.dialect, storage.payload, arena, {});
    if (envelope.type == MessageType::kException) vinegar::Read(envelope.body);
    if (envelope.type == MessageType::kRequest) {
      Check(requests.insert(envelope.sequence).second, "requests have numbers of their own");
    }
  }
}

void FuzzServer(std::string_view input) {
  Served longer = Serve(input, Cuts::Whole());
  CheckSent(longer);
  Served shorter = Serve(input, Cuts::Random(fuzz::Hash(input)));
  if (longer.sent.size() < shorter.sent.size()) std::swap(longer, shorter);
  // Answers that nobody waits for leave with later ones, so the last of them may be lost when a
  // connection breaks.
  Check(longer.sent.starts_with(shorter.sent), "the answers do not depend on the cuts");
}

void FuzzClient(std::string_view input, Dialect dialect) {
  Stream stream(input, Cuts::Random(fuzz::Hash(input)));
  Connection connection(stream.socket(), {.dialect = dialect, .limits = FuzzLimits()}, MakeRoot());
  UntilTheEnd([&] {
    // The loop ends with the input, because each turn takes an answer from it.
    for (Netref root;;) {
      try {
        if (!root) root = connection.Root();
        connection.GetAttr(root, "ping");
        const Reply list = connection.CallAttr(root, "download_file_chunked");
        connection.Take(list).Release();
      } catch (const PythonError&) {
        // A PythonError is an answer like any other.
      }
    }
  });
}

void Fuzz(std::string_view input) {
  FuzzServer(input);
  FuzzClient(input, Dialect::k5);
  FuzzClient(input, Dialect::k6);
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }
