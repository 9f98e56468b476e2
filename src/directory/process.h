// The exit and the identity of the process. process.cpp also installs the fork handlers.
#pragma once

#include <cstdint>

#include "xichan/export.h"

namespace xichan::internal {

struct XICHAN_API Process {
  /// Bounds every wait, present and future, by `exit_patience_ns` without progress. Called when the threading module of
  /// the main interpreter shuts down. Closes nothing, because healthy threads still deliver messages. Any thread.
  static void begin_exit() noexcept;
  /// Undoes `begin_exit`: the main interpreter has ended, but the program that embeds it goes on.
  static void end_exit() noexcept;

  /// Returns a random number that identifies this process: a ticket pickled here is invalid in any other process,
  /// including the child of a fork. Any thread.
  static std::uint64_t nonce() noexcept;
};

}  // namespace xichan::internal
