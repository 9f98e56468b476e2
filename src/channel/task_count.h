// How many of the messages of a channel are done with, for queues that count their tasks.
//
// Every message accepted is a task. Finishing tasks and looking at their number take no lock, so no thread waits for
// another one, and code that interrupts a call finds a number that is valid.
//
// Invariants
//   T1  the tasks done never exceed the messages accepted; neither number ever decreases.
//   T2  a thread that has received a message finds it accepted: it was counted before it could be received.
//
// Waking: a thread that waits for the last task registers, then looks at `unfinished`; one that finishes tasks changes
// the count, then looks for registered threads. All four steps are sequentially consistent: see "Why no wake-up is
// lost" in docs/explanation/memory-ordering.md.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/atomic.h"

namespace xichan::internal {

class TaskCount {
 public:
  /// Counts `count` more tasks as done, or as many as are left of the `accepted()` messages. Returns how many.
  template <class Accepted>
  std::uint64_t finish(std::uint64_t count, Accepted accepted) noexcept {
    // Before the messages accepted (T1): the tasks done by others were accepted before that.
    std::uint64_t done = done_.load(memory_order_seq_cst);
    for (;;) {
      const std::uint64_t finished = std::min(count, accepted() - done);
      if (finished == 0 ||
          done_.compare_exchange_weak(done, done + finished, memory_order_seq_cst, memory_order_seq_cst)) {
        return finished;
      }
    }
  }

  std::uint64_t done() const noexcept { return done_.load(memory_order_seq_cst); }

 private:
  atomic<std::uint64_t> done_{0};
};

}  // namespace xichan::internal
