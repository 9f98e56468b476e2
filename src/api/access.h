// Helpers of the public interface: waiting without an interpreter.
#pragma once

#include "channel/select.h"
#include "directory/names.h"
#include "value/value_access.h"
#include "xichan/channel.h"

namespace xichan::internal {

/// The flag of a case that is never stopped or exits. One thread at a time uses a public endpoint, so it is not closed
/// during a call, and it belongs to no interpreter.
inline constinit const atomic<bool> never{false};

inline Deadline deadline_of(TimeLimit limit) noexcept {
  return limit.timeout() == forever ? Deadline::never() : Deadline::after(limit.timeout().count());
}

/// A requested stop in the form that a wait understands: the flag of its cases, and their owner.
class Stop {
 public:
  const atomic<bool>& flag() const noexcept { return requested_; }
  bool is_requested() const noexcept { return requested_.load(memory_order_seq_cst); }
  /// (8) sequentially consistent, before the waits are cancelled: see Wait::enlist.
  void request() noexcept { requested_.store(true, memory_order_seq_cst); }

 private:
  atomic<bool> requested_{false};
};

/// Returns `call(stop)`, or `cancelled` without calling it if a stop was requested before. A stop that is requested
/// meanwhile sets the flag of `stop`, then calls `cancel(stop)`, on any thread, which must wake the waits of the call.
template <class Call, class Cancel>
Status run_stoppable(StopRef ref, Call call, Cancel cancel) noexcept {
  struct Context {
    Call& call;
    Cancel& cancel;
    Stop stop{};
    Status status = Status::cancelled;
  } context{call, cancel};
  ref.run(
      [](void* of) noexcept {
        auto& mine = *static_cast<Context*>(of);
        mine.status = mine.call(mine.stop);
      },
      [](void* of) noexcept {
        auto& mine = *static_cast<Context*>(of);
        mine.stop.request();
        mine.cancel(mine.stop);
      },
      &context);
  return context.status;
}

/// `report` shows the wait to readers of the page.
inline WaitLimits limits_until(Deadline deadline, WaitReport& report) noexcept {
  return {.deadline = deadline,
          .slice = Deadline::never(),
          .owner_exiting = &never,
          .exiting = process_is_exiting(),
          .report = &report};
}
inline std::uint32_t wait_flags(Deadline deadline) noexcept {
  return deadline.is_never() ? 0u : std::uint32_t{WaitReport::has_timeout};
}

/// Returns the name of a call on these cases.
inline const char* call_name(std::span<const Case> cases) noexcept {
  if (cases.size() != 1) return "select";
  return cases[0].side == Side::sender ? "Sender.send" : "Receiver.recv";
}

/// Calls wait_any until it is not interrupted. A signal does not end the wait.
inline Status wait_until(Deadline deadline, std::span<Case> cases, std::size_t& chosen) noexcept {
  WaitReport report(call_name(cases), wait_flags(deadline));
  Status status;
  do {
    status = wait_any(cases, limits_until(deadline, report), chosen);
  } while (status == Status::interrupted);
  // One thread at a time uses a public endpoint, so only a stop ends a wait like a closed endpoint.
  return status == Status::end_closed ? Status::cancelled : status;
}

/// `stop` may be null.
inline Case case_of(Channel& channel, Side side, Lane& lane, const Cell& cell, const Stop* stop) noexcept {
  const atomic<bool>* flag = stop == nullptr ? &never : &stop->flag();
  return {.channel = &channel, .side = side, .lane = &lane, .end_closed = flag, .owner = stop, .cell = cell};
}

/// Gives the core access to the parts of public endpoints.
struct EndpointAccess {
  static Channel* channel(const EndpointBase& endpoint) noexcept { return endpoint.channel_; }
  static Lane& lane(const EndpointBase& endpoint) noexcept { return *endpoint.lane_; }
  static bool usable(const EndpointBase& endpoint) noexcept { return endpoint.usable(); }
  static void cancel(const EndpointBase& endpoint, Side side, const Stop& stop) noexcept {
    if (endpoint.usable()) endpoint.channel_->cancel_calls(side, &stop);
  }
};

/// Returns true for a name that Python can represent: not empty, and UTF-8 without surrogates.
bool is_name(std::string_view name) noexcept;

/// Blocks until names change: `ok`, `not_found` past the deadline, or `cancelled` by `stop`, which may be null.
Status wait_for_names(std::uint32_t seen, Deadline deadline, const Stop* stop) noexcept;

/// Calls `find()`, which returns `not_found` until a name exists, whenever names change.
template <class Find>
Status look_up(Deadline deadline, const Stop* stop, Find find) noexcept {
  for (;;) {
    const std::uint32_t seen = Names::version();
    Status status = find();
    if (status != Status::not_found) return status;
    status = wait_for_names(seen, deadline, stop);
    if (status != Status::ok) return status;
  }
}
/// Likewise, until a stop is requested.
template <class Find>
Status look_up(TimeLimit limit, StopRef ref, Find find) noexcept {
  const Deadline deadline = deadline_of(limit);
  return run_stoppable(
      ref, [&](const Stop& stop) noexcept { return look_up(deadline, &stop, find); },
      [](const Stop&) noexcept { Names::nudge_all(); });
}

}  // namespace xichan::internal
