// The server under measurement: a protocol × a concurrency model, chosen on the command line. It
// follows one contract, whatever the choice. It binds, writes one line of JSON with its address to
// stdout, and serves until SIGTERM or SIGINT arrives or its stdin ends (unless --ignore_stdin).
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "servers/http/session.h"
#include "servers/model/models.h"
#include "servers/net/descriptor_limit.h"
#include "servers/net/listener.h"
#include "servers/net/log.h"
#include "servers/net/tls/context.h"
#include "servers/rpyc/session.h"
#include "servers/service/service.h"
#include "servers/tcp/session.h"

namespace rpycbench {
namespace {

struct Options {
  std::string protocol;
  std::string model;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string nonce;
  std::string payload;
  rpyc::Compression compression = rpyc::Compression::kPython;
  net::SocketPolicy socket;
  net::TlsOptions tls;
  service::Limits service;
  bool allow_crash = false;
  service::KnownCosts known;
  rpyc::Limits rpyc;
  std::int64_t io_timeout_ms = 30'000;
  std::optional<std::size_t> max_connections;
  std::size_t pool_threads = model::Limits{}.pool_threads;
  bool ignore_stdin = false;
};

// Returns the session of a protocol that needs nothing but the service.
template <auto serve>
model::Session Plain(const Options&, const service::Service& service) {
  return [&service](net::Socket& socket) { serve(socket, service); };
}

model::Session Rpyc(const Options& options, const service::Service& service) {
  rpyc::ServerOptions rpyc_options;
  rpyc_options.compression = options.compression;
  rpyc_options.limits = options.rpyc;
  return [&service, rpyc_options](net::Socket& socket) {
    rpyc::ServeSession(socket, service, rpyc_options);
  };
}

model::Session Bare(const Options&, const service::Service&) { return tcp::ServeBareLoop; }

// Sends the notice that nothing follows, if the session has not.
void SendNotice(net::Socket& socket) {
  if (!socket.is_open()) return;
  try {
    socket.ShutdownSend();
  } catch (const net::Error&) {
    // The peer has gone without waiting for it.
  }
}

// Returns the session inside TLS. It begins with a handshake, and ends there if that fails.
model::Session InsideTls(net::TlsContext& context, model::Session session) {
  return [&context, session = std::move(session)](net::Socket& socket) {
    std::string failure;
    bool is_silent = false;
    try {
      socket.StartTls(context);
    } catch (const net::Error& error) {
      failure = error.what();
      is_silent = error.timed_out();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (failure.empty()) {
      session(socket);
      return SendNotice(socket);
    }
    net::LogLine(failure);
    if (!is_silent) socket.CloseAfterPeer();  // so that it receives the alert that says why
  };
}

// Returns the values of --protocol and the function that makes the session of each.
const std::map<std::string, decltype(&Rpyc)>& Protocols() {
  static const std::map<std::string, decltype(&Rpyc)> protocols{
      {"bare", Bare},
      {"http", Plain<http::ServeSession>},
      {"rpyc", Rpyc},
      {"tcp", Plain<tcp::ServeSession>},
  };
  return protocols;
}

// Adds an option whose value `parse` turns into a std::optional. `valid` describes valid values,
// and `usual` is the default that `target` already holds. The last of several values counts.
template <class Value, class Parse>
void AddParsed(CLI::App& app, const char* name, Value& target, Parse parse, const char* valid,
               const char* usual, const char* help) {
  const auto check = [parse, valid](const std::string& text) -> std::string {
    return parse(text) ? "" : '"' + text + "\" is not " + valid;
  };
  const auto set = [&target, parse](const std::string& text) { target = *parse(text); };
  app.add_option_function<std::string>(name, set, help)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->check(CLI::Validator(check, valid))
      ->default_str(usual);
}

std::optional<bool> ParseSwitch(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

void DeclareSocketPolicy(CLI::App& app, net::SocketPolicy& policy) {
  AddParsed(app, "--nodelay", policy.nodelay, ParseSwitch, "on or off", "on",
            "TCP_NODELAY on connections; off leaves Nagle's algorithm to the kernel");
  AddParsed(app, "--writes", policy.writes, net::ParseWrites, "joined, split or corked", "joined",
            "how the head of an answer leaves: with the payload, by a write of its own, or by a "
            "write that the kernel holds back until the payload follows");
  AddParsed(app, "--quick_ack", policy.quick_ack, ParseSwitch, "on or off", "on",
            "rpyc: ask the kernel to acknowledge at once where a peer may be waiting for it");
}

void DeclareTls(CLI::App& app, net::TlsOptions& tls) {
  app.add_option("--tls_certificate", tls.certificate,
                 "serve by TLS alone, with the certificate in this file (PEM)");
  app.add_option("--tls_key", tls.key, "file of its private key (PEM)");
  app.add_option("--tls_authority", tls.authority,
                 "demand certificates of clients, signed by the authority in this file (PEM)");
  const auto parse = [](std::string_view name) { return net::kTlsVersionNames.Find(name); };
  AddParsed(app, "--tls_version", tls.version, parse, "1.2 or 1.3", "1.3",
            "the only version of TLS to speak");
}

void Declare(CLI::App& app, Options& options) {
  app.option_defaults()->always_capture_default();
  app.add_option("--protocol", options.protocol, "protocol to serve")
      ->required()
      ->check(CLI::IsMember(&Protocols()));
  app.add_option("--model", options.model, "concurrency model that serves the connections")
      ->required()
      ->check(CLI::IsMember(&model::Models()));
  app.add_option(
         "--host", options.host,
         "address to bind: a name, an IPv4 or IPv6 address, unix:/<path> or unix:<name> for a "
         "Unix-domain socket with that path or abstract name; unix: picks a free name")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--port", options.port, "port to bind; 0 picks a free one");
  app.add_option("--nonce", options.nonce,
                 "text that the server repeats in the line that announces its port");
  app.add_option("--payload", options.payload,
                 "content of downloads; by default the letter x, and zero bytes for files")
      ->check(CLI::IsMember({"random", "text", "zeros"}));
  AddParsed(app, "--compression", options.compression, rpyc::ParseCompression,
            "python, off or threshold:<bytes>", "python",
            "rpyc: compress frames over 3,000 bytes as Python does, never, or over a threshold");
  DeclareSocketPolicy(app, options.socket);
  DeclareTls(app, options.tls);
  app.add_option(
         "--max_bytes", options.service.max_bytes,
         "largest upload, download, file or echo, in bytes; rpyc: what an echoed tuple holds "
         "is limited by --max_message_bytes")
      ->check(CLI::PositiveNumber);
  app.add_option("--max_chunks", options.service.max_chunks, "most chunks of one file")
      ->check(CLI::PositiveNumber);
  app.add_option("--max_sleep_seconds", options.service.max_sleep_seconds,
                 "longest sleep, in seconds")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--allow_crash", options.allow_crash,
               "offer the operation crash, which ends the process that serves the calling session");
  const auto set_delay = [&options](const std::string& spec) {
    try {
      options.known.delay = std::make_shared<service::Delay>(spec);
    } catch (const service::DelayError& error) {
      throw CLI::ValidationError("--delay", error.what());
    }
  };
  app.add_option_function<std::string>(
      "--delay", set_delay,
      "make ping take a known time: sleep:<distribution> or spin:<distribution>. A distribution "
      "is constant:<us>, uniform:<low_us>:<high_us>, exponential:<mean_us> or "
      "bimodal:<us>:<us>:<percent of the second>. stall:<every_ms>:<length_ms> instead makes all "
      "pings wait at known moments");
  AddParsed(app, "--inject", options.known.injection, service::Injection::Parse,
            service::Injection::kValid, "",
            "add a known cost to each operation, to test whether a measurement notices it: time, a "
            "system call, an allocation, or a byte in its reply");
  app.add_option("--max_message_bytes", options.rpyc.max_message_bytes,
                 "rpyc: largest message, compressed or inflated, in bytes")
      ->check(CLI::PositiveNumber);
  app.add_option(
         "--max_connection_bytes", options.rpyc.max_connection_bytes,
         "rpyc: memory of all waiting messages of one connection, in bytes; 0: one and a half of "
         "the largest message, plus 1 MiB")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max_items", options.rpyc.max_items, "rpyc: most values in one message")
      ->check(CLI::PositiveNumber);
  app.add_option("--max_depth", options.rpyc.max_depth, "rpyc: deepest nesting of values")
      ->check(CLI::Range(1, 1000));
  app.add_option("--max_nested_requests", options.rpyc.max_nested_requests,
                 "rpyc: most requests served while others wait for their answers")
      ->check(CLI::Range(1, 256));  // the stack of a coroutine holds no more
  app.add_option("--max_objects", options.rpyc.max_exported_objects,
                 "rpyc: most objects to which one peer may hold references")
      ->check(CLI::PositiveNumber);
  app.add_option("--io_timeout_ms", options.io_timeout_ms,
                 "longest wait in the middle of a message, in ms")
      ->check(CLI::PositiveNumber);
  app.add_option("--max_connections", options.max_connections,
                 "most connections open at once; by default " +
                     std::to_string(model::Limits{}.max_connections) +
                     ", or fewer if the limit of descriptors is lower")
      ->check(CLI::PositiveNumber);
  app.add_flag("--ignore_stdin", options.ignore_stdin,
               "serve until SIGTERM or SIGINT; by default the end of stdin also ends the server");
  app.add_option("--pool_threads", options.pool_threads,
                 "number of threads of the model threadpool")
      ->check(CLI::Range(1, 1000));
}

// The parent chooses the nonce, and the server repeats it unchanged. It must therefore need no JSON
// escapes.
void CheckNonce(const std::string& nonce) {
  for (const char c : nonce) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-') {
      throw CLI::ValidationError("--nonce", "only letters, digits and '-' are allowed");
    }
  }
}

void CheckInjection(const Options& options) {
  const service::Injection& injection = options.known.injection;
  if (!injection) return;
  if (options.protocol == "bare") {
    throw CLI::ValidationError("--inject", "the protocol bare has no place for it");
  }
  if (options.protocol == "tcp" && injection.lengthens_replies()) {
    throw CLI::ValidationError("--inject", "replies of the protocol tcp have a fixed length");
  }
}

// Completes the options of TLS.
void CheckTls(Options& options) {
  net::TlsOptions& tls = options.tls;
  if (tls.certificate.empty() && !(tls.key + tls.authority).empty()) {
    throw CLI::ValidationError("--tls_certificate", "is missing");
  }
  if (options.protocol == "http") tls.application = "http/1.1";
}

void Announce(const net::Listener& listener, const std::string& nonce) {
  std::printf("{\"host\":\"%s\",\"port\":%u,\"pid\":%d,\"nonce\":\"%s\"}\n",
              listener.address().host().c_str(), listener.port(), getpid(), nonce.c_str());
  std::fflush(stdout);
}

// Returns the number of connections to allow. If one process holds all connections, they share its
// descriptor limit.
std::size_t MaxConnections(const Options& options) {
  const std::size_t wanted = options.max_connections.value_or(model::Limits{}.max_connections);
  if (!model::Models().at(options.model).one_process) return wanted;
  const std::size_t descriptors = net::RaiseDescriptorLimit();
  if (wanted + net::kOtherDescriptors <= descriptors) return wanted;
  if (options.max_connections || descriptors <= net::kOtherDescriptors) {
    throw std::runtime_error(std::to_string(wanted) + " connections take " +
                             std::to_string(wanted + net::kOtherDescriptors) +
                             " descriptors, and no more than " + std::to_string(descriptors) +
                             " are allowed here (ulimit -Hn)");
  }
  return descriptors - net::kOtherDescriptors;
}

void Serve(const Options& options) {
  const service::Service service(service::ParsePayloadKind(options.payload), options.service,
                                 options.allow_crash, options.known);
  model::Session session = Protocols().at(options.protocol)(options, service);
  std::optional<net::TlsContext> tls;
  if (!options.tls.certificate.empty()) {
    session =
        InsideTls(tls.emplace(net::TlsContext::Role::kServer, options.tls), std::move(session));
  }
  const model::Limits limits{std::chrono::milliseconds(options.io_timeout_ms),
                             MaxConnections(options), !options.ignore_stdin, options.pool_threads};
  net::Listener listener(net::Endpoint::Resolve(options.host, options.port), options.socket);
  Announce(listener, options.nonce);
  model::Models().at(options.model).serve(listener, session, limits);
}

}  // namespace
}  // namespace rpycbench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout or stderr must not end the server
  rpycbench::Options options;
  CLI::App app("The server side of rpycbench", "bench_server");
  rpycbench::Declare(app, options);
  try {
    app.parse(argc, argv);
    rpycbench::CheckNonce(options.nonce);
    rpycbench::CheckInjection(options);
    rpycbench::CheckTls(options);
    rpycbench::Serve(options);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    rpycbench::net::LogLine(error.what());
    return 2;
  } catch (const std::exception& error) {
    rpycbench::net::LogLine(error.what());
    return 1;
  }
  return 0;
}
