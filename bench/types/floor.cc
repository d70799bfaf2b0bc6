// Floor: the baselines of the measurements. `Floor/ping` is a bare loop of send and receive, the
// least that a call over a socket can cost here. `Floor/deflate_zlib` is the time that zlib, the
// reference implementation of deflate, takes to compress a transfer's bytes on one core, without a
// network.
#include <zlib.h>

#include <stdexcept>
#include <string>

#include "bench/types/call_row.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

constexpr std::size_t kDeflateBytes = 128 << 20;

// Compresses the payload as Python's RPyC does, at zlib's level 1, and discards the result.
class DeflateRow : public FixtureBase {
 public:
  DeflateRow(const Suite& suite, const std::string& name)
      : name_(name), options_(suite.options), distributions_(suite.distributions) {
    SetName(name.c_str());
    UseRealTime();
    Unit(benchmark::kMicrosecond);
  }

 protected:
  void BenchmarkCase(benchmark::State& state) override {
    const std::string data = service::Payload::Of(options_.payload, kDeflateBytes).ToString();
    std::string packed(compressBound(data.size()), '\0');
    Samples samples(options_.keeps_starts());
    samples.Reset(static_cast<std::size_t>(state.max_iterations));
    const auto begin = Samples::Clock::now();
    for (auto _ : state) {
      uLongf size = packed.size();
      const auto start = Samples::Clock::now();
      const int result = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                                   reinterpret_cast<const Bytef*>(data.data()), data.size(), 1);
      samples.Add({start, Samples::Clock::now() - start});
      if (result != Z_OK) throw std::runtime_error("zlib: error " + std::to_string(result));
    }
    if (distributions_ != nullptr) {
      distributions_->Keep(name_, state.max_iterations,
                           {samples, samples.count(), begin, Samples::Clock::now()});
    }
    SetLatencyCounters(state.counters, samples);
    state.SetBytesProcessed(static_cast<std::int64_t>(kDeflateBytes * samples.count()));
    state.SetLabel("payload=" + std::string(service::ToString(options_.payload)));
  }

 private:
  std::string name_;
  const Options& options_;
  Distributions* distributions_;
};

void RegisterFloor(const Suite& suite) {
  RegisterCallRow<BareLoopClient>(
      suite, "Floor/ping", kBareLoop,
      {.warmup_calls = suite.options.warmup_requests + 1, .ledger_in_default = true},
      suite.options.requests, [](BareLoopClient& client) { return client.Ping(); },
      [](std::string_view reply) { return reply == "pong"; });
  if (suite.options.preset == Preset::kFull) {
    RegisterRow(suite, std::make_unique<DeflateRow>(
                           suite, "Floor/deflate_zlib/" + std::to_string(kDeflateBytes)));
  }
}

}  // namespace

extern const BenchmarkType kFloorType{
    {.name = "Floor",
     .timed = "a bare loop of send and receive; zlib alone (`full`)",
     .variants = "`ping`, `deflate_zlib/<bytes>`",
     .has_floor = false,
     .flags = {"--requests", "--warmup_requests"}},
    RegisterFloor};

}  // namespace rpycbench
