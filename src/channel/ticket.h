// Ends in flight through somebody else's transport (the standard library's queues and calls, pickle).
//
// A ticket owns one counted end and is known by a number that is never used again, so that a transport may drop it,
// deliver it twice or give it back late without harm: the first claim takes the count, whatever comes after finds
// nothing. Tickets that nobody claims are given back when the interpreter that issued them ends.
//
// Thread safety: any thread. Progress: a short lock. No count is given back under it.
#pragma once

#include "channel/channel.h"

namespace xichan {

class EndOwner;

class XICHAN_API Tickets {
 public:
  /// Adds an end of `side` to the channel and returns its ticket, or 0 if there is no memory. The caller owns an end of
  /// that side.
  static std::uint64_t issue(Channel& channel, Side side, const EndOwner* issuer) noexcept;

  /// Takes over the ticket's count: the channel and side it stands for, or null if it was claimed or given back before.
  static Channel* claim(std::uint64_t number, Side& side) noexcept;

  /// Gives the ticket back if nobody has claimed it.
  static void cancel(std::uint64_t number) noexcept;
  /// Gives back every unclaimed ticket of an issuer.
  static void cancel_owner(const EndOwner* issuer) noexcept;

  // Around a fork, see process.cpp; the child forgets all tickets.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork(bool in_child) noexcept;

  /// Tickets that nobody has claimed yet, in the whole process or of one channel.
  static std::uint64_t unclaimed(const Channel* channel = nullptr) noexcept;
};

}  // namespace xichan
