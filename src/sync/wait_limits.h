// The bounds of one round of waiting.
#pragma once

#include "base/deadline.h"
#include "sync/process_words.h"

namespace xichan::internal {

class WaitReport;

struct WaitLimits {
  Deadline deadline;                  // past it: `timeout`
  Deadline slice;                     // past it: `interrupted`; the caller re-checks all conditions
  const atomic<bool>* owner_exiting;  // the caller's interpreter is being finalized
  bool exiting;                       // the caller knows that it is exiting; a change returns `interrupted`
  const atomic<std::uint32_t>* interrupts = nullptr;  // counts interrupts of the owner's threads; null: there are none
  std::uint32_t interrupts_seen = 0;                  // a change returns `interrupted`
  WaitReport* report = nullptr;                       // shows the wait while its thread sleeps; null: it is not shown
};

/// Returns true if the wait must end: an exit or an interrupt has begun since the caller set the limits.
inline bool exit_began(const WaitLimits& limits) noexcept {
  return (!limits.exiting && (process_is_exiting() || limits.owner_exiting->load(memory_order_seq_cst))) ||
         (limits.interrupts != nullptr && limits.interrupts->load(memory_order_seq_cst) != limits.interrupts_seen);
}

}  // namespace xichan::internal
