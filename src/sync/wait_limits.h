// The bounds of one round of waiting.
#pragma once

#include "base/deadline.h"
#include "sync/process_words.h"

namespace xichan::internal {

struct WaitLimits {
  Deadline deadline;                  // past it: `timeout`
  Deadline slice;                     // past it: `interrupted`; the caller re-checks all conditions
  const atomic<bool>* owner_exiting;  // the caller's interpreter is being finalized
  bool exiting;                       // the caller knows that it is exiting; a change returns `interrupted`
};

inline bool exit_began(const WaitLimits& limits) noexcept {
  return !limits.exiting && (process_is_exiting() || limits.owner_exiting->load(memory_order_seq_cst));
}

}  // namespace xichan::internal
