// Values in flight through another transport (queues and calls of the standard library, pickle).
//
// A ticket owns an encoded value, including the endpoints in it, and is identified by a number that is never reused. A
// transport may therefore drop it, deliver it twice or late: the first claim takes the value, and later claims fail.
// Unclaimed tickets are released when the interpreter that issued them is finalized.
//
// Thread safety: any thread. Progress: a short lock, under which no value is released.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class EndpointOwner;

class XICHAN_API Tickets {
 public:
  /// Returns the number of a ticket to be issued later, or never.
  static std::uint64_t reserve() noexcept;

  /// Takes over the cell and returns its ticket; returns 0 and leaves the cell with the caller if memory is exhausted.
  /// If the value is an endpoint, `channel` and `side` are those of the endpoint; else `channel` is null. `number` is a
  /// reserved one, or 0. A ticket that is issued again before it is claimed keeps its first value.
  static std::uint64_t issue(const Cell& value, const Channel* channel, const EndpointOwner* issuer,
                             Side side = Side::sender, std::uint64_t number = 0) noexcept;

  /// Moves the value to the caller. Returns false if it was already claimed or released.
  static bool claim(std::uint64_t number, Cell& value) noexcept;

  /// Releases the value if it has not been claimed.
  static void cancel(std::uint64_t number) noexcept;
  /// Releases every unclaimed value of an issuer.
  static void cancel_owner(const EndpointOwner* issuer) noexcept;
  /// Releases every unclaimed endpoint of one side of a channel. Returns their number.
  static std::uint64_t cancel_endpoints(const Channel* channel, Side side) noexcept;

  /// Returns the number of unclaimed tickets, of one channel or of the whole process.
  static std::uint64_t unclaimed(const Channel* channel = nullptr) noexcept;

  // Called around a fork by process.cpp. The child removes all tickets.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;
};

}  // namespace xichan::internal
