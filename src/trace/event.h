// What a trace records.
#pragma once

#include <cstdint>

namespace xichan::internal {

enum class TraceKind : std::uint8_t {
  send,
  receive,
  wait,            // of a thread
  coroutine_wait,  // of a coroutine, beside which its thread goes on
  task,            // of a pool
  call,            // any other call, such as one on a remote channel
};

/// What a wait is for.
enum class TraceCall : std::uint8_t { none, send, recv, select, wait_closed, lookup, acquire, wait };

/// What an event is about.
struct TraceSubject {
  enum class Kind : std::uint8_t { none, channel, own_channel, object, text, interpreter, thread };

  Kind kind = Kind::none;
  // channel, or own_channel, which xichan itself uses: its id; object: its number; text: its number in the trace;
  // interpreter: its id; thread: its native id
  std::uint64_t words[2] = {};

  friend bool operator==(const TraceSubject&, const TraceSubject&) = default;
};

struct TraceEvent {
  std::int64_t begin = 0;  // nanoseconds of the clock of Deadline
  std::int64_t end = 0;    // 0: it had not ended when the trace did
  TraceSubject subject;
  // number of the first message in its channel; of a task that failed: 1 + the number of the text of its error
  std::uint64_t first = 0;
  std::uint32_t count = 0;        // messages, which have consecutive numbers; or the cases of a select
  std::int32_t interpreter = -1;  // -1: none
  TraceKind kind = TraceKind::send;
  TraceCall call = TraceCall::none;
  bool is_cut = false;  // a wait that its thread interrupts, to look for signals, and takes up again
};

static_assert(sizeof(TraceEvent) == 64);  // as documented

}  // namespace xichan::internal
