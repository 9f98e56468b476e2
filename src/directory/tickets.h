// Values in flight through somebody else's transport (the standard library's queues and calls, pickle).
//
// A ticket owns an encoded value, and so the ends in it, and is known by a number that is never used again. So a
// transport may drop it, deliver it twice or give it back late without harm: the first claim takes the value, whatever
// comes after finds nothing. Tickets that nobody claims are given back when the interpreter that issued them ends.
//
// Thread safety: any thread. Progress: a short lock. Nothing is given back under it.
#pragma once

#include "channel/channel.h"

namespace xichan::internal {

class EndpointOwner;

class XICHAN_API Tickets {
 public:
  /// Takes over what the cell owns and returns its ticket; 0, with the cell left to the caller, if there is no memory.
  /// `channel`, if not null, is the one whose end it is, for the statistics.
  static std::uint64_t issue(const Cell& value, const Channel* channel, const EndpointOwner* issuer) noexcept;

  /// Takes over the value; false if it was claimed or given back before.
  static bool claim(std::uint64_t number, Cell& value) noexcept;

  /// Gives the ticket back if nobody has claimed it.
  static void cancel(std::uint64_t number) noexcept;
  /// Gives back every unclaimed ticket of an issuer.
  static void cancel_owner(const EndpointOwner* issuer) noexcept;

  /// Tickets that nobody has claimed yet, in the whole process or of one channel.
  static std::uint64_t unclaimed(const Channel* channel = nullptr) noexcept;

  // Around a fork, see process.cpp; the child forgets all tickets.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;
};

}  // namespace xichan::internal
