// Measures what TLS takes where nothing else happens. `handshake` is a whole one with its tickets,
// `resumed` continues an earlier session, and `message/<bytes>` moves bytes in one direction. In
// `openssl`, two ends in one thread copy memory instead of sending it. In `sockets`, the streams of
// this folder move the same through a pair of sockets, and `plain` is that pair without TLS. These
// parts explain how the rows of Transport differ.
// Run it with --benchmark_repetitions=15 --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "servers/net/socket.h"
#include "servers/net/testing/certificate_files.h"
#include "servers/net/testing/socket_pair.h"
#include "servers/net/tls/context.h"

namespace rpycbench::net {
namespace {

const std::string kName = "localhost";
constexpr std::size_t kRecordBytes = 16 << 10;

void Expect(bool right) {
  if (!right) throw std::runtime_error("TLS failed");
}

// One end of a connection, and the bytes that it wants to send or has received.
class End {
 public:
  explicit End(TlsContext& context) : ssl_(SSL_new(context.get().native_handle()), SSL_free) {
    BIO* inner = nullptr;
    BIO* outer = nullptr;
    Expect(ssl_ && BIO_new_bio_pair(&inner, 0, &outer, 0) == 1);
    outer_.reset(outer);
    SSL_set_bio(ssl_.get(), inner, inner);
    context.is_server() ? SSL_set_accept_state(ssl_.get()) : SSL_set_connect_state(ssl_.get());
  }

  // A session is resumable only if its connection has ended properly.
  ~End() { SSL_set_shutdown(ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  SSL* ssl() const { return ssl_.get(); }
  // Moves what this end wants to send to the other one.
  void Deliver(End& to) {
    std::array<char, kRecordBytes + 1024> bytes;
    while (BIO_ctrl_pending(outer_.get()) > 0) {
      const int size = BIO_read(outer_.get(), bytes.data(), bytes.size());
      Expect(size > 0 && BIO_write(to.outer_.get(), bytes.data(), size) == size);
    }
  }

 private:
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::unique_ptr<BIO, decltype(&BIO_free)> outer_{nullptr, BIO_free};
};

class Connection {
 public:
  Connection(TlsContext& server, TlsContext& client, SSL_SESSION* session)
      : server_(server), client_(client) {
    if (session != nullptr) SSL_set_session(client_.ssl(), session);
    bool client_done = false;
    bool server_done = false;
    for (int rounds = 0; !client_done || !server_done; ++rounds) {
      Expect(rounds < 10);
      client_done = SSL_do_handshake(client_.ssl()) == 1;
      client_.Deliver(server_);
      server_done = SSL_do_handshake(server_.ssl()) == 1;
      server_.Deliver(client_);
    }
    char none;
    Expect(SSL_read(client_.ssl(), &none, 1) < 0);  // takes the tickets
    Expect((SSL_session_reused(client_.ssl()) == 1) == (session != nullptr));
  }

  SSL_SESSION* NewSession() const { return SSL_get1_session(client_.ssl()); }

  void Move(const std::vector<char>& message, std::vector<char>& into) {
    for (std::size_t moved = 0; moved < message.size();) {
      const std::size_t size = std::min(kRecordBytes, message.size() - moved);
      Expect(SSL_write(client_.ssl(), message.data() + moved, static_cast<int>(size)) > 0);
      client_.Deliver(server_);
      const int got = SSL_read(server_.ssl(), into.data() + moved, static_cast<int>(size));
      Expect(got == static_cast<int>(size));
      moved += size;
    }
  }

 private:
  End server_;
  End client_;
};

// The contexts of a server and its client.
struct Contexts {
  explicit Contexts(TlsVersion version)
      : server(TlsContext::Role::kServer, ServerOptions(version)),
        client(TlsContext::Role::kClient, ClientOptions(version)) {}

  TlsOptions ServerOptions(TlsVersion version) const {
    TlsOptions options = files.Of(authority.Issue({kName}), "server");
    options.version = version;
    return options;
  }
  TlsOptions ClientOptions(TlsVersion version) const {
    return {.authority = files.Write("authority.pem", authority.certificate()), .version = version};
  }

  CertificateFiles files;
  CertificateAuthority authority;
  TlsContext server;
  TlsContext client;
};

void Handshake(benchmark::State& state, TlsVersion version) {
  Contexts contexts(version);
  for (auto _ : state) Connection(contexts.server, contexts.client, nullptr);
}

void Resumed(benchmark::State& state, TlsVersion version) {
  using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;
  Contexts contexts(version);
  Session session(Connection(contexts.server, contexts.client, nullptr).NewSession(),
                  SSL_SESSION_free);
  for (auto _ : state) {
    const Connection connection(contexts.server, contexts.client, session.get());
    session.reset(connection.NewSession());
  }
}

void Message(benchmark::State& state, TlsVersion version) {
  Contexts contexts(version);
  Connection connection(contexts.server, contexts.client, nullptr);
  const std::vector<char> message(static_cast<std::size_t>(state.range(0)), 'x');
  std::vector<char> into(message.size());
  for (auto _ : state) connection.Move(message, into);
  Expect(into == message);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// Sends the message and receives it in one thread: the pair's buffers hold it.
void MoveBySockets(benchmark::State& state, SocketPair& pair) {
  const std::string message(static_cast<std::size_t>(state.range(0)), 'x');
  std::string into(message.size(), '\0');
  for (auto _ : state) {
    pair.left.SendAll(message.data(), message.size());
    pair.right.ReceiveExactly(into.data(), into.size());
  }
  Expect(into == message);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void MessageBySockets(benchmark::State& state, TlsVersion version) {
  Contexts contexts(version);
  SocketPair pair;
  auto server = std::async(std::launch::async, [&] { pair.right.StartTls(contexts.server); });
  pair.left.StartTls(contexts.client, kName);
  server.get();
  MoveBySockets(state, pair);
}

void PlainMessage(benchmark::State& state) {
  SocketPair pair;
  MoveBySockets(state, pair);
}

void Sizes(benchmark::internal::Benchmark* message) { message->Arg(5)->Arg(65'536); }

BENCHMARK_CAPTURE(Handshake, tls, TlsVersion::k13)->Name("handshake/tls/openssl");
BENCHMARK_CAPTURE(Resumed, tls, TlsVersion::k13)->Name("resumed/tls/openssl");
BENCHMARK_CAPTURE(Handshake, tls_1_2, TlsVersion::k12)->Name("handshake/tls_1_2/openssl");
BENCHMARK_CAPTURE(Resumed, tls_1_2, TlsVersion::k12)->Name("resumed/tls_1_2/openssl");
BENCHMARK_CAPTURE(Message, tls, TlsVersion::k13)->Name("message/tls/openssl")->Apply(Sizes);
BENCHMARK_CAPTURE(Message, tls_1_2, TlsVersion::k12)->Name("message/tls_1_2/openssl")->Apply(Sizes);
BENCHMARK_CAPTURE(MessageBySockets, tls, TlsVersion::k13)
    ->Name("message/tls/sockets")
    ->Apply(Sizes);
BENCHMARK_CAPTURE(MessageBySockets, tls_1_2, TlsVersion::k12)
    ->Name("message/tls_1_2/sockets")
    ->Apply(Sizes);
BENCHMARK(PlainMessage)->Name("message/plain/sockets")->Apply(Sizes);

}  // namespace
}  // namespace rpycbench::net

BENCHMARK_MAIN();
