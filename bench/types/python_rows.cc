#include "bench/types/python_rows.h"

#include <chrono>
#include <utility>

namespace rpycbench {
class PythonCallRow::Slots : public SlotRunner {
 public:
  Slots(const PythonRow& row, std::unique_ptr<PythonClient> client)
      : row_(row), client_(std::move(client)) {}

  SlotResult Run(const SlotLength& length, Samples& times) override {
    const PythonCalls calls = client_->Slot(length);
    slot_.KeepStartsLike(times);
    PythonRow::Add(calls, slot_);
    times.Append(slot_);
    return {.cost_us = slot_.PercentileUs(50).value(), .operations = calls.operations};
  }
  WireTotals Wire() const override { return row_.Wire(*client_); }
  void Close() override { client_->Close(); }

 private:
  const PythonRow& row_;
  std::unique_ptr<PythonClient> client_;
  Samples slot_;
};

std::unique_ptr<PythonClient> PythonCallRow::Open() const {
  return std::make_unique<PythonClient>(ClientProcess(), At(), operation_, payload_kind(),
                                        link() == nullptr ? options().warmup_requests + 1 : 1);
}

std::unique_ptr<SlotRunner> PythonCallRow::MakeSlotRunner() {
  return std::make_unique<Slots>(*this, Open());
}

void PythonCallRow::Measure(benchmark::State& state) {
  const std::unique_ptr<PythonClient> client = Open();
  meter().ClientIs(client->pid());
  const WireTotals before = Wire(*client);
  Samples samples(options().keeps_starts());
  samples.Reset(static_cast<std::size_t>(state.max_iterations));
  meter().Start();
  while (state.KeepRunningBatch(state.max_iterations)) {
    const PythonCalls calls = client->Calls(state.max_iterations);
    Add(calls, samples);
    state.SetIterationTime(std::chrono::duration<double>(calls.spent).count());
  }
  Complete(samples, tail_, [&] { Add(client->Calls(1), samples); });
  meter().Stop();
  meter().TakeSamples(samples, tail_);
  ReportCalls(state, samples, Wire(*client) - before);
  client->Close();
}

class PythonThreadsRow::Slots : public RateSlots {
 public:
  Slots(const PythonRow& row, std::unique_ptr<PythonClient> client)
      : row_(row), client_(std::move(client)) {}

  WireTotals Wire() const override { return row_.Wire(*client_); }
  void Close() override { client_->Close(); }

 private:
  std::uint64_t MakeRequests(std::int64_t requests, std::chrono::nanoseconds& spent,
                             Samples& times) override {
    const PythonCalls calls = client_->Round(requests);
    PythonRow::Add(calls, times);
    spent = calls.spent;
    return calls.operations;
  }

  const PythonRow& row_;
  std::unique_ptr<PythonClient> client_;
};

std::unique_ptr<PythonClient> PythonThreadsRow::Open(bool keep_failed) const {
  return std::make_unique<PythonClient>(ClientProcess(), At(), threads_, shared_, keep_failed);
}

std::unique_ptr<SlotRunner> PythonThreadsRow::MakeSlotRunner() {
  return std::make_unique<Slots>(*this, Open());
}

void PythonThreadsRow::KeepEach(PythonClient& client, const PythonCalls& round) {
  std::vector<ClientResult> results;
  auto time = round.times_ns.begin();
  for (const PythonThread& thread : client.Threads()) {
    ClientResult& result = results.emplace_back();
    result.error = thread.error;
    if (thread.connect.count() > 0) result.connect.Add(thread.connect);
    result.begin += thread.begin;  // only differences matter, so any clock will do
    result.end += thread.end;
    for (std::uint64_t i = 0; i < thread.requests; ++i) {
      result.latencies.Add(std::chrono::nanoseconds(*time++));
    }
    const std::chrono::duration<double> spent = thread.end - thread.begin;
    if (spent.count() > 0) {
      result.requests_per_second = static_cast<double>(thread.requests) / spent.count();
    }
  }
  per_client_.Append(results);
  CheckAllSucceeded(results);
}

void PythonThreadsRow::Measure(benchmark::State& state) {
  const std::unique_ptr<PythonClient> client = Open(per_client_.wanted());
  meter().ClientIs(client->pid());
  const WireTotals before = Wire(*client);
  Samples samples(options().keeps_starts());
  std::chrono::duration<double> spent{};
  per_client_.NextRun();
  meter().Start();
  for (auto _ : state) {
    const PythonCalls calls = client->Round(options().requests_per_client);
    if (per_client_.wanted()) {
      meter().Stop();
      KeepEach(*client, calls);
      meter().Start();
    }
    Add(calls, samples);
    spent += calls.spent;
    state.SetIterationTime(std::chrono::duration<double>(calls.spent).count());
  }
  meter().Stop();
  meter().TakeSamples(samples, Tail::kP99, RowMeter::Order::kOther);
  ReportCalls(state, samples, Wire(*client) - before);
  ReportRate(state, spent);
  client->Close();
}

}  // namespace rpycbench
