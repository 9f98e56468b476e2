// Waking: without a waiter, and from thread to thread, compared with the bare system call.
#include <thread>

#include "support.h"
#include "sync/futex.h"
#include "sync/thread_waiter.h"
#include "sync/wait_list.h"

namespace xichan::bench {
namespace {

// The cost in every send and receive when no thread waits.
void notify_empty(benchmark::State& state) {
  Mutex lock;
  WaitList list(lock);
  for (auto _ : state) list.notify_one();
}

// Joining and leaving a list, as a call does that then need not sleep.
void join_and_leave(benchmark::State& state) {
  Mutex lock;
  WaitList list(lock);
  for (auto _ : state) {
    ThreadWaiter waiter;
    WaitNode node{.waiter = &waiter};
    list.add(node);
    if (!list.remove(node)) return fail(state, "the node was not there");
  }
}

/// A flag that one thread raises and another sleeps on until it is up, and takes down.
class ByWaitList {
 public:
  void raise() noexcept {
    raised_.store(true, memory_order_seq_cst);
    list_.notify_one();
  }
  void take() noexcept {
    for (;;) {
      ThreadWaiter waiter;
      WaitNode node{.waiter = &waiter};
      list_.add(node);
      if (!raised_.load(memory_order_seq_cst)) (void)waiter.park(Deadline::never());
      list_.remove(node);
      if (raised_.exchange(false, memory_order_seq_cst)) return;
    }
  }

 private:
  Mutex lock_;
  WaitList list_{lock_};
  atomic<bool> raised_{false};
};

class ByFutex {
 public:
  void raise() noexcept {
    raised_.store(1, memory_order_seq_cst);
    futex_wake(&raised_);
  }
  void take() noexcept {
    while (raised_.exchange(0, memory_order_seq_cst) == 0) (void)futex_wait(raised_, 0, Deadline::never());
  }

 private:
  atomic<std::uint32_t> raised_{0};
};

// There and back between two threads that always sleep.
template <class Flag>
void round_trip(benchmark::State& state) {
  Flag there, back;
  atomic<bool> stop{false};
  std::thread echo([&] {
    for (;;) {
      there.take();
      if (stop.load(memory_order_relaxed)) return;
      back.raise();
    }
  });
  for (auto _ : state) {
    there.raise();
    back.take();
  }
  stop.store(true, memory_order_relaxed);
  there.raise();
  echo.join();
}

const bool entered = [] {
  with_statistics(benchmark::RegisterBenchmark("notify_empty", notify_empty));
  with_statistics(benchmark::RegisterBenchmark("join_and_leave", join_and_leave));
  with_statistics(benchmark::RegisterBenchmark("round_trip/wait_list", round_trip<ByWaitList>))->UseRealTime();
  with_statistics(benchmark::RegisterBenchmark("round_trip/futex", round_trip<ByFutex>))->UseRealTime();
  return true;
}();

}  // namespace
}  // namespace xichan::bench
