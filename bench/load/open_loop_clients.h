// Clients that make calls when they are due and not when the last answer came: an open loop. Each
// connection has a coroutine, and all of them run on the thread that measures. One more watches
// the clock. It hands each due call to the connection that has been free the longest. It never
// sleeps where the thread has a CPU of its own, so calls leave within microseconds of their time.
//
// A call that finds no connection free waits. Its response time includes that wait, because it is
// counted from the moment the call was due. So a stalling server cannot hide behind clients that it
// slows down (coordinated omission).
//
// A call that the server refuses, or does not answer in time, is a result and not an error. Its
// connection makes itself anew before it takes another call. If the server refuses that as well,
// the next call tries again and is refused with it, as a user without a connection would be.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load/client_load.h"
#include "bench/load/client_source.h"
#include "bench/load/unanswered.h"
#include "servers/net/coroutine.h"
#include "servers/net/wait.h"

namespace rpycbench {

// The outcome of the calls of a schedule.
struct OpenLoopWindow {
  // Both know how many calls had no answer.
  Samples responses;  // from the moment a call was due to the end of its answer
  Samples services;   // from the actual beginning of a call to the end of its answer
  Samples lateness;   // from due to begun, for calls that found a connection free
  std::size_t asked = 0;
  std::size_t backlog_max = 0;  // the most due calls at a time without a connection
  std::size_t backlog_end = 0;  // such calls when the last one became due
  std::size_t refused = 0;
  std::size_t timed_out = 0;
  // From when calls were due until it was known that they have no answer, for the longest of them.
  std::chrono::nanoseconds longest_unanswered{};
  double seconds = 0;  // from the window's start to the last answer, at least until the last is due
  WireTotals wire;

  std::size_t answered() const { return responses.count(); }
  std::size_t unanswered() const { return asked - answered(); }
  // Returns the number of calls that have not even begun.
  std::size_t given_up() const { return unanswered() - refused - timed_out; }
  double UnansweredShare() const {
    return static_cast<double>(unanswered()) / static_cast<double>(asked);
  }
  bool complete() const { return unanswered() == 0; }
  double AnsweredPerSecond() const { return static_cast<double>(answered()) / seconds; }
  // Returns the mean response time, of which no more is known than that it is at least that long:
  // calls without an answer count like the longest time of any call. One call must have an answer.
  double MeanUs() {
    const double longest =
        std::max(responses.MaxUs(), static_cast<double>(longest_unanswered.count()) / 1e3);
    return responses.MeanUs() + UnansweredShare() * (longest - responses.MeanUs());
  }
};

// `Call` is invoked with a client and throws if the reply is wrong. Every method throws
// std::runtime_error if a client failed other than by a refusal or a timeout; the message has their
// number and the first failure.
template <class Client, class Call>
class OpenLoopClients {
 public:
  using Clock = Samples::Clock;

  // Connects nothing yet. `sleeps` says that the thread shares its CPU with the server and must
  // leave it between calls.
  OpenLoopClients(const net::Endpoint& server, const Options& options, const ServerMode& mode,
                  std::size_t connections, bool sleeps, const Call& call)
      : call_(call),
        sleeps_(sleeps),
        keeps_starts_(options.keeps_starts()),
        source_(server, options, mode, connections, call),
        results_(connections),
        handed_(connections),
        coroutines_(context_, {.others_before_answers = true, .kept_stacks = connections + 1}) {
    CheckDescriptorsFor(connections);
    for (std::size_t i = 0; i < connections; ++i) signals_.emplace_back(coroutines_);
  }

  std::size_t connections() const { return results_.size(); }

  // Returns how many of these the server has taken.
  std::size_t connected() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < connections(); ++i) count += source_.IsConnected(i) ? 1 : 0;
    return count;
  }

  // Connects all clients that are not connected, and makes a first call on each. Some may remain
  // without a connection, because the server refuses it or takes too long. Throws if all do.
  void Connect() {
    RunAll([this](std::size_t client) {
      if (!source_.IsConnected(client)) MakeConnection(client);
    });
    if (connected() == 0) throw std::runtime_error("no connection: " + last_refusal_);
  }

  // Returns the calls per second that all connections together get answered when each makes its
  // next call upon an answer. Warms up for `least` / 4; then measures for `least` and until 500
  // answers have come, so that a slow server and a machine that stands still have a rate as well.
  // Ends after 1 s with fewer answers, but not without any.
  double Saturate(Clock::duration least) {
    const auto warm = Clock::now() + least / 4;
    Clock::time_point first{};  // the first answer after the warm-up, from which time counts
    Clock::duration measured{};
    std::size_t answered = 0;
    bool enough = false;
    RunAll([&](std::size_t client) {
      int failures = 0;  // in a row; where all clients had these, none would ever end
      while (!enough && failures < 3 && results_[client].error.empty()) {
        if (!source_.IsConnected(client) && MakeConnection(client) != CallEnd::kAnswered) return;
        ++failures;
        if (Attempt(client, [&] { source_.With(client, call_); }) != CallEnd::kAnswered) continue;
        failures = 0;
        const auto now = Clock::now();
        if (enough || now < warm) continue;
        if (first == Clock::time_point{}) {
          first = now;
          continue;
        }
        ++answered;
        measured = now - first;
        enough = measured >= (answered < 500 ? std::chrono::seconds(1) : least);
      }
    });
    if (answered == 0) throw std::runtime_error("no answers: " + last_refusal_);
    return static_cast<double>(answered) / std::chrono::duration<double>(measured).count();
  }

  // Makes a call at each moment of the schedule, of which there must be one, counted from `start`.
  // Gives up calls that have not begun `overtime` after the last moment.
  OpenLoopWindow Run(std::span<const std::chrono::nanoseconds> schedule, Clock::time_point start,
                     Clock::duration overtime) {
    OpenLoopWindow window;
    window.responses = Samples(keeps_starts_);
    window.asked = schedule.size();
    for (Samples* samples : {&window.responses, &window.services, &window.lateness}) {
      samples->Reset(schedule.size());
    }
    const WireTotals before = source_.Wire();
    State state{schedule, start, schedule.size(), window};
    free_.clear();
    for (std::size_t i = 0; i < connections(); ++i) {
      coroutines_.Start([this, i, &state] { Serve(i, state); });
    }
    coroutines_.Start([this, &state, overtime] { WatchClock(state, overtime); });
    coroutines_.RunToTheEnd();
    CheckAllSucceeded(results_);
    const auto given_up = Clock::now();
    if (window.given_up() > 0) {
      window.longest_unanswered = std::max<std::chrono::nanoseconds>(
          window.longest_unanswered, given_up - state.Due(state.end));
    }
    window.responses.AddUnanswered(window.unanswered());
    window.services.AddUnanswered(window.unanswered());
    const auto last = std::max(state.last_answer, state.Due(schedule.size() - 1));
    window.seconds = std::chrono::duration<double>(last - start).count();
    window.wire = source_.Wire() - before;
    return window;
  }

  void CloseAll() {
    coroutines_.Start([this] { source_.CloseAll(); });
    coroutines_.RunToTheEnd();
  }

 private:
  static constexpr std::size_t kNoCall = static_cast<std::size_t>(-1);

  struct State {
    std::span<const std::chrono::nanoseconds> schedule;
    Clock::time_point start;
    std::size_t end;  // calls from this one on are not made
    OpenLoopWindow& window;
    std::size_t next = 0;  // the next call to begin
    std::size_t due = 0;   // calls whose time has come
    Clock::time_point last_answer = start;

    Clock::time_point Due(std::size_t call) const { return start + schedule[call]; }
    std::size_t backlog() const { return due - std::min(next, due); }
    void LookAtClock(Clock::time_point now) {
      while (due < end && Due(due) <= now) ++due;
    }
  };

  template <class Step>
  void RunAll(const Step& step) {
    for (std::size_t i = 0; i < connections(); ++i) {
      coroutines_.Start([i, &step] { step(i); });
    }
    coroutines_.RunToTheEnd();
    CheckAllSucceeded(results_);
  }

  // Runs a step of a client, and returns how it ended. Drops the connection if that was not well.
  // The caller may then wait, because no exception is handled any more.
  template <class Step>
  CallEnd Attempt(std::size_t client, const Step& step) {
    CallEnd end = CallEnd::kAnswered;
    try {
      step();
      return end;
    } catch (const std::exception& error) {
      end = EndOf(error);
      (end == CallEnd::kFailed ? results_[client].error : last_refusal_) = error.what();
    }
    source_.Drop(client);
    return end;
  }

  CallEnd MakeConnection(std::size_t client) {
    return Attempt(client, [&] { source_.Connect(client, call_); });
  }

  // Runs the coroutine of a connection: makes the calls that it is handed, and those that wait.
  void Serve(std::size_t client, State& state) {
    while (state.next < state.end) {
      free_.push_back(client);
      signals_[client].Wait();
      std::size_t call = handed_[client];
      if (call == kNoCall) return;
      for (bool waited = false; call != kNoCall; waited = true) {
        Make(client, call, waited, state);
        if (!results_[client].error.empty()) {
          state.end = state.next;  // the others finish only what they have begun
          return;
        }
        call = NextWaiting(state);
      }
    }
  }

  // Makes a call and records how it ended. Makes the connection anew if the call had no answer.
  void Make(std::size_t client, std::size_t call, bool waited, State& state) {
    const auto begun = Clock::now();
    const auto due = state.Due(call);
    const CallEnd end = source_.IsConnected(client)
                            ? Attempt(client, [&] { source_.With(client, call_); })
                            : MakeConnection(client);  // which makes the call as well
    const auto ended = Clock::now();
    if (!waited) state.window.lateness.Add(begun - due);
    if (end == CallEnd::kAnswered) {
      state.window.responses.Add({due, ended - due});
      state.window.services.Add(ended - begun);
      state.last_answer = ended;
      return;
    }
    state.window.refused += end == CallEnd::kRefused ? 1 : 0;
    state.window.timed_out += end == CallEnd::kTimedOut ? 1 : 0;
    state.window.longest_unanswered =
        std::max<std::chrono::nanoseconds>(state.window.longest_unanswered, ended - due);
    if (state.next < state.end && end != CallEnd::kFailed) MakeConnection(client);
  }

  // Returns a due call if no connection is free except the one that asks.
  std::size_t NextWaiting(State& state) {
    if (!free_.empty()) return kNoCall;
    state.LookAtClock(Clock::now());
    return state.next < std::min(state.due, state.end) ? state.next++ : kNoCall;
  }

  void HandOut(std::size_t call) {
    const std::size_t client = free_.front();
    free_.pop_front();
    handed_[client] = call;
    signals_[client].Set();
  }

  void WatchClock(State& state, Clock::duration overtime) {
    const auto limit =
        state.start +
        (state.schedule.empty() ? std::chrono::nanoseconds(0) : state.schedule.back()) + overtime;
    bool seen_last = false;
    while (state.next < state.end) {
      const auto now = Clock::now();
      state.LookAtClock(now);
      while (state.next < state.due && !free_.empty()) HandOut(state.next++);
      state.window.backlog_max = std::max(state.window.backlog_max, state.backlog());
      if (state.due == state.schedule.size() && !seen_last) {
        seen_last = true;
        state.window.backlog_end = state.backlog();
      }
      if (now >= limit) state.end = std::min(state.end, state.next);
      if (state.next < state.end) Pause(state, now);
    }
    while (!free_.empty()) HandOut(kNoCall);
  }

  void Pause(const State& state, Clock::time_point now) {
    if (!sleeps_) return net::Yield();
    // Whichever connection becomes free begins the calls that wait.
    constexpr Clock::duration kLongest = std::chrono::milliseconds(1);
    const auto until = state.due < state.end ? state.Due(state.due) - now : kLongest;
    net::SleepFor(std::clamp<Clock::duration>(until, std::chrono::microseconds(1), kLongest));
  }

  const Call& call_;
  bool sleeps_;
  bool keeps_starts_;
  OwnConnections<Client> source_;
  std::vector<ClientResult> results_;  // errors
  std::string last_refusal_;           // what the last refusal or timeout said
  std::vector<std::size_t> handed_;
  std::deque<std::size_t> free_;  // the longest free first
  net::OneThreadContext context_;
  net::Coroutines coroutines_;
  std::deque<net::CoroutineSignal> signals_;
};

}  // namespace rpycbench
