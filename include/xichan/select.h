// Select: blocking until one of several sends and receives can proceed.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "xichan/channel.h"

namespace xichan {

namespace internal {
struct Case;
class Deadline;
class Stop;
}  // namespace internal

/// One operation of a select: a receive from a Receiver, or a send of one value to a Sender.
///
///     SelectCase cases[] = {requests, stop, {answers, std::move(answer)}};
///     std::size_t chosen;
///     if (select(cases, chosen, 100ms) == Status::ok && chosen == 0) handle(cases[0].value);
///
/// The case refers to the endpoint, which must outlive it and must not move. A case can be used again; a sending case
/// then needs a new value. Thread safety: one thread at a time for the case and its endpoint.
class SelectCase {
 public:
  /// Receives into `value`.
  SelectCase(Receiver& receiver) noexcept : endpoint_(&receiver), sends_(false) {}
  /// Sends `value`.
  SelectCase(Sender& sender, Value&& to_send) noexcept : value(std::move(to_send)), endpoint_(&sender), sends_(true) {}

  /// The value to send, which is none once it has been sent; or the value that was received.
  Value value;

 private:
  friend Status select(std::span<SelectCase>, std::size_t&, TimeLimit) noexcept;
  friend Status select(std::span<SelectCase>, std::size_t&, StopRef, TimeLimit) noexcept;
  friend Status try_select(std::span<SelectCase>, std::size_t&) noexcept;
  static Status run(std::span<SelectCase> cases, std::size_t& chosen, const internal::Deadline* deadline,
                    const internal::Stop* stop = nullptr) noexcept;
  bool fill(internal::Case& filled, const internal::Stop* stop) noexcept;

  EndpointBase* endpoint_;
  bool sends_;
};

/// Blocks until one of the cases can proceed, and performs exactly that one. If several can proceed, one is chosen at
/// random; a channel that is closed or has failed can proceed. Returns `ok` or what `send` and `recv` return, and
/// stores the index of the case in `chosen`. `timeout` and `no_memory` perform and choose none; `invalid` if there are
/// no cases. Takes no lock except those of the channels' wait lists.
XICHAN_API Status select(std::span<SelectCase> cases, std::size_t& chosen, TimeLimit limit = forever) noexcept;
/// Likewise; returns `cancelled` once a stop is requested, and has then performed and chosen none.
XICHAN_API Status select(std::span<SelectCase> cases, std::size_t& chosen, StopRef stop,
                         TimeLimit limit = forever) noexcept;

/// Performs one of the cases if one can proceed, without blocking. Returns `empty` if none can.
XICHAN_API Status try_select(std::span<SelectCase> cases, std::size_t& chosen) noexcept;

}  // namespace xichan
