// Waiting for the first of several sends and receives.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "xichan/channel.h"

namespace xichan {

namespace internal {
struct Case;
class Deadline;
}  // namespace internal

/// One of the things that a select waits for: a value of a Receiver, or room for a value in a Sender's channel.
///
///     SelectCase cases[] = {requests, stop, {answers, std::move(answer)}};
///     std::size_t chosen;
///     if (select(cases, chosen, 100ms) == Status::ok && chosen == 0) handle(cases[0].value);
///
/// The end is borrowed: it has to live, and stay in its place, as long as the case is used. A case can be used again; a
/// sending one wants a new value. Thread safety: one thread at a time, for the case and its end.
class SelectCase {
 public:
  /// Receives into `value`.
  SelectCase(Receiver& receiver) noexcept : end_(&receiver), sends_(false) {}
  /// Sends `value`.
  SelectCase(Sender& sender, Value&& to_send) noexcept : value(std::move(to_send)), end_(&sender), sends_(true) {}

  /// What to send: none once it is sent, else as it was. Or what was received.
  Value value;

 private:
  friend Status select(std::span<SelectCase>, std::size_t&, Timeout) noexcept;
  friend Status try_select(std::span<SelectCase>, std::size_t&) noexcept;
  static Status run(std::span<SelectCase> cases, std::size_t& chosen, const internal::Deadline* deadline) noexcept;
  bool fill(internal::Case& filled) noexcept;

  EndpointBase* end_;
  bool sends_;
};

/// Waits for the first case that can be done, and does that one; of several that are ready one is chosen at random.
/// `ok`, or what `send` and `recv` answer, with `chosen` the number of the case: a channel that was closed is ready
/// too. `timeout` has chosen none. `no_memory` has done nothing; `invalid`, for no cases at all. Sleeps; pays no lock
/// but those of the channels' lists of waiters.
XICHAN_API Status select(std::span<SelectCase> cases, std::size_t& chosen, Timeout timeout = forever) noexcept;

/// The same without waiting: `empty` if no case is ready.
XICHAN_API Status try_select(std::span<SelectCase> cases, std::size_t& chosen) noexcept;

}  // namespace xichan
