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
  /// Takes over the cell and returns its ticket; returns 0 and leaves the cell with the caller if memory is exhausted.
  /// If the value is an endpoint, `channel` is its channel, for the statistics; else null.
  static std::uint64_t issue(const Cell& value, const Channel* channel, const EndpointOwner* issuer) noexcept;

  /// Moves the value to the caller. Returns false if it was already claimed or released.
  static bool claim(std::uint64_t number, Cell& value) noexcept;

  /// Releases the value if it has not been claimed.
  static void cancel(std::uint64_t number) noexcept;
  /// Releases every unclaimed value of an issuer.
  static void cancel_owner(const EndpointOwner* issuer) noexcept;

  /// Returns the number of unclaimed tickets, of one channel or of the whole process.
  static std::uint64_t unclaimed(const Channel* channel = nullptr) noexcept;

  // Called around a fork by process.cpp. The child removes all tickets.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;
};

}  // namespace xichan::internal
