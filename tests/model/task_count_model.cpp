// Models of the task count of queues (src/channel/task_count.h) with threads that finish tasks and threads that join.
// The list of joiners is reduced to what the bindings rely on: a joiner is published in its slot, and a drain stops at
// the first slot that is not published yet.
//
// No joiner stays blocked once all tasks are done, and the tasks done never exceed the tasks there are.
#include "model.h"

#include "channel/task_count.h"

namespace xichan::internal {
namespace model {
namespace {

template <class Derived, unsigned Threads, unsigned Joiners>
struct Queue : Model<Derived, Threads> {
  static constexpr unsigned thread_count = Threads;

  TaskCount tasks;
  atomic<std::uint64_t> accepted;
  atomic<std::uint64_t> tail;
  atomic<std::uint64_t> head;
  atomic<unsigned> slots[Joiners];
  atomic<bool> woken[Joiners];
  bool blocked[Joiners];
  std::uint64_t finished[Threads];

  void begin(std::uint64_t tasks_at_first) {
    accepted.store(tasks_at_first, memory_order_relaxed);
    tail.store(0, memory_order_relaxed);
    head.store(0, memory_order_relaxed);
    for (unsigned i = 0; i < Joiners; ++i) {
      slots[i].store(0, memory_order_relaxed);
      woken[i].store(false, memory_order_relaxed);
      blocked[i] = false;
    }
    for (std::uint64_t& count : finished) count = 0;
  }
  // As ring_.pushed(), a relaxed count that the thread that claims a slot increases.
  std::uint64_t count_accepted() { return accepted.load(memory_order_relaxed); }
  std::uint64_t unfinished() {
    const std::uint64_t done = tasks.done();
    const std::uint64_t all = count_accepted();
    RL_ASSERT(done <= all);
    return all - done;
  }
  void put() { accepted.fetch_add(1, memory_order_relaxed); }

  void wake_joiners() {
    for (;;) {
      std::uint64_t first = head.load(memory_order_seq_cst);
      if (first == Joiners) return;
      const unsigned joiner = slots[first].load(memory_order_seq_cst);
      if (joiner == 0) return;
      if (head.compare_exchange_strong(first, first + 1, memory_order_seq_cst, memory_order_seq_cst)) {
        woken[joiner - 1].store(true, memory_order_relaxed);
      }
    }
  }
  void finish(unsigned thread, std::uint64_t count = 1) {
    finished[thread] += tasks.finish(count, [this]() { return count_accepted(); });
    if (unfinished() == 0) wake_joiners();
  }
  void join(unsigned joiner) {
    if (unfinished() == 0) return;
    slots[tail.fetch_add(1, memory_order_relaxed)].store(joiner + 1, memory_order_seq_cst);
    blocked[joiner] = unfinished() != 0;
    if (!blocked[joiner]) wake_joiners();
  }

  void after() {
    std::uint64_t total = 0;
    for (const std::uint64_t count : finished) total += count;
    RL_ASSERT(total == tasks.done() && unfinished() == 0);
    for (unsigned i = 0; i < Joiners; ++i) RL_ASSERT(!blocked[i] || woken[i].load(memory_order_relaxed));
  }
};

struct OneJoiner : Queue<OneJoiner, 2, 1> {
  void begin() { Queue::begin(1); }
  void thread(unsigned thread) { thread == 0 ? finish(0) : join(0); }
};

// Two threads finish one task each; the second joiner may be hidden behind the first one.
struct TwoJoiners : Queue<TwoJoiners, 4, 2> {
  void begin() { Queue::begin(2); }
  void thread(unsigned thread) { thread < 2 ? finish(thread) : join(thread - 2); }
};

// Each thread puts what it finishes.
struct Putters : Queue<Putters, 3, 1> {
  void begin() { Queue::begin(0); }
  void thread(unsigned thread) {
    if (thread == 2) return join(0);
    put();
    finish(thread);
  }
};

// More calls than tasks, and a shutdown that finishes what is left.
struct TooMany : Queue<TooMany, 3, 1> {
  void begin() { Queue::begin(2); }
  void thread(unsigned thread) { thread == 2 ? join(0) : thread == 1 ? finish(1, 5) : (finish(0), finish(0)); }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"one_joiner", full_search<OneJoiner>, 1'000'000},
                                           {"two_joiners", random_search<TwoJoiners>, 400'000},
                                           {"putters", random_search<Putters>, 400'000},
                                           {"too_many", random_search<TooMany>, 400'000},
                                       });
}
